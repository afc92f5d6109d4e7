"""Puts probes to the models of a configuration."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.plans.heard import read
from gateway.plans.request import request_for
from gateway.profiling.journal import Asked
from providers.chat import edited, parse_chat
from providers.errors import ProviderError
from providers.types import Timeouts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backend import Backend
    from gateway.profiling.gating import Gating
    from gateway.profiling.probes import Probe
    from providers.types import ChatRequest
    from providers.vendors import Vendor
    from routers.types import Answer, Call

#: Seconds before each further try, where the model does not say itself; after the last one it is given up.
PAUSES_S = (1.0, 4.0, 16.0, None)
#: Whatever a model asks for.
LONGEST_PAUSE_S = 60.0
#: What a model that thinks before it answers may think, in tokens, beside the answer's own.
THINKING_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, for the journal and for a gate."""

    asked: Asked
    answer: Answer


class Asker:
    """Asks a model a probe, a few times if it fails in a way that may pass. `vendors` is by model.

    A gate, if there is one, looks at every answer.
    """

    def __init__(
        self, backends: Mapping[str, Backend], vendors: Mapping[str, Vendor], gating: Gating | None = None
    ) -> None:
        self._backends = backends
        self._vendors = vendors
        self._gating = gating

    async def __call__(self, model: str, probe: Probe) -> Asked:
        """Return the answer, or the last error."""
        failed: ProviderError | None = None
        for pause_s in PAUSES_S:
            try:
                return await self._ask(model, probe)
            except ProviderError as error:
                failed = error
                if not error.retryable or pause_s is None:
                    break
                asked_s = pause_s if error.retry_after_s is None else error.retry_after_s
                await asyncio.sleep(min(asked_s, LONGEST_PAUSE_S))
        return Asked(
            text=None, error=str(failed), prompt_tokens=None, completion_tokens=None, cost_usd=None, latency_s=0.0
        )

    async def _ask(self, model: str, probe: Probe) -> Asked:
        chat = parse_chat(json.dumps(request_body(probe, self._vendors[model])).encode())
        if self._gating is None:
            return (await self._send(model, chat)).asked
        heard = await self._send(model, edited(chat, dict(self._gating.gate.asks)))
        verdict = await self._gating.verdict(probe.prompt, chat, heard.answer, self._called)
        return replace(heard.asked, verdict=verdict.chance, verdict_usd=verdict.cost_usd)

    async def _called(self, chat: ChatRequest, call: Call, model: str) -> Answer:
        return (await self._send(model, request_for(chat, call, self._backends[model].limit))).answer

    async def _send(self, model: str, chat: ChatRequest) -> Heard:
        started = time.monotonic()
        backend = self._backends[model]
        endpoint = backend.endpoints[0]
        reply = await endpoint.provider.send(chat, endpoint.target, Timeouts(), {}, endpoint.keys[0])
        pieces: list[bytes] = []
        await reply.pour(pieces.extend)
        seconds = time.monotonic() - started
        usage = reply.usage
        cost = backend.tariff.cost_usd(usage) if backend.tariff and usage else None
        asked = Asked(
            text=_text(pieces),
            error=None,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            cost_usd=float(cost) if cost is not None else None,
            latency_s=seconds,
            cached_tokens=usage.cached_tokens if usage else None,
        )
        return Heard(asked, read(backend.candidate, reply, pieces, asked.cost_usd, seconds))


def request_body(probe: Probe, vendor: Vendor) -> dict[str, Any]:
    """Return the request for a probe: greedy decoding where it can be had, so that a repeat gives the same answer."""
    system = [{"role": "system", "content": probe.system}] if probe.system else []
    body: dict[str, Any] = {"model": "", "messages": [*system, {"role": "user", "content": probe.prompt}]}
    if vendor.limit_field == "max_tokens":
        return {**body, "max_tokens": probe.max_tokens, "temperature": 0}
    return {**body, vendor.limit_field: probe.max_tokens + THINKING_TOKENS}


def _text(pieces: Sequence[bytes]) -> str:
    """Return what a whole answer says; an answer without text says nothing."""
    body = json.loads(b"".join(pieces))
    choice = body["choices"][0] if body["choices"] else {}
    content = (choice.get("message") or {}).get("content")
    return content if isinstance(content, str) else ""
