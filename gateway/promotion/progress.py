"""One policy's promotion as this gateway has it: the rules, where the candidate stands, and what was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gateway.events import Decision, Outcome
from gateway.promotion.machine import advance
from gateway.promotion.tally import Tally
from gateway.promotion.trial import Trial, trial_of
from gateway.store.base import LoggedEvent
from routers.sequential.evidence import Row
from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from gateway.learning.rewards import RewardRules
    from gateway.promotion.types import Rules, Standing, Step

#: Requests under way that are remembered; the log tells of the others.
UNDER_WAY: Final = 20_000


class Progress:
    """Counts what is heard of requests under the promotion; `others` is what other replicas have counted."""

    def __init__(self, rules: Rules, rewards: RewardRules) -> None:
        self.rules = rules
        self.others = Sums()
        self.standing: Standing | None = None
        #: Whether it was counted what the log has of this run.
        self.restored = False
        self.tally = Tally(0, rewards)
        self._rewards = rewards
        self._under_way: dict[UUID, Decision] = {}

    @property
    def sums(self) -> Sums:
        """Return the evidence of all replicas."""
        return self.tally.sums + self.others

    def trial(self, unit: str) -> Trial | None:
        """Return the trial of a request of that unit; None where the live version serves alone."""
        if self.standing is None or self.standing.version != self.rules.version:
            return None
        return trial_of(self.rules, self.standing, unit)

    def stand(self, standing: Standing) -> None:
        """Take a standing; another run begins without evidence."""
        if standing.run != self.tally.run:
            self.tally, self.others, self.restored = Tally(standing.run, self._rewards), Sums(), False
        self.standing = standing

    def hear(self, event: Decision | Outcome) -> None:
        """Count a request as soon as it has ended; its feedback comes by the log."""
        if isinstance(event, Decision):
            self._under_way[event.id] = replace(event, features={}, estimates={}, embedding=None, text=None)
            if len(self._under_way) > UNDER_WAY:
                del self._under_way[next(iter(self._under_way))]
        elif (decision := self._under_way.pop(event.decision_id, None)) is not None:
            self.tally.count(LoggedEvent(decision, event, ()))

    def refused(self, note: Mapping[str, Any]) -> None:
        """Count a request that the version whose turn it was refuses: it is in no log, and counts as an error."""
        if note["run"] == self.tally.run and note["state"] in ("canary", "ramp"):
            promoted = note["side"] == "candidate"
            candidate, live, overlap = note["weights"]
            self.tally.add([Row("errors", note["cluster"], 1.0, candidate, live, overlap, promoted=promoted)])

    def step(self) -> Step | None:
        """Return the step that the evidence asks for."""
        return advance(self.standing, self.sums, self.rules) if self.standing is not None else None
