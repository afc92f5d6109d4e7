"""An answer that is waited for, and the comments that keep its client's connection alive meanwhile.

Comments are lines that begin with a colon (WHATWG HTML, section 9.2.6); clients pass over them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine

#: What a client gets that has heard nothing for a while.
COMMENT: Final = b": keep-alive\n\n"


class Waiting:
    """Work that ends when an answer begins. After `silence_s`, and each time again, its client is to hear something.

    `drop` is called with what cut the waiting short: the answer may have begun at that very moment.
    """

    def __init__(
        self, work: Coroutine[Any, Any, None], silence_s: float, drop: Callable[[BaseException], Awaitable[None]]
    ) -> None:
        self._work = asyncio.ensure_future(work)
        self._silence_s = silence_s
        self._drop = drop

    async def soon(self) -> bool:
        """Tell whether the answer began before anything had to be said; until then it can still be an error's.

        Raises what the work raises.
        """
        try:
            await asyncio.wait({self._work}, timeout=self._silence_s)
        except asyncio.CancelledError as cut:
            await self._give_up(cut)
            raise
        return self._work.done() and self._work.result() is None

    async def comments(self) -> AsyncGenerator[bytes]:
        """Yield comments until the answer begins; the work is given up where nobody wants them any more.

        Raises what the work raises.
        """
        try:
            while not self._work.done():
                yield COMMENT
                await asyncio.wait({self._work}, timeout=self._silence_s)
        except (asyncio.CancelledError, GeneratorExit) as cut:
            await self._give_up(cut)
            raise
        self._work.result()

    async def _give_up(self, cut: BaseException) -> None:
        """End the work for the same reason; it records its own outcome, as far as it has not ended."""
        if not self._work.done():
            self._work.cancel(*cut.args)
            await asyncio.wait({self._work})
        await self._drop(cut)
