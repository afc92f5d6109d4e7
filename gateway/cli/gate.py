"""A gate, as an option of a subcommand: its name, or its specification in YAML."""

from __future__ import annotations

from typing import Annotated, Any

import typer

GateOption = Annotated[
    str | None,
    typer.Option(
        metavar="GATE",
        help="A gate: its name, as wellformed, or its specification in YAML, as '{type: judge, model: large}'.",
    ),
]


def gate_of(written: str, option: str = "--gate") -> dict[str, Any]:
    """Return the specification of a gate as somebody wrote it. Raises `ConfigError` for what is none."""
    import yaml

    from gateway.config.loader import ConfigError
    from routers.options import ComponentError
    from routers.registry import build_gate

    try:
        found = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise ConfigError(f"{option}: {written!r} is no YAML; write a gate's name, or {{type: NAME, ...}}") from error
    spec = {"type": found} if isinstance(found, str) else found
    if not isinstance(spec, dict):
        raise ConfigError(f"{option}: {written!r} is no gate; write its name, or {{type: NAME, ...}}")
    try:
        build_gate(spec)
    except ComponentError as error:
        raise ConfigError(f"{option}: {error}") from error
    return spec
