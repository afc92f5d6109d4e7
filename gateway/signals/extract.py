"""Extracts the signals that a router needs, within a deadline."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from gateway.signals.request import estimate_prompt_tokens, last_user_text, request_features
from routers.types import Context

if TYPE_CHECKING:
    from gateway.metrics import Metrics
    from gateway.signals.embedding import Embedder
    from providers.types import ChatRequest
    from routers.types import FloatArray

#: The signals that there are.
PROVIDED = frozenset({"embedding"})


class Signals:
    """Turns a request into a context. `embedder` is None where no policy needs an embedding."""

    def __init__(self, embedder: Embedder | None, deadline_s: float, metrics: Metrics) -> None:
        self._embedder = embedder
        self._deadline_s = deadline_s
        self._metrics = metrics

    async def extract(self, chat: ChatRequest, requires: frozenset[str]) -> Context:
        """Return what is known of a request; a signal that misses the deadline is absent, and said to be."""
        started = time.monotonic()
        text = last_user_text(chat.body)
        features = request_features(chat.body)
        embedding: FloatArray | None = None
        if "embedding" in requires and self._embedder is not None:
            embedding = await self._embed(self._embedder, text)
            features["embedding"] = "missed" if embedding is None else "present"
        tokens = estimate_prompt_tokens(chat.body)
        self._metrics.overhead_seconds.labels("signals").observe(time.monotonic() - started)
        return Context(text=text, prompt_tokens=tokens, embedding=embedding, features=features)

    async def _embed(self, embedder: Embedder, text: str) -> FloatArray | None:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await embedder.embed(text)
        except TimeoutError:
            self._metrics.signals_missed.labels("embedding").inc()
            return None
