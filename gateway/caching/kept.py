"""A reply that is relayed as it comes, and handed over to be kept once all of it has been."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.caching.assembly import Assembly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from providers.types import Produced, Reply, Sink, Usage


class Kept:
    """Relays `reply`, and calls `keep` when its body has come to its end: not where it breaks, or is left.

    `keep` is given what returns the whole answer, which takes time, or None where there is none.
    """

    def __init__(self, reply: Reply, max_bytes: int, keep: Callable[[Callable[[], bytes | None]], None]) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = reply.headers
        self.streams = reply.streams
        self._reply = reply
        self._keep = keep
        self._assembly = Assembly(max_bytes)
        self._pieces: list[bytes] = []

    @property
    def usage(self) -> Usage | None:
        """Return the usage, as far as the endpoint reported it."""
        return self._reply.usage

    @property
    def finish_reason(self) -> str | None:
        """Return the reason that the model gave for stopping."""
        return self._reply.finish_reason

    @property
    def settled(self) -> bool:
        """Tell whether `usage` is the endpoint's last word."""
        return self._reply.settled

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """Return what the answer stands for, where it has been read."""
        return self._reply.answer

    def produced(self) -> Produced:
        """Return what the endpoint has said so far."""
        return self._reply.produced()

    async def pour(self, sink: Sink) -> bool:
        """Give the body as it comes; it is looked at after the sink has it. Raises as the reply."""

        def take(together: Sequence[bytes]) -> bool | None:
            held = sink(together)
            if self.streams:
                for event in together:
                    self._assembly.add(event)
            else:
                self._pieces += together
            return held

        if await self._reply.pour(take):
            return True
        self._keep(self._assembled if self.streams else self._joined)
        return False

    async def aclose(self) -> None:
        """Give the connection up."""
        await self._reply.aclose()

    def _joined(self) -> bytes | None:
        return b"".join(self._pieces)

    def _assembled(self) -> bytes | None:
        whole: dict[str, Any] | None = self._assembly.whole(self._reply.usage)
        return None if whole is None else json.dumps(whole).encode()
