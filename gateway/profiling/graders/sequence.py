"""A list of items, however it is written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import bare, lines, plain
from gateway.profiling.graders.json_value import json_values

BULLET = re.compile(r"^(?:[-*•]|\d+[.)])\s+")
SEPARATOR = re.compile(r"\s*,\s*(?:and\s+)?|\s*;\s*|\s+and\s+|\s*→\s*|\s*->\s*")
NUMERALS = re.compile(r"[\d\s]+")
LEAD = re.compile(r"^[^:\[]*:\s*|^[^,\[]*\b(?:is|are)\s+")


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Items:
    """The answer is the list of `items`, in their order unless `ordered` is false."""

    kind: Literal["items"]
    items: tuple[str, ...]
    ordered: bool = True

    def score(self, answer: str, prompt: str) -> float:  # noqa: ARG002  (a list repeats no question)
        """Return 1 if the items are all there, none more, and in order where that matters."""
        wanted, found = [_form(item) for item in self.items], [_form(item) for item in written_items(answer)]
        return float(wanted == found if self.ordered else sorted(wanted) == sorted(found))


def written_items(answer: str) -> list[str]:
    """Read a list: a JSON array, bullets, a line an item, or items between commas or spaces."""
    arrays = list(json_values(answer))
    if len(arrays) == 1 and isinstance(arrays[0], list):
        return [str(item) for item in arrays[0]]
    text = lines(plain(answer))
    if bulleted := [BULLET.sub("", line) for line in text if BULLET.match(line)]:
        return bulleted
    if len(text) > 1 and text[0].endswith(":"):
        text = text[1:]
    return text if len(text) > 1 else _between_commas(text[0]) if text else []


def _between_commas(line: str) -> list[str]:
    line = bare(LEAD.sub("", line)).strip("[](){}")
    items = [item for item in SEPARATOR.split(line) if item]
    return items[0].split() if len(items) == 1 and NUMERALS.fullmatch(items[0]) else items


def _form(item: str) -> str:
    return bare(item.strip(" ,;")).casefold()
