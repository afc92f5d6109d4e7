"""Conditions and features at random, and what a condition comes to, worked out as plainly as can be."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

KNOWN = {
    "n": Kind.NUMBER,
    "m.score": Kind.NUMBER,
    "t": Kind.TEXT,
    "metadata.*": Kind.TEXT,
    "b": Kind.TRUTH,
    "l": Kind.TEXTS,
}
KINDS = {**KNOWN, "metadata.tier": Kind.TEXT}
FEATURES = [name for name in KINDS if not name.endswith("*")]

NUMBERS = [0, 0.5, 1, 2]
TEXTS = ["a", "ab", "b", "ba", "abc"]
PATTERNS = ["a", "^b", "(?i)AB", "c$", "x"]

#: What features are drawn from: also what lies between and beyond what conditions name.
VALUES = {
    Kind.NUMBER: [-1.0, 0.0, 0.25, 0.5, 0.75, 1, 1.5, 2.0, 9.0, math.nan],
    Kind.TEXT: [*TEXTS, "", "xab", "bca", "AB"],
    Kind.TRUTH: [True, False],
    Kind.TEXTS: [(), ("a",), ("b",), ("a", "b"), ("c",), ("a", "b", "c"), ("d",)],
}
OPERATORS = {
    Kind.NUMBER: ["above", "at_least", "below", "at_most", "equals", "not_equals", "in", "not_in"],
    Kind.TEXT: ["equals", "not_equals", "in", "not_in", "matches", "starts_with", "ends_with", "contains"],
    Kind.TEXTS: ["any_of", "all_of", "none_of", "empty"],
}
LISTS = {"in", "not_in", "any_of", "all_of", "none_of"}


def draw_features(rng: Random) -> dict[str, Any]:
    """Return features, about a third of them absent."""
    return {name: rng.choice(VALUES[KINDS[name]]) for name in FEATURES if rng.random() < 0.7}


def draw_condition(rng: Random, depth: int) -> dict[str, Any]:
    """Return a condition as one would write it, nested up to `depth` times."""
    drawn: dict[str, Any] = {}
    for _ in range(rng.choice([1, 1, 1, 2])):
        joining = rng.choice(["all", "any", "not", None]) if depth else None
        if joining is None:
            feature = rng.choice(FEATURES)
            drawn[feature] = draw_question(rng, KINDS[feature])
        elif joining == "not":
            drawn["not"] = draw_condition(rng, depth - 1)
        else:
            drawn[joining] = [draw_condition(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    return drawn


def draw_question(rng: Random, kind: Kind) -> Any:
    """Return what stands beside a feature: a value, a list, or operators."""
    if rng.random() < 0.1:
        return {"present": rng.choice([True, False])}
    if kind is Kind.TRUTH:
        return rng.choice([True, False])
    pool = NUMBERS if kind is Kind.NUMBER else TEXTS if kind is Kind.TEXT else ["a", "b", "c"]
    if rng.random() < 0.3:
        return rng.choice(pool) if rng.random() < 0.5 else rng.sample(pool, 2)
    names = rng.sample(OPERATORS[kind], rng.choice([1, 1, 2]))
    return {name: draw_operand(rng, name, pool) for name in names}


def draw_operand(rng: Random, name: str, pool: list[Any]) -> Any:
    if name == "empty":
        return rng.choice([True, False])
    if name == "matches":
        return rng.choice(PATTERNS)
    return rng.sample(pool, rng.randint(1, 2)) if name in LISTS else rng.choice(pool)


def plainly(condition: Any, features: Mapping[str, Any]) -> bool | None:
    """Work out a condition in three values, straight from what was written."""
    return conjunction([entry(key, value, features) for key, value in condition.items()])


def entry(key: str, value: Any, features: Mapping[str, Any]) -> bool | None:
    if key == "all":
        return conjunction([plainly(part, features) for part in value])
    if key == "any":
        return negation(conjunction([negation(plainly(part, features)) for part in value]))
    if key == "not":
        return negation(plainly(value, features))
    found = features.get(key)
    unknown = found is None or (isinstance(found, float) and math.isnan(found))
    if not isinstance(value, dict):
        return None if unknown else plain_value(found, value)
    return conjunction(
        [
            (not unknown) == operand if name == "present" else None if unknown else OUTCOMES[name](found, operand)
            for name, operand in value.items()
        ]
    )


def plain_value(found: Any, value: Any) -> bool:
    wanted = value if isinstance(value, list) else [value]
    if isinstance(found, tuple):
        return any(item in wanted for item in found)
    return any(found == item for item in wanted)


def conjunction(parts: list[bool | None]) -> bool | None:
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def negation(part: bool | None) -> bool | None:  # noqa: FBT001 - it is a value, not a switch
    return None if part is None else not part


OUTCOMES = {
    "above": lambda found, bound: found > bound,
    "at_least": lambda found, bound: found >= bound,
    "below": lambda found, bound: found < bound,
    "at_most": lambda found, bound: found <= bound,
    "equals": lambda found, other: found == other,
    "not_equals": lambda found, other: found != other,
    "in": lambda found, others: any(found == other for other in others),
    "not_in": lambda found, others: all(found != other for other in others),
    "matches": lambda found, pattern: re.search(pattern, found) is not None,
    "starts_with": lambda found, start: found[: len(start)] == start,
    "ends_with": lambda found, end: found[-len(end) :] == end,
    "contains": lambda found, part: found.find(part) >= 0,
    "any_of": lambda found, others: any(item in others for item in found),
    "all_of": lambda found, others: all(other in found for other in others),
    "none_of": lambda found, others: all(item not in others for item in found),
    "empty": lambda found, wanted: (len(found) == 0) == wanted,
}
