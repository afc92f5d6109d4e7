"""Asks models for judging, by the way that requests go: endpoints, keys, limits and rests are the same."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.changes import UNCHANGED
from gateway.charging import charge
from gateway.dispatch import Dispatcher, Terms
from gateway.errors import GatewayError
from gateway.implicit.answer import Gathered
from gateway.priority import rank
from gateway.signals.tokens import estimate_tokens
from providers.chat import parse_chat
from providers.errors import ProviderError
from providers.types import Timeouts
from routers.fixed import Fixed
from routers.types import Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from gateway.backend import Backend
    from gateway.changes import Changes
    from gateway.dispatch import Dispatched
    from gateway.endpoints.fleet import Fleet
    from gateway.metrics import Metrics
    from providers.types import ChatRequest


class NoAnswer(Exception):
    """A model that was asked for judging did not answer; the message says why."""


@dataclass(slots=True)
class Purse:
    """What a judgement has cost up to now."""

    usd: Decimal = field(default_factory=Decimal)


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks one model at a time, behind all requests of callers. `limits` name the member that limits an answer."""

    backends: Mapping[str, Backend]
    limits: Mapping[str, str]
    fleet: Fleet
    metrics: Metrics
    rng: Random
    timeout_s: float

    async def verdict(
        self,
        judge: str,
        messages: Sequence[Mapping[str, str]],
        max_tokens: int,
        forbidden: frozenset[str],
        purse: Purse,
    ) -> str:
        """Return what a judge says. Raises `NoAnswer`."""
        limit = self.limits[judge]
        body: dict[str, Any] = {"model": judge, "messages": messages, limit: max_tokens}
        if limit == "max_tokens":  # who takes the other one may refuse any temperature but its own
            body["temperature"] = 0
        return await self.text(judge, parse_chat(json.dumps(body).encode()), forbidden, purse)

    async def text(
        self, model: str, chat: ChatRequest, forbidden: frozenset[str], purse: Purse, changes: Changes = UNCHANGED
    ) -> str:
        """Return the text that a model answers; what it costs goes into the purse. Raises `NoAnswer`.

        Its call is no request: nothing is decided or logged, so that nobody judges it or learns from it.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._text(model, chat, forbidden, purse, changes)
        except (ProviderError, GatewayError, TimeoutError) as error:
            raise NoAnswer(f"{model} did not answer: {type(error).__name__} {error}") from error

    async def _text(
        self, model: str, chat: ChatRequest, forbidden: frozenset[str], purse: Purse, changes: Changes
    ) -> str:
        answer = await self._send(model, chat, forbidden, changes)
        pieces: list[bytes] = []
        try:
            await answer.reply.pour(pieces.extend)
        finally:
            await answer.reply.aclose()
            answer.end()
            self._pay(answer, chat, purse)
        gathered = Gathered()
        gathered.whole(b"".join(pieces))
        choices = gathered.choices()
        return choices[0].text if choices else ""

    async def _send(self, model: str, chat: ChatRequest, forbidden: frozenset[str], changes: Changes) -> Dispatched:
        candidate = self.backends[model].candidate
        terms = Terms(
            pool=(candidate,),
            fallback=(),
            forbidden=forbidden,
            timeouts=Timeouts(total_s=self.timeout_s),
            attempts=None,
            headers=changes.headers,
            changes=changes,
            repeats=0,
            priority=rank("low"),
        )
        dispatcher = Dispatcher(time.monotonic(), self.backends, self.fleet, self.metrics, self.rng)
        plan = Fixed(model).plan(Context("", 0), (candidate,), self.rng)
        return await dispatcher.run(plan, next(plan), terms, chat)

    def _pay(self, answer: Dispatched, chat: ChatRequest, purse: Purse) -> None:
        charged = charge(answer.reply, answer.backend.tariff, round(estimate_tokens(chat.text))).usd
        if charged is None:
            return
        model = answer.backend.candidate.model
        purse.usd += charged
        self.metrics.judging_cost_usd.labels(model).inc(float(charged))
        self.metrics.cost_usd.labels(model).inc(float(charged))
