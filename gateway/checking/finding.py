"""A finding: something in the configuration that looks wrong, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.loader import Document, Place


@dataclass(frozen=True, slots=True)
class Finding:
    """What looks wrong with the value at `place` of a file. The configuration can be used all the same."""

    document: Document
    place: Place
    message: str

    @property
    def line(self) -> int:
        """Return the line of the value, or of what encloses it."""
        places = (self.place[:n] for n in range(len(self.place), -1, -1))
        return next(self.document.lines[place] for place in places if place in self.document.lines)

    def __str__(self) -> str:
        return self.document.at(self.place, f"warning: {self.message}")
