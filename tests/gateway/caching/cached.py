"""A gateway's cache without the gateway: requests are decided on, answered by hand, and looked up again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.caching.caching import Caching
from gateway.caching.hit import Hit, Origin
from gateway.caching.types import CacheRules, Holder, Semantic, Sight
from gateway.signals.static_encoder import StaticEncoder
from providers.adapters.openai import OpenAIAdapter
from providers.reply import WholeReply
from tests.gateway.worlds import NOON, ask, decider, policy, pool, world
from tests.poured import pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.caching.hit import Miss
    from gateway.caching.shelf import Shelf
    from gateway.deciding import Ask, Decider
    from gateway.deliberation import Routed
    from providers.types import Reply, Usage

ADAPTER = OpenAIAdapter()
ENCODER = StaticEncoder()
SEMANTIC = CacheRules(semantic=Semantic(0.85))
IDENTITIES = {"small": "small at home", "large": "large at home"}
DECIDER = decider(policy(pool=pool("small", "large")))


@dataclass
class Counted:
    """What was counted."""

    lookups: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def looked(self, policy: str, result: str) -> None:
        self.lookups[policy, result] += 1

    def wrote(self, policy: str, result: str) -> None:
        self.writes[policy, result] += 1


class Streaming:
    """A reply that streams events, and raises at last if it is told to."""

    status = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - as the protocol has it
    streams = True
    finish_reason = "stop"
    settled = True

    def __init__(self, events: Iterable[bytes], error: Exception | None = None, usage: Usage | None = None) -> None:
        self._left = iter(events)
        self._error = error
        self.usage = usage
        self.closed = False

    answer = None

    def produced(self) -> Any:
        raise NotImplementedError

    async def pour(self, sink):
        for event in self._left:
            if sink([event]):
                return True
        if self._error is not None:
            raise self._error
        return False

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Cached:
    """One cache, and the one who asks."""

    shelf: Shelf
    counted: Counted = field(default_factory=Counted)
    identities: dict[str, str] = field(default_factory=lambda: dict(IDENTITIES))
    max_answer_bytes: int = 100_000
    decider: Decider = DECIDER
    encoder_digest: str = ENCODER.digest

    def __post_init__(self) -> None:
        sight = Sight(self.encoder_digest, ENCODER.max_tokens)
        self.caching = Caching(self.shelf, self.identities, sight, self.max_answer_bytes, self.counted)

    async def routed(self, asked: Ask) -> Routed:
        """Return a decision with the embedding of its text, as if the policy had asked for it."""
        routed = await self.decider.decide(asked, world())
        vector = ENCODER.encode([routed.context.text])[0]
        return replace(routed, context=replace(routed.context, embedding=vector))

    async def look(
        self, asked: Ask, rules: CacheRules | None = SEMANTIC, holder: Holder | None = None, after_s: float = 0.0
    ) -> Hit | Miss:
        at = NOON + timedelta(seconds=after_s)
        return await self.caching.lookup(asked, await self.routed(asked), rules, holder or Holder("key", "team"), at)

    async def answer(self, asked: Ask, text: str = "Hi.", *, model: str = "small", **options: Any) -> None:
        """Answer a request that is not in the cache, and wait until its answer is kept, if it is."""
        miss = await self.look(asked, **options)
        assert not isinstance(miss, Hit)
        await self.relay(miss.keep(reply_of(text, asked), Origin(model, "decision-1")))

    async def relay(self, reply: Reply) -> bytes:
        """Relay a reply to its end, and wait until it is kept."""
        body = b"".join(await pieces_of(reply))
        await self.caching.settle()
        return body


def completion(text: str = "Hi.", reason: str = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": reason}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "up", "choices": [choice], "usage": usage}


def reply_of(text: str, asked: Ask) -> Reply:
    """Return an endpoint's reply: whole, or as events where they were asked for."""
    decoded = ADAPTER.decode(json.dumps(completion(text)).encode())
    return WholeReply({}, decoded, ADAPTER.as_events(decoded, asked.chat) if asked.chat.stream else ())


async def said(hit: Hit | Miss, asked: Ask) -> str:
    """Return what an answer from the cache says."""
    assert isinstance(hit, Hit)
    (body,) = await pieces_of(hit.reply(asked.chat))
    return str(json.loads(body)["choices"][0]["message"]["content"])


def question(text: str = "How do I reset my password?", **options: Any) -> Ask:
    return ask(text=text, **options)
