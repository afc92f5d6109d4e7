"""What is said where others cannot be asked; apart from the link to Redis, whose client not everybody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")


class RedisAway(Exception):
    """Redis did not answer, or not in time. What it was asked to do may have been done all the same."""


class Linked(Protocol):
    """Leads to what several processes share: to Redis, or to the parent of the workers of one machine.

    Keys begin with `prefix`.
    """

    prefix: str

    async def ask(self, command: Callable[[Any], Awaitable[Answer]]) -> Answer:
        """Return what is answered to one of Redis's commands, or to several in a row. Raises `RedisAway`."""
        ...
