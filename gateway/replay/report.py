"""What a replay has found: all that is told, and all that is not."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.redeciding.redecided import Rejected
from gateway.replay.answer import Answer, answer, refuse
from gateway.replay.columns import OF_REFUSED, columns_of, missing_of
from gateway.replay.traffic import flows_of, models_of, moved_of, weights_of
from routers.evaluation.off_policy.exploration import explorations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.replay.columns import Columns, Policy
    from gateway.replay.request import Request
    from gateway.replay.settings import Settings
    from gateway.replay.traffic import Flow, Model, Weights
    from routers.evaluation.off_policy.exploration import Exploration

#: Rules of the policy that have a line of their own, those with most requests.
MOST_SEGMENTS: Final = 20


@dataclass(frozen=True, slots=True)
class Segment:
    """The requests that one rule of the policy decides, None: none does."""

    rule: str | None
    requests: int
    quality: Answer
    cost: Answer


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests there are, and what became of them.

    Of `requests`, `told` are estimated from; `untold` counts what the log lacks of the others, by name. `deterministic`
    are those that could have gone nowhere else. `kept` had the model of their session, of which `inherited` go by the
    decision that the session began with. `refused` are refused by the policy. `rated` have a quality.
    """

    requests: int
    told: int
    untold: Mapping[str, int]
    deterministic: int
    kept: int
    inherited: int
    refused: int
    rated: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay has found. Without a row of which all policies can be told, there are only counts.

    `moved` is the share of the traffic that goes elsewhere than the log mostly went. `explorations` say how many rated
    requests would be needed. `a_day` is how many there are in a day. `judged` is the share of each model's answers that
    were judged of those drawn to be; empty where all were, or where judges are not the only ones who rated.
    """

    span: tuple[datetime, datetime]
    counts: Counts
    answers: Mapping[str, Answer]
    models: tuple[Model, ...]
    flows: tuple[Flow, ...]
    weights: tuple[Weights, ...]
    segments: tuple[Segment, ...]
    moved: float
    explorations: tuple[Exploration, ...]
    a_day: float
    judged: Mapping[str, float]


def report_of(requests: Sequence[Request], settings: Settings, *, baseline: bool) -> Report:
    """Return what comes of the first policy that the requests were decided by, compared with the second, or what ran.

    There must be a request.
    """
    missing = missing_of(requests)
    told = [request for request, lacking in zip(requests, missing, strict=True) if not lacking]
    span = requests[0].at, requests[-1].at
    if not told:
        return Report(span, _counts(requests, missing, None), {}, (), (), (), (), 0.0, (), _a_day(requests), {})
    columns = columns_of(requests, missing, settings.clusters)
    policies = columns.policies[0], columns.policies[1] if baseline else columns.ran
    counts = _counts(requests, missing, columns)
    answers = {name: _answer(columns, name, policies, settings, counts) for name in OF_REFUSED}
    return Report(
        span=span,
        counts=counts,
        answers=answers,
        models=models_of(columns, *policies),
        flows=flows_of(columns, *policies),
        weights=weights_of(columns, policies[0]),
        segments=_segments(told, columns, policies, settings),
        moved=(moved := moved_of(columns, policies[0])),
        explorations=explorations(moved, _deviation(columns), settings.half_width),
        a_day=_a_day(requests),
        judged=_judged(columns),
    )


def _answer(columns: Columns, name: str, policies: tuple[Policy, Policy], settings: Settings, counts: Counts) -> Answer:
    found = answer(columns, name, policies, settings)
    lost = 1 - counts.told / counts.requests
    if lost > settings.most_untold:
        lacking = ", ".join(counts.untold)
        found = refuse(found, f"{lost:.0%} of the requests depend on what the log lacks: {lacking}")
    if found.overlap.unsupported > settings.demands.most_unsupported:
        found = refuse(found, *_never(columns, policies[0], counts))
    return found


def _never(columns: Columns, policy: Policy, counts: Counts) -> Iterator[str]:
    """Yield why the log has no probability where the policy goes: models, or the way in which it decided."""
    gone = np.where(columns.log.probabilities > 0, 0.0, policy.target).mean(axis=0)
    tried = np.asarray((columns.log.probabilities > 0).any(axis=0))
    strangers = [columns.models[number] for number in np.flatnonzero((gone > 0) & ~tried)]
    if strangers:
        yield f"the log never tried {', '.join(strangers)}"
    if counts.deterministic > counts.requests / 2:
        share = counts.deterministic / counts.requests
        yield f"{share:.0%} of the requests could have gone nowhere else: without a floor under it, a log tells nothing"


def _counts(requests: Sequence[Request], missing: Sequence[frozenset[str]], columns: Columns | None) -> Counts:
    untold = Counter(name for lacking in missing for name in lacking)
    inherited = 0 if columns is None else sum(requests[n].held for n in columns.kept)
    return Counts(
        requests=len(requests),
        told=sum(not lacking for lacking in missing),
        untold=dict(untold.most_common()),
        deterministic=sum(max(request.propensities.values()) >= 1 and not request.held for request in requests),
        kept=sum(request.kept for request in requests),
        inherited=inherited,
        refused=sum(isinstance(request.made[0].decided, Rejected) for request in requests),
        rated=sum(math.isfinite(request.values["quality"]) for request in requests),
    )


def _segments(
    told: Sequence[Request], columns: Columns, policies: tuple[Policy, Policy], settings: Settings
) -> tuple[Segment, ...]:
    rules = [getattr(request.made[0].decided, "rule", None) for request in told]
    found = []
    for rule, count in Counter(rules).most_common(MOST_SEGMENTS):
        rows = np.array([number for number, name in enumerate(rules) if name == rule], np.intp)
        quality, cost = (answer(columns, name, policies, settings, rows) for name in ("quality", "cost"))
        found.append(Segment(rule, count, quality, cost))
    return tuple(found)


def _judged(columns: Columns) -> dict[str, float]:
    if columns.lots is None or columns.lots.shares is None:
        return {}
    answered = set(columns.log.actions.tolist())
    shares = zip(columns.models, columns.lots.shares.tolist(), strict=True)
    return {model: share for number, (model, share) in enumerate(shares) if number in answered}


def _deviation(columns: Columns) -> float:
    """Return the standard deviation of the quality; where nothing is rated, the largest that it can have."""
    known = columns.quantities["quality"].values
    known = known[np.isfinite(known)]
    return float(known.std()) if len(known) > 1 else 0.5


def _a_day(requests: Sequence[Request]) -> float:
    days = (requests[-1].at - requests[0].at).total_seconds() / 86400
    return len(requests) / days if days > 0 else float(len(requests))
