"""What is logged: append-only events, joined by the decision's id.

A request that was routed leaves one `Decision` and one `Outcome`; feedback may follow, or even come first. Nobody
changes an event once it is recorded. What every request makes is not frozen all the same: to make a frozen one takes
three times as long, as each of its fields is set by a call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    from routers.types import Feature

#: What feedback says: a number, good or bad, which of two is better, what follows shows, a name for the answer.
FeedbackKind = Literal["score", "binary", "preference", "implicit", "label"]

#: How a cost is known: the endpoint said it, its counts times our prices, or estimated counts times our prices.
CostSource = Literal["reported", "priced", "estimated"]

#: How a plan ended: its last answer was relayed as it came, or it settled on one that had been heard out; it might not
#: go further within its bounds; it came to no answer, so that whatever was at hand was returned.
PlanEnd = Literal["relayed", "settled", "bounds", "no_answer"]

#: What the trace of a decision calls the plan of several calls that it began.
PLAN: Final = "plan"


@dataclass(slots=True)
class LoggedEstimate:
    """What was expected of one candidate when the decision was made. A cost of None was unknown."""

    reward: float
    reward_std: float
    cost_usd: float | None


@dataclass(slots=True)
class Decision:
    """Which candidate was chosen, from which distribution, knowing what.

    `policy` is what the client asked for (a policy, or a model by its own name), `policy_digest` the sha256
    of the policy and of the learned state in force. `propensities` covers every candidate and sums to one.
    `features` are the signals; `text` and `embedding` (float32, little-endian) are present only if the
    configuration stores them. `rule` names the rules that matched, `tag` is what they mark the request with,
    `trace` is what else the decision was made from, as plain JSON. `caller` tells whose request it was from every other
    caller's, empty where nobody is asked.
    """

    id: UUID
    at: datetime
    request_id: str
    policy: str
    policy_digest: str
    requested_model: str
    stream: bool
    chosen: str
    why: str
    propensities: Mapping[str, float]
    estimates: Mapping[str, LoggedEstimate]
    features: Mapping[str, Feature]
    embedding: bytes | None
    text: str | None
    rule: str | None = None
    tag: str | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)
    caller: str = ""

    @property
    def planned(self) -> bool:
        """Tell whether it was to begin a plan of several calls: whose answer is returned depends on what answers say.

        What comes of such a decision is the plan's, and no single model's.
        """
        return PLAN in self.trace


@dataclass(slots=True)
class Attempt:
    """One call to one candidate. `error` is None when it answered to the end, else a short code.

    `status` is upstream's, `endpoint` is where it was asked. `then` says what followed from a failure: another `key`,
    `endpoint` or `candidate`, one with a `larger` window, the `same` at once, `again` later, or `escalated`: the client
    was told.
    """

    model: str
    started: datetime
    latency_s: float
    status: int | None
    error: str | None
    endpoint: str = ""
    then: str | None = None


@dataclass(slots=True)
class MadeCall:
    """A call of a plan of several; each is charged for, whether the client gets its answer or not.

    `why` is the plan's word for it (`cascade step=0`, `judge large`), `error` None where it was answered. A cost or a
    token count of None is unknown.
    """

    model: str
    why: str
    error: str | None
    cost_usd: Decimal | None
    cost_source: CostSource | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float


@dataclass(slots=True)
class Outcome:
    """What came of a decision.

    `status` is what the client got; 499 means that it left first. `error` is None only for a complete
    answer. A cost or a token count of None is unknown. Token counts are the endpoint's, never estimates;
    `cost_source` says how the cost is known. `ttft_s` and `latency_s` are seconds from the request's arrival.

    Where several calls were made, the cost is that of all; the tokens are those of `answer`, the call whose answer was
    returned, and `calls` are the others, in the order in which they ended. `plan_end` says how their plan did.
    """

    decision_id: UUID
    at: datetime
    served_by: str | None
    status: int
    error: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost_usd: Decimal | None
    ttft_s: float | None
    latency_s: float
    attempts: tuple[Attempt, ...]
    cost_source: CostSource | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_prompt_tokens: int | None = None
    audio_completion_tokens: int | None = None
    calls: tuple[MadeCall, ...] = ()
    answer: MadeCall | None = None
    plan_end: PlanEnd | None = None

    @property
    def own(self) -> MadeCall | None:
        """Return the call whose answer was returned, whether it was the only one or not; None where nobody answered."""
        if self.answer is not None or self.served_by is None:
            return self.answer
        return MadeCall(
            model=self.served_by,
            why="",
            error=self.error,
            cost_usd=self.cost_usd,
            cost_source=self.cost_source,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            latency_s=self.latency_s,
        )


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer, or what his doings tell of it.

    `value` is in [0, 1]: a score, 1 or 0 for good or bad, for a preference 1 if `model` was preferred to `other` (else
    0); a label has the value that the configuration gives it, None where it gives none. `id` makes it idempotent: the
    same id is stored once. `name` is the label, or what the implicit feedback was seen in (`retry`, `truncated`).
    `source` is what kind of judge said so (`user`, `grader`, `judge`, `implicit`), `caller` whose key it came with:
    empty where nobody is asked.
    """

    id: str
    decision_id: UUID
    at: datetime
    kind: FeedbackKind
    value: float | None
    model: str | None
    other: str | None
    source: str
    comment: str | None
    name: str | None = None
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Feedback that was deleted: nothing is left of it but its id, so that what was learned from it is unlearned."""

    feedback_id: str
    decision_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A version of a policy went from one state to another, and the numbers that justified it, as plain JSON.

    `policy` is what clients name, `version` the policy that is promoted in its place. `share` is that of the traffic
    which it serves from now on. `by` is who moved it: `test`, or the name of an operator.
    """

    id: UUID
    at: datetime
    policy: str
    version: str
    before: str
    after: str
    share: float
    by: str
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Event = Decision | Outcome | Feedback | Erasure | Move
