"""An answer by httpx2's types, for what asks for them: other transports, and answers that came compressed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import httpx2

from providers.transport.answer import raw_fields
from providers.transport.incoming import ERROR_BODY_S, OK, TooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from providers.transport.answer import Whole

#: Bytes that are decompressed at a time: what a few hundred of them stand for can be a thousand times as much.
SLICE: Final = 64 * 1024


class HttpxAnswer:
    """What `providers.types.Answer` asks for, out of a response of httpx2's."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._wait: asyncio.Timeout | None = None
        self._interruption: httpx2.TransportError | None = None
        # Who compresses though asked not to is read all the same.
        self._pieces: AsyncGenerator[bytes] = response.aiter_bytes()

    async def next(self) -> bytes | None:
        """Return what has come of the body since, None at its end. Raises `httpx2.RequestError`."""
        try:
            async with asyncio.timeout(None) as self._wait:
                return await anext(self._pieces, None)
        except TimeoutError:
            if self._interruption is None:
                raise
            raise self._interruption from None
        finally:
            self._wait = None

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """Give `take` the body as it comes, as `providers.types.Answer` says. Raises `httpx2.RequestError`."""
        while (piece := await self.next()) is not None:
            if take(piece):
                return True
        return False

    def interrupt(self, error: httpx2.TransportError) -> None:
        """End a wait for what comes next with an error."""
        if self._wait is not None:
            self._interruption = error
            self._wait.reschedule(0.0)

    async def whole(self, most: int) -> bytes:
        """Return the body once all has come. Raises `httpx2.RequestError`, and `TooLarge` beyond `most` bytes.

        An error's is empty where it does not come well, or takes longer than `ERROR_BODY_S`: its head has said enough.
        """
        if self.status == OK:
            return await self._read_whole(most)
        try:
            async with asyncio.timeout(ERROR_BODY_S):
                return await self._read_whole(most)
        except (httpx2.RequestError, TimeoutError):
            await self.aclose()
            return b""

    async def _read_whole(self, most: int) -> bytes:
        pieces, size = [], 0
        while (piece := await self.next()) is not None:
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise TooLarge(f"the answer has more than {most} bytes")
        await self.aclose()
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Give the connection up, or back."""
        await self._pieces.aclose()
        await self._response.aclose()


async def decoded(answer: Whole, most: int) -> bytes:
    """Return the body of an answer that came compressed. Raises `httpx2.DecodingError`, and `TooLarge`."""
    response = httpx2.Response(answer.status, headers=raw_fields(answer.headers), stream=_Slices(answer.content))
    return await HttpxAnswer(response).whole(most)


class _Slices(httpx2.AsyncByteStream):
    """Bytes that are all there, a part at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts."""
        for start in range(0, len(self._content), SLICE):
            yield self._content[start : start + SLICE]
