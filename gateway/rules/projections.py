"""Projections: features made of other features, under names of the user's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from gateway.rules import operands
from gateway.rules.errors import ConditionError
from gateway.rules.facts import Facts
from gateway.rules.features import find_kind
from gateway.rules.parse import JOINING
from gateway.rules.parse_projection import parse_projection, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.loader import Place
    from gateway.rules.partitions import Partition
    from gateway.rules.scores import Scored
    from gateway.signals.base import Kind
    from routers.types import Feature

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Projections:
    """Projections in an order in which each comes after those that it reads."""

    ordered: tuple[Scored | Partition, ...] = ()

    @property
    def provides(self) -> Mapping[str, Kind]:
        """Return the features that they give."""
        return {feature: kind for projection in self.ordered for feature, kind in projection.provides.items()}

    @property
    def features(self) -> frozenset[str]:
        """Return the features that they read, other than each other's."""
        read = frozenset[str]().union(*(projection.features for projection in self.ordered))
        return read - self.provides.keys()

    @property
    def facts(self) -> Facts:
        """Return what is known of their features beforehand."""
        facts = Facts()
        for projection in self.ordered:
            facts = facts.joined(projection.facts)
        return facts


def apply(projections: Projections, features: Mapping[str, Feature]) -> dict[str, Feature]:
    """Return the features, and those of the projections that are known."""
    result = dict(features)
    for projection in projections.ordered:
        result.update(projection.project(result))
    return result


def parse_projections(written: Any, known: Mapping[str, Kind], place: Place = ()) -> Projections:
    """Return the projections that a user wrote, in any order, over the features that are `known`.

    Raises `ConditionError`, with a place that begins with `place`, for what is wrong with one of them, for a name
    that a feature has already, and for projections that read each other in a circle.
    """
    if not isinstance(written, dict):
        raise ConditionError(place, f"needs a mapping from names to projections, not {operands.shown(written)}")
    given: dict[str, Kind] = {}
    for name, value in written.items():
        given.update(_given(name, value, known, (*place, name)))
    all_known = {**known, **given}
    parsed = {name: parse_projection(name, value, all_known, (*place, name)) for name, value in written.items()}
    return Projections(tuple(parsed[name] for name in _sorted(parsed, place)))


def _given(name: str, written: Any, known: Mapping[str, Kind], place: Place) -> Mapping[str, Kind]:
    """Return the features that a projection gives, which its form tells."""
    if not _NAME.fullmatch(name) or name in JOINING:
        raise ConditionError(
            place, "a projection's name has letters, digits, '_' and '-', and is none of all, any, not"
        )
    given = shape(name, written, place)
    if taken := [feature for feature in given if find_kind(feature, known)]:
        raise ConditionError(place, f"there is a signal's feature {taken[0]!r} already; choose another name")
    return given


def _sorted(parsed: Mapping[str, Scored | Partition], place: Place) -> tuple[str, ...]:
    owners = {feature: name for name, projection in parsed.items() for feature in projection.provides}
    reads = {
        name: sorted({owners[feature] for feature in projection.features if feature in owners})
        for name, projection in parsed.items()
    }
    try:
        return tuple(TopologicalSorter(reads).static_order())
    except CycleError as error:
        circle = error.args[1]
        raise ConditionError((*place, circle[0]), f"reads itself: {' reads '.join(reversed(circle))}") from error
