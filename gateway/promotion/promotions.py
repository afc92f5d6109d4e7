"""All promotions of a gateway: what decisions ask, and what tells of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.events import Decision, Outcome
from gateway.promotion.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.events import Event
    from gateway.learning.rewards import RewardRules
    from gateway.policy import Policy
    from gateway.promotion.trial import Trial
    from gateway.trace import Trace


class Promotions:
    """Outlives a configuration: a version that stays the same goes on where it was. Call on the event loop."""

    def __init__(self) -> None:
        self.progresses: dict[str, Progress] = {}

    def take(self, policies: Mapping[str, Policy], rewards: RewardRules) -> None:
        """Go by the promotions of these policies from now on; where a candidate stands is looked up afterwards."""
        found: dict[str, Progress] = {}
        for name, policy in policies.items():
            if policy.promotion is None:
                continue
            known = self.progresses.get(name)
            if known is not None and known.rules.version == policy.promotion.version:
                known.rules = policy.promotion
                found[name] = known
            else:
                found[name] = Progress(policy.promotion, rewards)
        self.progresses = found

    def trial(self, policy: Policy, unit: str) -> Trial | None:
        """Return the trial of a request under a policy; None where nothing else than the policy itself may serve."""
        progress = self.progresses.get(policy.name)
        return progress.trial(unit) if progress is not None and policy.promotion is not None else None

    def refused(self, policy: str, trace: Trace | None) -> None:
        """Count a request that the version whose turn it was refused; `trace` is that of the refusal."""
        progress, note = self.progresses.get(policy), trace.promotion if trace else None
        if progress is not None and note is not None:
            progress.refused(note)

    def hear(self, events: Iterable[Event]) -> None:
        """Count what is recorded of requests on trial."""
        for event in events:
            if isinstance(event, Decision):
                progress = self.progresses.get(event.policy)
                if progress is not None and "promotion" in event.trace:
                    progress.hear(event)
            elif isinstance(event, Outcome):
                for progress in self.progresses.values():
                    progress.hear(event)
