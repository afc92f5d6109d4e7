"""What replicas see of what they have told each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class BoardAway(Exception):
    """Redis did not answer, or not in time. What it was asked to do may have been done all the same."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What is there: the version of each share, which were folded, and when each replica was seen last."""

    versions: Mapping[str, int]
    folded: Mapping[str, int]
    seen: Mapping[str, float]
