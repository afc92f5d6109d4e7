"""One promise that is watched: what was observed at the setting in force, and a stricter one where it is too much."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from gateway.promises.observed import observed
from routers.conformal.monitor import Monitor

if TYPE_CHECKING:
    from uuid import UUID

    from gateway.store.base import LoggedEvent
    from routers.conformal.pledge import Pledge
    from routers.conformal.promising import Promising

logger = logging.getLogger("pointsman")

#: Requests that are remembered, so that none is counted twice.
REMEMBERED: Final = 100_000


class Watch:
    """Counts what becomes of requests under a promise, and makes it stricter where its bound reaches alpha.

    `least` is the smallest chance that an answer has to be judged. After an alarm the next more timid setting is in
    force, with no evidence of its own yet; `alarm` stays until the promise is proved anew, for what was assumed does
    not hold. At a setting at which the promise is kept there is an alarm, ever, with a chance of eta at most.
    """

    def __init__(self, policy: str, pledge: Pledge, promising: Promising, least: float) -> None:
        self.policy, self.origin, self.least = policy, pledge, least
        self.pledge = pledge
        self.alarm = False
        self._promising = promising
        self._seen: OrderedDict[UUID, None] = OrderedDict()
        self.monitor = self._fresh()

    def take(self, promising: Promising) -> None:
        """Put the setting that was come to in force for a router that has the same pledge."""
        self._promising = promising
        promising.pledge = self.pledge

    def hear(self, event: LoggedEvent) -> None:
        """Count a request, once, if it was decided under the promise as it stands now."""
        decision = event.decision
        known = decision.id in self._seen or self.pledge.setting is None
        if known or decision.policy != self.policy or not decision.why.startswith(self._promising.stated):
            return
        found = observed(event, self._promising.reference)
        if found is None or found.chance < self.least:
            return
        self._remember(decision.id)
        self.monitor = self.monitor.observing([found.loss], [found.chance])
        if self.monitor.alarm:
            self._drifted()

    def _drifted(self) -> None:
        before, bound = self.pledge, self.monitor.bound
        self.pledge = before.stricter()
        self.alarm = True
        self.take(self._promising)
        known = {"policy": self.policy, "alpha": self._promising.alpha, "bound": bound, "observed": self.monitor.n}
        settings = {"before": before.setting, "after": self.pledge.setting}
        assumed = "requests are no longer exchangeable with the rows that the promise was proved on: prove it anew"
        logger.warning("promise.drifted", extra={**known, **settings, "reason": assumed})
        self.monitor = self._fresh()

    def _fresh(self) -> Monitor:
        return Monitor(self._promising.alpha, self._promising.eta, self.least)

    def _remember(self, decision: UUID) -> None:
        self._seen[decision] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
