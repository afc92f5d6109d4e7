"""JSON, compared by structure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue, with_config

from gateway.profiling.graders._strict import STRICT

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENING = re.compile(r"[{\[]")
#: After this many brackets that open nothing, a text is taken to hold no more JSON: each try may cost its length.
MOST_TRIES = 20


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Json:
    """The answer holds one JSON value equal to `value`; for an object, the share of fields that are right."""

    kind: Literal["json"]
    value: JsonValue

    def score(self, answer: str, prompt: str) -> float:  # noqa: ARG002  (a value repeats no question)
        """Return the share of fields that agree, of all in either object; 0 where several values are offered."""
        found = list(json_values(answer))
        if not found or any(value != found[0] for value in found):
            return 0.0
        return agreement(self.value, found[0])


def agreement(wanted: JsonValue, found: JsonValue) -> float:
    """Return 1 for equal values; for two objects, the share of all their keys on which they agree."""
    if not (isinstance(wanted, Mapping) and isinstance(found, Mapping)) or not wanted:
        return float(same(wanted, found))
    keys = {*wanted, *found}
    return sum(key in wanted and key in found and same(wanted[key], found[key]) for key in keys) / len(keys)


def same(wanted: JsonValue, found: JsonValue) -> bool:
    """Compare values: strings but for case and a full stop, numbers also when written as strings."""
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    if isinstance(wanted, int | float):
        return _same_number(wanted, found)
    if isinstance(wanted, str) and isinstance(found, str):
        return _form(wanted) == _form(found)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(same, wanted, found))
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return wanted.keys() == found.keys() and all(same(value, found[key]) for key, value in wanted.items())
    return wanted is None and found is None


def json_values(answer: str) -> Iterator[JsonValue]:
    """Yield the outermost JSON objects and arrays in a text."""
    decoder = json.JSONDecoder()
    place = failed = 0
    while failed < MOST_TRIES and (match := OPENING.search(answer, place)):
        try:
            value, place = decoder.raw_decode(answer, match.start())
        except (ValueError, RecursionError):
            place, failed = match.end(), failed + 1
        else:
            yield value


def _same_number(wanted: float, found: JsonValue) -> bool:
    if not isinstance(found, int | float | str):
        return False
    try:
        return math.isclose(wanted, float(found), abs_tol=1e-9)
    except (ValueError, OverflowError):
        return False


def _form(text: str) -> str:
    return " ".join(text.casefold().split()).removesuffix(".")
