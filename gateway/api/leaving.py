"""Clients that leave before they are answered: the work for them is given up at once, so that upstream is free."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive

    from gateway.client import Client


class Leaving:
    """Tells whoever listens that a connection was lost."""

    __slots__ = ("_listeners", "_lost")

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._lost = False

    def listen(self, listener: Callable[[], None]) -> None:
        """Have somebody called when the connection is lost, at once where it is already."""
        self._listeners.append(listener)
        if self._lost:
            listener()

    def forget(self, listener: Callable[[], None]) -> None:
        """Call him no more."""
        self._listeners.remove(listener)

    def tell(self) -> None:
        """Tell all that the connection was lost."""
        self._lost = True
        for listener in tuple(self._listeners):
            listener()


class Watch:
    """Within it the task that entered it is cancelled once its client leaves. The request's body must have been read.

    `leaving` tells that, where the server does; else `receive` is asked.
    Who sees the cancellation asks the client why.
    """

    __slots__ = ("_client", "_leaving", "_receive", "_task", "_watching")

    def __init__(self, leaving: Leaving | None, receive: Receive, client: Client) -> None:
        self._client = client
        self._receive = receive
        self._leaving = leaving
        self._task: asyncio.Task[object] | None = None
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._task = asyncio.current_task()
        if self._leaving is not None:
            self._leaving.listen(self._left)
        else:
            self._watching = asyncio.ensure_future(self._wait())
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        if self._leaving is not None:
            self._leaving.forget(self._left)
        if self._watching is not None:
            self._watching.cancel()

    def _left(self) -> None:
        self._client.left = True
        if self._task is not None:
            self._task.cancel()

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left()
