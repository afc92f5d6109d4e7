"""The requests of a log as columns, and each policy as samples of them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.redeciding.redecided import Choice, Rejected, Untold
from gateway.replay.lots import lots_of
from gateway.replay.origins import origins_of
from routers.evaluation.off_policy.logged import Logged, quantity, sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.replay.lots import Lots
    from gateway.replay.request import Made, Request
    from gateway.replay.settings import Clusters
    from routers.evaluation.off_policy.logged import Quantity
    from routers.evaluation.off_policy.sample import Column, Indices, Matrix, Sample
    from routers.types import FloatArray

#: What a request that a policy refuses comes to: it earns nothing, costs nothing, and has failed.
OF_REFUSED: Final[Mapping[str, float]] = {"quality": 0.0, "cost": 0.0, "latency": 0.0, "errors": 1.0}
#: What a request depends on that kept the model of a session which began before the log does.
BEGINNING: Final = "the beginning of its session"
#: What a request depends on that a plan of several calls answered, or would answer now: the log has one outcome of all.
ALONE: Final = "what each call of a plan would have come to by itself"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a policy would choose, `target` `[n, m]`; what it refuses is in no column, but in `refused` `[n]`."""

    target: Matrix
    refused: Column


@dataclass(frozen=True, slots=True)
class Columns:
    """What can be told of a log: `n` requests by `m` models, and every policy.

    `kept` numbers the requests of the log that are rows here. The distributions in `log` are those that a row goes by:
    of one that kept the model of its session, those of the decision that it owes that to. `ran` is the policy that did.
    `lots` are those by which judges were asked, None unless they alone have rated.
    """

    models: tuple[str, ...]
    kept: Indices
    log: Logged
    quantities: Mapping[str, Quantity]
    ran: Policy
    policies: tuple[Policy, ...]
    lots: Lots | None

    def sample(self, name: str, policy: Policy) -> Sample:
        """Return what the log says of a policy and one quantity."""
        known = sample(self.log, self.quantities[name], policy.target)
        return _with_refusals(known, policy.refused, OF_REFUSED[name]) if policy.refused.any() else known


def missing_of(requests: Sequence[Request]) -> list[frozenset[str]]:
    """Return of each request what the log lacks for some policy to be told; an empty set where all can be."""
    origins = origins_of(requests)
    return [_missing(requests, origins, number) for number in range(len(requests))]


def columns_of(requests: Sequence[Request], missing: Sequence[frozenset[str]], clusters: Clusters) -> Columns:
    """Return what can be told of the requests: those of which nothing is missing. There must be some."""
    kept = np.array([number for number, lacking in enumerate(missing) if not lacking], np.intp)
    origins = origins_of(requests)
    rows = [requests[number] for number in kept]
    sources = [_source(requests, origins, int(number)) for number in kept]
    models = _models(requests)
    place = {model: number for number, model in enumerate(models)}
    log = _log(rows, sources, place, clusters)
    lots = _lots(log, rows)
    quantities = {name: _quantity(log, rows, name, lots) for name in OF_REFUSED}
    actions = np.array([place[source.chosen] for source in sources], np.intp)
    ran = Policy(np.nan_to_num(log.probabilities), np.zeros(len(rows)))
    sides = range(len(rows[0].made))
    policies = tuple(
        _policy([_made(row, src, side) for row, src in zip(rows, sources, strict=True)], place) for side in sides
    )
    return Columns(models, kept, replace(log, actions=actions), quantities, ran, policies, lots)


def _missing(requests: Sequence[Request], origins: Sequence[int | None], number: int) -> frozenset[str]:
    request, source = requests[number], _source(requests, origins, number)
    if origins[number] is None and all(made.holds for made in request.made):
        return frozenset({BEGINNING})
    decided = [made.decided for one in (request, source) for made in one.made]
    lacking = frozenset[str]().union(*(one.missing for one in decided if isinstance(one, Untold)))
    planned = request.planned or source.planned or any(isinstance(one, Choice) and one.planned for one in decided)
    return lacking | {ALONE} if planned else lacking


def _source(requests: Sequence[Request], origins: Sequence[int | None], number: int) -> Request:
    """Return the request whose decision one goes by: its own, unless every policy keeps the model of its session."""
    origin = origins[number]
    holds = all(made.holds for made in requests[number].made)
    return requests[origin] if origin is not None and holds else requests[number]


