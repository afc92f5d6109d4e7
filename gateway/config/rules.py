"""Turns a policy's rules as written into rules that can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gateway.rules.conditions import ALWAYS
from gateway.rules.errors import ConditionError
from gateway.rules.features import parse_defaults
from gateway.rules.parse import parse_condition
from gateway.rules.projections import parse_projections
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.config.files import PolicyFile
    from gateway.rules.conditions import Condition
    from gateway.rules.projections import Projections
    from routers.types import Feature

T = TypeVar("T")

#: The text that is routed by. It is no signal's: rules may ask for it, and no log or trace repeats it.
TEXT: Mapping[str, Kind] = {"text": Kind.TEXT}


def read_projections(file: PolicyFile, known: Mapping[str, Kind]) -> Projections:
    """Return the policy's projections. Raises `ConfigError`."""
    return _read(file, lambda: parse_projections(file.config.projections, {**known, **TEXT}, ("projections",)))


def read_defaults(file: PolicyFile, known: Mapping[str, Kind]) -> dict[str, Feature]:
    """Return what the policy says of absent features. Raises `ConfigError`."""
    return _read(file, lambda: parse_defaults(file.config.defaults, known, ("defaults",)))


def read_condition(file: PolicyFile, index: int, known: Mapping[str, Kind]) -> Condition:
    """Return the condition of the rule at `index`. Raises `ConfigError`."""
    when = file.config.rules[index].when
    if not when:
        return ALWAYS
    return _read(file, lambda: parse_condition(when, {**known, **TEXT}, ("rules", index, "when")))


def _read(file: PolicyFile, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except ConditionError as error:
        raise file.document.error(error.place, error.message) from error
