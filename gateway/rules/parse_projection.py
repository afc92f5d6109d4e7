"""Reads one projection as users write it: a score, or a partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.rules import operands
from gateway.rules.errors import ConditionError
from gateway.rules.features import require_kind
from gateway.rules.parse import parse_condition
from gateway.rules.partitions import Member, Partition
from gateway.rules.scores import NO_BAND, Score, Scored, Sigmoid, Term
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.loader import Place

_OF_SCORE = ("score", "offset", "sigmoid")
_OF_TERM = ("weight", "at_least", "at_most", "default")
#: That of the softmax over a partition's members, where none is written.
DEFAULT_TEMPERATURE = 0.1


def shape(name: str, written: Any, place: Place) -> Mapping[str, Kind]:
    """Return the features that a projection gives, before it is known what others give."""
    _check_form(written, place)
    if "partition" in written:
        return Partition(name, (), DEFAULT_TEMPERATURE).provides
    return Scored(name, Score(()), bands=(("", 0.0),) if "bands" in written else ()).provides


def parse_projection(name: str, written: Any, known: Mapping[str, Kind], place: Place) -> Scored | Partition:
    """Return a projection. Raises `ConditionError` with the place of what is wrong."""
    _check_form(written, place)
    if "partition" in written:
        return _partition(name, written, known, place)
    operands.options(written, (*_OF_SCORE, "bands"), place)
    bands = _bands(written["bands"], (*place, "bands")) if "bands" in written else ()
    return Scored(name, _score(written, known, place), bands)


def _check_form(written: Any, place: Place) -> None:
    if not isinstance(written, dict) or ("score" in written) == ("partition" in written):
        raise ConditionError(place, "needs either `score` or `partition`")


def _score(written: dict[str, Any], known: Mapping[str, Kind], place: Place) -> Score:
    inputs = _filled(written["score"], "features and their weights", (*place, "score"))
    terms = tuple(_term(feature, value, known, (*place, "score", feature)) for feature, value in inputs.items())
    offset = operands.number(written.get("offset", 0), (*place, "offset"))
    sigmoid = _sigmoid(written["sigmoid"], (*place, "sigmoid")) if "sigmoid" in written else None
    return Score(terms, offset, sigmoid)


def _term(feature: str, written: Any, known: Mapping[str, Kind], place: Place) -> Term:
    kind = require_kind(feature, known, place)
    if kind not in (Kind.NUMBER, Kind.TRUTH):
        raise ConditionError(place, f"is a {kind.value}: a score adds numbers, and truths as 0 or 1")
    if not isinstance(written, dict):
        return Term(feature, operands.number(written, place))
    limits = {
        name: operands.number(value, (*place, name))
        for name, value in operands.options(written, _OF_TERM, place).items()
        if name != "default"
    }
    default = _default(written["default"], kind, (*place, "default")) if "default" in written else None
    term = Term(feature, **limits, default=default)
    if term.at_least > term.at_most:
        raise ConditionError((*place, "at_least"), "is above `at_most`")
    return term


def _default(value: Any, kind: Kind, place: Place) -> float:
    if kind is Kind.TRUTH:
        return float(operands.truth(value, place))
    return operands.number(value, place)


def _sigmoid(written: Any, place: Place) -> Sigmoid:
    options = operands.options(written, ("center", "slope"), place)
    center = operands.number(options.get("center", 0), (*place, "center"))
    slope = operands.number(options.get("slope", 1), (*place, "slope"))
    if slope == 0:
        raise ConditionError((*place, "slope"), "may not be 0: every score would become 0.5")
    return Sigmoid(center, slope)


def _bands(written: Any, place: Place) -> tuple[tuple[str, float], ...]:
    bounds = {
        name: operands.number(bound, (*place, name))
        for name, bound in _filled(written, "bands and their least scores", place).items()
    }
    if NO_BAND in bounds:
        raise ConditionError((*place, NO_BAND), "is what a score below all bands is in; choose another name")
    if len(set(bounds.values())) < len(bounds):
        raise ConditionError(place, "has two bands that begin at the same score")
    return tuple(sorted(bounds.items(), key=lambda band: band[1]))


def _partition(name: str, written: dict[str, Any], known: Mapping[str, Kind], place: Place) -> Partition:
    operands.options(written, ("partition", "temperature", "otherwise"), place)
    inner = (*place, "partition")
    members = _filled(written["partition"], "members and their scores", inner)
    temperature = operands.number(written.get("temperature", DEFAULT_TEMPERATURE), (*place, "temperature"))
    if temperature <= 0:
        raise ConditionError((*place, "temperature"), "must be above 0")
    otherwise = operands.text(written["otherwise"], (*place, "otherwise")) if "otherwise" in written else None
    if otherwise is not None and otherwise not in members:
        raise ConditionError((*place, "otherwise"), f"is none of the members {', '.join(members)}")
    parsed = tuple(_member(member, value, known, (*inner, member)) for member, value in members.items())
    return Partition(name, parsed, temperature, otherwise)


def _member(name: str, written: Any, known: Mapping[str, Kind], place: Place) -> Member:
    if not isinstance(written, dict) or ("score" in written) == ("when" in written):
        raise ConditionError(place, "needs either `score` or `when`")
    if "when" in written:
        operands.options(written, ("when",), place)
        return Member(name, parse_condition(written["when"], known, (*place, "when")))
    return Member(name, _score(operands.options(written, _OF_SCORE, place), known, place))


def _filled(written: Any, what: str, place: Place) -> dict[str, Any]:
    if not isinstance(written, dict) or not written:
        raise ConditionError(place, f"needs a mapping of {what}, at least one")
    return written
