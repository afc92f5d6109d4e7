"""Features as rules know them: which there are, of what kind, and what stands in for one that is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.config.loader import did_you_mean
from gateway.rules import operands
from gateway.rules.errors import ConditionError
from gateway.rules.operators import is_known
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.config.loader import Place
    from routers.types import Feature

#: Ends the name of a whole family of features: `metadata.*`.
WILDCARD = ".*"


def find_kind(feature: str, known: Mapping[str, Kind]) -> Kind | None:
    """Return the kind of a feature: by its own name, else by the longest wildcard that it falls under."""
    if feature in known:
        # A wildcard itself is no feature.
        return None if feature.endswith(WILDCARD) else known[feature]
    families = [name for name in known if name.endswith(WILDCARD) and _belongs(feature, name)]
    return known[max(families, key=len)] if families else None


def require_kind(feature: str, known: Mapping[str, Kind], place: Place) -> Kind:
    """Return the kind of a feature. Raises `ConditionError` for one that nothing provides."""
    if kind := find_kind(feature, known):
        return kind
    raise ConditionError(place, f"unknown feature; {did_you_mean(feature, known)}")


def parse_defaults(written: Any, known: Mapping[str, Kind], place: Place = ()) -> dict[str, Feature]:
    """Return what a policy says of features that are absent.

    Raises `ConditionError` for a feature that is unknown, and for a value that is not of its kind.
    """
    if not isinstance(written, dict):
        raise ConditionError(place, f"needs a mapping from features to values, not {operands.shown(written)}")
    return {
        feature: _READERS[require_kind(feature, known, (*place, feature))](value, (*place, feature))
        for feature, value in written.items()
    }


def with_defaults(features: Mapping[str, Feature], defaults: Mapping[str, Feature]) -> dict[str, Feature]:
    """Return the features, and a default for each that is absent (or NaN)."""
    return {**defaults, **{feature: value for feature, value in features.items() if is_known(value)}}


def _belongs(feature: str, family: str) -> bool:
    stem = family.removesuffix("*")
    return feature.startswith(stem) and feature != stem


_READERS: Mapping[Kind, Callable[[Any, Place], Feature]] = {
    Kind.NUMBER: operands.number,
    Kind.TEXT: operands.text,
    Kind.TRUTH: operands.truth,
    Kind.TEXTS: operands.members,
}
