"""The two ends of a channel, on one event loop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from socket import socketpair
from typing import TYPE_CHECKING

from gateway.workers.channel import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gateway.workers.channel import Answering


@asynccontextmanager
async def joined(
    parent: Mapping[str, Answering], worker: Mapping[str, Answering] | None = None
) -> AsyncIterator[Channel]:
    """Yield a worker's end of a channel whose other end answers as a parent would."""
    here, there = socketpair()
    ends = [await Channel.over(here, worker or {}), await Channel.over(there, parent)]
    yield ends[0]
    for end in ends:
        end.close()
    await asyncio.gather(*(end.ended for end in ends))
