"""A logged request, what came of it, and what policies make of it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.learning.rewards import reward_of
from gateway.redeciding.logged_request import DENIED, LoggedRequest
from gateway.redeciding.redecide import redecide
from gateway.redeciding.redecided import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.events import Decision, Feedback, Outcome
    from gateway.learning.rewards import RewardRules
    from gateway.policy import Stickiness
    from gateway.redeciding.redecided import Redecided, Side
    from gateway.store.base import LoggedEvent
    from routers.types import FloatArray

#: What an outcome ends with that says nothing of the model.
NOT_ITS_FAULT: Final = frozenset({"client_left", "gateway_stopped"})
#: The source of what a model of the pool has judged; its name follows after a colon.
JUDGE: Final = "judge"
#: Why a router was not asked: another model may not answer within a loop of tools, or a session.
HELD: Final = frozenset({"tool_loop", "session"})


@dataclass(frozen=True, slots=True)
class Made:
    """What a policy makes of a request; `holds` tells whether it too keeps a session's model where the log's did."""

    decided: Redecided
    holds: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a log, as far as a replay goes by it.

    `chosen` was drawn, `served` answered. `values` are what came of it, by quantity, NaN where unknown; `trust` in
    (0, 1] is how far its quality is one, and `sampled` the probability with which a judge was asked, NaN unless judges
    alone have rated it. `kept` tells that the model was that of its session, `held` that no router was asked. `made` is
    what each policy makes of it. `planned` tells that a plan of several calls was begun: `values` are what came of all
    of them together.
    """

    at: datetime
    chosen: str
    served: str | None
    propensities: Mapping[str, float]
    rule: str | None
    caller: str
    session: str | None
    held: bool
    kept: bool
    embedding: FloatArray | None
    tokens: float
    values: Mapping[str, float]
    trust: float
    sampled: float
    made: tuple[Made, ...]
    planned: bool = False


def requests_of(logged: Iterable[LoggedEvent], sides: Sequence[Side], rules: RewardRules) -> Iterator[Request]:
    """Yield the requests of a log, decided again by each side. Nothing is sent."""
    for event in logged:
        decision = event.decision
        reward = reward_of(event, rules)
        quality = math.nan if reward is None else reward.value
        session = decision.features.get("session")
        kept = decision.trace.get("kept")
        yield Request(
            at=decision.at,
            chosen=decision.chosen,
            served=event.outcome.served_by if event.outcome else None,
            propensities=decision.propensities,
            rule=decision.rule,
            caller=decision.caller,
            session=session if isinstance(session, str) else None,
            held=kept in HELD and decision.why == kept,
            kept=kept in HELD,
            embedding=None if decision.embedding is None else np.frombuffer(decision.embedding, "<f4"),
            tokens=_tokens(decision),
            values={"quality": quality, **_values(event.outcome)},
            trust=1.0 if reward is None else reward.weight,
            sampled=_sampled(event.feedback),
            made=tuple(Made(_decided_again(decision, side), _holds(decision, side)) for side in sides),
            planned=decision.planned,
        )


def _decided_again(decision: Decision, side: Side) -> Redecided:
    """Return what a side makes of a request in the world as it was: who rested, or had no quota left, does again."""
    then = _as_it_was(decision)
    found = redecide(LoggedRequest(then), side)
    # Where all rest, requests wait for one that does.
    return redecide(LoggedRequest(decision), side) if isinstance(found, Rejected) and then is not decision else found


def _holds(decision: Decision, side: Side) -> bool:
    """Tell whether a side keeps models as tightly as the log's policy did when it decided."""
    policy = side.policies.policies.get(side.policy or decision.policy)
    stickiness: Stickiness | None = policy.stickiness if policy else None
    if stickiness is None:
        return False
    return stickiness.tool_loop if decision.why == "tool_loop" else stickiness.session


def _as_it_was(decision: Decision) -> Decision:
    """Return a decision whose trace denies the models that were out of reach then."""
    removed = {str(model): str(why) for model, why in (decision.trace.get("removed") or {}).items()}
    away = {model: f"{DENIED} {why}" for model, why in removed.items() if why.startswith("quota:")}
    resting = (str(model) for model in decision.trace.get("resting") or ())
    away |= {model: f"{DENIED} it rested" for model in resting if model not in decision.propensities}
    return replace(decision, trace={**decision.trace, "removed": {**removed, **away}}) if away else decision


def _sampled(feedback: Sequence[Feedback]) -> float:
    """Return the probability with which judges were asked; NaN where nobody was, or somebody else has rated too."""
    if not feedback or not all(one.source.partition(":")[0] == JUDGE and one.comment for one in feedback):
        return math.nan
    found = [_logged_chance(one.comment or "") for one in feedback]
    return found[0] if len(set(found)) == 1 else math.nan


def _logged_chance(comment: str) -> float:
    """Return what a judge's comment says of the lot that was drawn; NaN where it is another's comment."""
    try:
        chance = json.loads(comment)["sampled"]
    except (ValueError, KeyError, TypeError):
        return math.nan
    return float(chance) if isinstance(chance, int | float) and 0 < chance <= 1 else math.nan


def _tokens(decision: Decision) -> float:
    found = decision.features.get("prompt_tokens")
    return float(found) if isinstance(found, int | float) else 0.0


def _values(outcome: Outcome | None) -> dict[str, float]:
    """Return cost in USD, latency in seconds, and whether it failed; NaN where that is not known."""
    if outcome is None:
        return {"cost": math.nan, "latency": math.nan, "errors": math.nan}
    known = outcome.error not in NOT_ITS_FAULT
    return {
        "cost": math.nan if outcome.cost_usd is None else float(outcome.cost_usd),
        "latency": outcome.latency_s if outcome.error is None else math.nan,
        "errors": float(outcome.error is not None) if known else math.nan,
    }
