"""A configuration with one of its policies as another file has it, or with one more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.config.classes import wrong_classes
from gateway.config.files import PolicyFile, read_files
from gateway.config.loader import ConfigError, load
from gateway.config.policy_models import PolicyConfig
from gateway.config.references import wrong_references
from gateway.config.validate import validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.files import Files


def read_either(path: Path, config: Path, environment: Mapping[str, str]) -> tuple[Files, str | None]:
    """Return the configuration in a gateway's file, or `config` with the policy in `path`, and that policy's name.

    A file with `models` is a gateway's. The policy's learned state is where it would be if the file were named under
    `policies`. Raises `ConfigError`.
    """
    document = load(path, environment)
    if isinstance(document.data, dict) and "models" in document.data:
        return read_files(path, environment), None
    return with_policy(read_files(config, environment), path, environment)


def with_policy(files: Files, path: Path, environment: Mapping[str, str]) -> tuple[Files, str]:
    """Return a configuration with the policy in `path` in place of the one of its name, and that name.

    Raises `ConfigError`.
    """
    document = load(path.resolve(), environment)
    policy = validate(document, PolicyConfig)
    state = document.path.parent / policy.state if policy.state else files.path.parent / "state" / policy.name
    others = [other for other in files.policies if other.config.name != policy.name]
    policies = (*others, PolicyFile(policy, document, state))
    wrong = [*wrong_references(files.config, files.document, policies, environment)]
    wrong += wrong_classes(files.config, files.document, policies)
    if wrong:
        raise ConfigError("\n".join(wrong))
    return replace(files, policies=policies), policy.name
