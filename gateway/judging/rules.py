"""Who judges which answers, how, and for how much."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the default of a field is made of it
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

#: A grade of one answer, or which of two is better.
Mode = Literal["score", "pairwise"]
#: Whether every answer is as likely to be judged, or those of models of which less is known.
Weighing = Literal["even", "uncertainty"]


@dataclass(frozen=True, slots=True)
class JudgingRules:
    """Who judges which answers, how, and for how much.

    `judges` are asked in this order, but for what bars one; `share` of the answers is judged, under a policy in
    `shares` that one's own. Not more than `max_usd` is spent in a day (UTC). `at_once` judgements are made side by
    side, and `queue` may wait. `families` says which family a model is of, where its name does not tell. A request and
    its answer of more than `max_characters` are not judged. `criteria` is added to what the judge is told, and a judge
    may write `max_tokens`.
    """

    judges: tuple[str, ...]
    share: float = 0.01
    shares: Mapping[str, float] = field(default_factory=dict)
    max_usd: Decimal = Decimal(1)
    mode: Mode = "score"
    weighing: Weighing = "even"
    at_once: int = 2
    queue: int = 100
    timeout_s: float = 60.0
    families: Mapping[str, str] = field(default_factory=dict)
    max_characters: int = 24_000
    criteria: str = ""
    max_tokens: int = 1024

    def share_of(self, policy: str) -> float:
        """Return which share of a policy's answers is judged."""
        return self.shares.get(policy, self.share)
