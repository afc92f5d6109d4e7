"""Answers requests from what was answered before, and keeps what is answered now.

It stands between the decision and the sending: what the decision says of policy, data class and models holds for an
answer that is given again, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.caching.directives import Directives, directives_of
from gateway.caching.entry import decoded
from gateway.caching.fitness import is_cacheable
from gateway.caching.hit import Hit, Miss, Origin
from gateway.caching.keeping import Keeping, Order
from gateway.caching.likeness import alike
from gateway.caching.question import question_of
from gateway.caching.shelf import ShelfAway
from gateway.caching.wording import wording_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.caching.question import Near
    from gateway.caching.shelf import Shelf
    from gateway.caching.types import CacheRules, Counts, Holder, Looked, Semantic, Sight, Way
    from gateway.deciding import Ask
    from gateway.deliberation import Routed


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a lookup goes by; `models` may answer the request."""

    order: Order
    directives: Directives
    models: frozenset[str]


class Caching:
    """The cache of one configuration, on a shelf that outlives it.

    `identities` tell what stands behind each model's name: an answer of what stood there before is not given again.
    `sight` of None: nothing is compared by its meaning.
    """

    def __init__(
        self, shelf: Shelf, identities: Mapping[str, str], sight: Sight | None, max_answer_bytes: int, counts: Counts
    ) -> None:
        self._shelf = shelf
        self._identities = identities
        self._sight = sight
        self._counts = counts
        self._keeping = Keeping(shelf, identities, max_answer_bytes, counts)

    async def lookup(
        self, ask: Ask, routed: Routed, rules: CacheRules | None, holder: Holder, at: datetime
    ) -> Hit | Miss:
        """Return an answer to give again, or what keeps the one to come. Rules of None: the policy wants no cache."""
        directives = directives_of(ask.request.headers)
        if rules is None:
            return Miss(directives.only)
        policy = routed.matched.steps[0].policy.name
        question = question_of(ask, routed, rules, holder, self._sight) if is_cacheable(routed.chat, rules) else None
        if question is None or not directives.write:
            self._counts.looked(policy, "bypassed")
            return Miss(directives.only)
        models = frozenset(candidate.model for candidate in routed.pool) - routed.forbidden
        order = Order(question, policy, rules, at.timestamp())
        return await self._look(_Wanted(order, directives, models)) or self._miss(order, directives)

    async def settle(self) -> None:
        """Wait until what was to be kept has been written."""
        await self._keeping.settle()

    async def _look(self, wanted: _Wanted) -> Hit | None:
        """Return the answer to give again, if there is one and the client would have it."""
        result: Looked = "bypassed"
        hit = None
        if wanted.directives.read:
            try:
                hit = await self._exact(wanted) or await self._semantic(wanted)
                result = hit.way if hit else "miss"
            except ShelfAway:
                result = "away"
        self._counts.looked(wanted.order.policy, result)
        return hit

    async def _exact(self, wanted: _Wanted) -> Hit | None:
        order = wanted.order
        return await self._found(order.question.key, "exact", wanted) if order.rules.exact else None

    async def _semantic(self, wanted: _Wanted) -> Hit | None:
        near, rules = wanted.order.question.near, wanted.order.rules.semantic
        if near is None or rules is None:
            return None
        for key in await self._alike(near, rules, wanted.order.now):
            if hit := await self._found(key, "semantic", wanted):
                return hit
        return None

    async def _alike(self, near: Near, rules: Semantic, now: float) -> list[bytes]:
        """Return the keys of questions that ask for the same, nearest first."""
        wording = wording_of(near.text)
        found = await self._shelf.neighbours(near.bucket, near.vector, rules.threshold, now)
        return [one.key for one in found if alike(wording, wording_of(one.text), rules.wording)]

    async def _found(self, key: bytes, way: Way, wanted: _Wanted) -> Hit | None:
        """Return the answer of a key, if it may be given to this request, and is not too old for it."""
        order, most_s = wanted.order, wanted.directives.max_age_s
        value = await self._shelf.get(key, order.now)
        entry = decoded(value, key) if value is not None else None
        if entry is None or entry.model not in wanted.models or entry.identity != self._identities.get(entry.model):
            return None
        age_s = max(0.0, order.now - entry.at)
        # Who takes no age at all wants a fresh answer, also where the clock of who answered is ahead.
        if age_s >= order.rules.ttl_s or (most_s is not None and (age_s > most_s or most_s == 0)):
            return None
        return Hit(entry, way, int(age_s))

    def _miss(self, order: Order, directives: Directives) -> Miss:
        def write(origin: Origin, whole: Callable[[], bytes | None]) -> None:
            self._keeping.begin(order, origin, whole)

        return Miss(directives.only, self._keeping.max_bytes, write)