def _made(row: Request, source: Request, side: int) -> Made:
    """Return what decides a request: the session's decision, unless it is refused itself."""
    own = row.made[side]
    return own if isinstance(own.decided, Rejected) else source.made[side]


def _models(requests: Sequence[Request]) -> tuple[str, ...]:
    """Return every model that was, or would be, among the candidates, in order of name."""
    logged = {model for request in requests for model in (request.chosen, *request.propensities)}
    wanted = (made.decided for request in requests for made in request.made)
    return tuple(sorted(logged.union(*(one.propensities for one in wanted if isinstance(one, Choice)))))


def _log(rows: Sequence[Request], sources: Sequence[Request], place: Mapping[str, int], clusters: Clusters) -> Logged:
    probabilities = np.zeros((len(rows), len(place)))
    for number, source in enumerate(sources):
        for model, chance in source.propensities.items():
            probabilities[number, place[model]] = chance
    end = max(row.at for row in rows)
    return Logged(
        probabilities=probabilities,
        actions=np.array([place[row.chosen] for row in rows], np.intp),
        embeddings=_embeddings(rows),
        tokens=np.array([row.tokens for row in rows]),
        ages=np.array([(end - row.at).total_seconds() for row in rows]),
        clusters=_clusters(rows, clusters),
    )


def _embeddings(rows: Sequence[Request]) -> FloatArray:
    """Return the embeddings `[n, d]`; zeros where there is none, or one of another encoder than most are of."""
    lengths = Counter(len(row.embedding) for row in rows if row.embedding is not None)
    width = max(lengths, key=lambda length: lengths[length], default=0)
    found = np.zeros((len(rows), width), np.float32)
    for number, row in enumerate(rows):
        if row.embedding is not None and len(row.embedding) == width:
            found[number] = row.embedding
    return np.nan_to_num(found)


def _clusters(rows: Sequence[Request], clusters: Clusters) -> Indices:
    """Return who depends on whom, by number; a request without a session, or a caller, is on its own."""
    keys: list[object] = list(range(len(rows)))
    for number, row in enumerate(rows):
        if clusters == "session" and row.session:
            keys[number] = (row.caller, row.session)
        elif clusters == "caller" and row.caller:
            keys[number] = row.caller
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.intp)


def _lots(log: Logged, rows: Sequence[Request]) -> Lots | None:
    """Return how likely answers were to be judged; None where others rate too, and that is not all of the chance."""
    rated = np.array([math.isfinite(row.values["quality"]) for row in rows])
    sampled = np.where(rated, [row.sampled for row in rows], np.nan)
    if not np.isfinite(sampled[rated]).all():
        return None
    return lots_of(sampled, log.actions, log.probabilities.shape[1])


def _quantity(log: Logged, rows: Sequence[Request], name: str, lots: Lots | None) -> Quantity:
    values = np.array([row.values[name] for row in rows])
    if name != "quality":
        return quantity(log, values)
    return quantity(log, values, np.array([row.trust for row in rows]), lots.chances if lots else None)


def _policy(made: Sequence[Made], place: Mapping[str, int]) -> Policy:
    target, refused = np.zeros((len(made), len(place))), np.zeros(len(made))
    for number, one in enumerate(made):
        if isinstance(one.decided, Choice):
            for model, chance in one.decided.propensities.items():
                target[number, place[model]] = chance
        else:
            refused[number] = 1.0
    return Policy(target, refused)


def _with_refusals(known: Sample, refused: Column, value: float) -> Sample:
    """Return a sample with one more choice, to refuse, of which all is known: what it comes to, and when it is made."""
    is_refused = refused > 0
    other = np.where(is_refused, 1.0, 0.0)
    logged = np.where(is_refused[:, None], 0.0, known.logged)
    return replace(
        known,
        target=np.column_stack([known.target, other]),
        logged=np.column_stack([logged, other]),
        actions=np.where(is_refused, known.target.shape[1], known.actions),
        values=np.where(is_refused, value, known.values),
        seen=np.where(is_refused, 1.0, known.seen),
        expected=np.column_stack([known.expected, np.full(known.n, value)]),
    )
