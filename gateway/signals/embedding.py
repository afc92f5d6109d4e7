"""Embeds texts for the event loop: at once where that is quick, else in one thread of its own; with a cache."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.encoder import quickness_of, reading_of
from gateway.signals.recall import Recall
from gateway.standing_back import stand_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gateway.signals.encoder import Encoder

    Vector = NDArray[np.float32]

MAX_BATCH = 32
#: All in a batch wait for its end, and on a CPU only short texts gain by company: about 500 tokens go together.
MAX_BATCH_CHARACTERS = 2048
#: Texts that are encoded at a time where nobody waits for them.
PIECE = 8


@dataclass(slots=True, eq=False)
class _Wanted:
    """A text that is to be embedded, and how many wait for it."""

    text: str
    vector: asyncio.Future[Vector]
    waiting: int = 0


class Embedder:
    """Gives an encoder to an event loop.

    Where the encoder calls a text quick it is encoded on the loop: handing over and back takes longer. Others wait
    while the encoder is busy, and then go together, `MAX_BATCH` at most, or `MAX_BATCH_CHARACTERS`. A text is dropped
    if all who wanted it have left before its turn: under overload, old work must not keep new work waiting. The vectors
    of the last `cache_entries` texts are kept. All of it belongs to one event loop; only the encoder runs elsewhere.

    That is a thread, not a process, because the encoders let go of the interpreter while they work: of 70 ms for 256
    tokens `minilm` holds it for 0.1, no longer than it takes to hand over to another process.
    """

    def __init__(self, encoder: Encoder, *, cache_entries: int = 4096) -> None:
        self.encoder = encoder
        #: For what is embedded when a configuration is read, which another thread may do.
        self.recall = Recall(encoder, self._encode_between)
        self._cache_entries = cache_entries
        self._cache: OrderedDict[bytes, Vector] = OrderedDict()
        self._queue: dict[bytes, _Wanted] = {}
        self._batch: dict[bytes, _Wanted] = {}
        self._running: asyncio.Future[Vector] | None = None
        self._closed = False
        self._read, self._is_quick = reading_of(encoder), quickness_of(encoder)
        # Else what wakes the loop would wait for the end of a slice of the encoder's time, up to 4 ms.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder", initializer=stand_back)

    async def embed(self, text: str) -> Vector:
        """Return the unit vector `[dimension]` of a text, which may be shared: it is read-only.

        Raises what the encoder raised on its batch, and `RuntimeError` once it is closed.
        """
        if (vector := self.at_once(text)) is not None:
            return vector
        key = self._key(text)
        wanted = self._batch.get(key) or self._queue.get(key)
        if wanted is None:
            wanted = self._queue[key] = _Wanted(text, asyncio.get_running_loop().create_future())
            self._start()
        return await self._wait(key, wanted)

    def at_once(self, text: str) -> Vector | None:
        """Return the vector of a text that is kept or quick to encode; None where it has to be waited for: `embed`.

        Raises as `embed` does.
        """
        key = self._key(text)
        if (vector := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return vector
        if self._closed:
            raise RuntimeError("the embedder is closed: nothing more can be embedded")
        if not self._is_quick(text):
            return None
        return self._keep(key, self._encode([text])[0])

    async def _wait(self, key: bytes, wanted: _Wanted) -> Vector:
        wanted.waiting += 1
        try:
            # Others may wait for the same text, so that one who leaves must not cancel it.
            return await asyncio.shield(wanted.vector)
        finally:
            wanted.waiting -= 1
            if not wanted.waiting and self._queue.get(key) is wanted:
                del self._queue[key]

    async def aclose(self) -> None:
        """Refuse further texts, finish those that wait, and end the thread. It may be called again."""
        self._closed = True
        while self._running is not None:
            await asyncio.wait([self._running])
        self._thread.shutdown()

    def _key(self, text: str) -> bytes:
        """Return what tells a text from others that are read otherwise."""
        return hashlib.sha256(self._read(text).encode(errors="surrogatepass")).digest()

    def _start(self) -> None:
        if self._running is not None or not self._queue:
            return
        self._batch = self._take()
        texts = [wanted.text for wanted in self._batch.values()]
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._encode, texts)
        self._running.add_done_callback(self._finish)

    def _take(self) -> dict[bytes, _Wanted]:
        batch: dict[bytes, _Wanted] = {}
        room = MAX_BATCH_CHARACTERS
        for key, wanted in self._queue.items():
            room -= len(wanted.text)
            if batch and (room < 0 or len(batch) == MAX_BATCH):
                break
            batch[key] = wanted
        for key in batch:
            del self._queue[key]
        return batch

    def _encode(self, texts: list[str]) -> Vector:
        """Encode in the thread; what is no vector must fail here, where it reaches those who wait."""
        vectors = self.encoder.encode(texts)
        if vectors.shape != (expected := (len(texts), self.encoder.dimension)):
            raise ValueError(f"the encoder {self.encoder.name!r} returned the shape {vectors.shape}, not {expected}")
        if not np.isfinite(vectors).all():
            raise ValueError(f"the encoder {self.encoder.name!r} returned a number that is not finite")
        return vectors

    def _encode_between(self, texts: Sequence[str]) -> Vector:
        """Encode many texts from another thread, a few at a time, so that requests are embedded in between."""
        pieces = [list(texts[at : at + PIECE]) for at in range(0, len(texts), PIECE)]
        return np.concatenate([self._thread.submit(self._encode, piece).result() for piece in pieces])

    def _finish(self, done: asyncio.Future[Vector]) -> None:
        batch, self._batch, self._running = self._batch, {}, None
        error = done.exception()
        for row, (key, wanted) in enumerate(batch.items()):
            if error is None:
                wanted.vector.set_result(self._keep(key, done.result()[row]))
            else:
                wanted.vector.set_exception(error)
                # Read, lest the loop complain of an error that nobody has waited for.
                wanted.vector.exception()
        self._start()

    def _keep(self, key: bytes, row: Vector) -> Vector:
        # A copy, because a view would keep its whole batch in memory.
        vector = row.copy()
        vector.flags.writeable = False
        self._cache[key] = vector
        if len(self._cache) > self._cache_entries:
            self._cache.popitem(last=False)
        return vector
