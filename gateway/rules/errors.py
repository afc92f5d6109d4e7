"""What is wrong with rules as written, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.loader import Place


class ConditionError(Exception):
    """A condition, a projection or a default cannot be used as written.

    `place` is where: keys and indices from what was being read. `message` says what is wrong, without the place.
    """

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message

    def __str__(self) -> str:
        name = ".".join(str(part) for part in self.place)
        return f"{name}: {self.message}" if name else self.message
