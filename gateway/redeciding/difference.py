"""Compares what two configurations make of logged requests: who moves, from where to where, and what comes of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from gateway.redeciding.logged_request import LoggedRequest
from gateway.redeciding.redecide import redecide
from gateway.redeciding.redecided import Choice, Rejected, Untold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.redeciding.redecided import Redecided, Side
    from gateway.store.base import LoggedEvent

#: Stands for a model where nobody answers.
REFUSED: Final = "(refused)"
#: Less of a distribution than this has not moved.
STILL: Final = 1e-9
#: Requests that are named.
EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """A logged request under both configurations. `logged` is the distribution that it was decided by."""

    decision_id: str
    logged: Mapping[str, float]
    old: Redecided
    new: Redecided


@dataclass(frozen=True, slots=True)
class Average:
    """A mean over `n` requests and its standard error; None for a single one."""

    value: float
    error: float | None
    n: int

    @classmethod
    def of(cls, values: list[float]) -> Average | None:
        """Return the average of some values; None where there are none."""
        if not (n := len(values)):
            return None
        mean = math.fsum(values) / n
        error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n) if n > 1 else None
        return cls(mean, error, n)


@dataclass(frozen=True, slots=True)
class Move:
    """A request that goes elsewhere: how much of its probability moves, by which rules, and the likeliest models."""

    decision_id: str
    moved: float
    old_rule: str | None
    new_rule: str | None
    old_model: str
    new_model: str


@dataclass(slots=True)
class Difference:
    """What a change would do to the requests of a log.

    `compared` are those of which both sides can be told; `untold` counts the others, by what the log lacks.
    `reproduced` are those that the old configuration decides as it was logged. `moved` is the probability that goes to
    other models, 1 - sum min(p_old, p_new); `moves` counts likeliest models that change, by model, `by_rule` requests
    and what moves of them, by rule. `cost_usd` and `reward` are means of new less old, of requests that both answer.
    """

    requests: int = 0
    compared: int = 0
    reproduced: int = 0
    cannot_tell: int = 0
    untold: Counter[str] = field(default_factory=Counter)
    moved: list[float] = field(default_factory=list)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_rule: dict[tuple[str | None, str | None], list[float]] = field(default_factory=dict)
    appeared: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    vanished: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    costs_usd: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    examples: list[Move] = field(default_factory=list)


def pairs_of(logged: Iterable[LoggedEvent], old: Side, new: Side) -> Iterator[Pair]:
    """Yield each request of a log under both configurations."""
    for event in logged:
        request = LoggedRequest(event.decision)
        yield Pair(str(event.decision.id), event.decision.propensities, redecide(request, old), redecide(request, new))


def difference(pairs: Iterable[Pair]) -> Difference:
    """Return what comes of a change, from what both sides make of each request."""
    total = Difference()
    for pair in pairs:
        total.requests += 1
        lacking = frozenset[str]().union(*(s.missing for s in (pair.old, pair.new) if isinstance(s, Untold)))
        total.untold.update(lacking)
        if isinstance(pair.old, Untold) or isinstance(pair.new, Untold):
            total.cannot_tell += 1
        else:
            total.compared += 1
            _add(total, pair, pair.old, pair.new)
    return total


def _add(total: Difference, pair: Pair, old: Choice | Rejected, new: Choice | Rejected) -> None:
    before, after = chances(old), chances(new)
    total.reproduced += moved_mass(pair.logged, before) <= STILL
    moved = moved_mass(before, after)
    total.moved.append(moved)
    total.by_rule.setdefault((old.rule, new.rule), []).append(moved)
    move = Move(pair.decision_id, moved, old.rule, new.rule, _likeliest(before), _likeliest(after))
    if move.old_model != move.new_model:
        total.moves[move.old_model, move.new_model] += 1
    if moved > STILL:
        total.examples = nlargest(EXAMPLES, [*total.examples, move], key=lambda one: one.moved)
    if isinstance(old, Choice) and isinstance(new, Choice):
        _add_outcomes(total, old, new)
    elif isinstance(new, Rejected) and isinstance(old, Choice):
        total.appeared[new.rule, new.code] += 1
    elif isinstance(old, Rejected) and isinstance(new, Choice):
        total.vanished[old.rule, old.code] += 1


def _add_outcomes(total: Difference, old: Choice, new: Choice) -> None:
    """Add what changes in cost, by one measure for both sides, and in quality, as the new side expects it."""
    for before, after in ((old.costs_usd, new.costs_usd), (old.prices_usd, new.prices_usd)):
        costs = _expected(old.propensities, before), _expected(new.propensities, after)
        if costs[0] is not None and costs[1] is not None:
            total.costs_usd.append(costs[1] - costs[0])
            break
    rewards = _expected(old.propensities, new.rewards), _expected(new.propensities, new.rewards)
    if rewards[0] is not None and rewards[1] is not None:
        total.rewards.append(rewards[1] - rewards[0])


def chances(decided: Choice | Rejected) -> Mapping[str, float]:
    """Return the distribution over models; a refusal counts as one."""
    return decided.propensities if isinstance(decided, Choice) else {REFUSED: 1.0}


def moved_mass(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return how much probability goes elsewhere, in [0, 1]: the total variation of two distributions."""
    return max(0.0, 1.0 - math.fsum(min(chance, after.get(model, 0.0)) for model, chance in before.items()))


def _likeliest(distribution: Mapping[str, float]) -> str:
    return min(distribution, key=lambda model: (-distribution[model], model))


def _expected(distribution: Mapping[str, float], values: Mapping[str, float]) -> float | None:
    """Return the mean of values under a distribution; None where a value that counts is unknown."""
    counted = {model: chance for model, chance in distribution.items() if chance > 0}
    if not all(math.isfinite(values.get(model, math.nan)) for model in counted):
        return None
    return math.fsum(chance * values[model] for model, chance in counted.items())
