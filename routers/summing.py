"""A router whose every part learns online by sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from routers.cells import Cells, joined, spans_summed
from routers.costs.running import Running
from routers.estimating import EstimatingRouter
from routers.fading import HALF_LIFE_S, Fading
from routers.observations import Folding, Summing
from routers.outlook import Expectations
from routers.parts import below, prefixed
from routers.rules.greedy import Greedy
from routers.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.observations import Observations
    from routers.parts import Arrays
    from routers.sums import Sums
    from routers.types import Costs, Estimator, Outcomes, Rule, Utility

_LATENCIES = "latencies"
_HEARD = "heard"


class SummingRouter(EstimatingRouter):
    """An estimating router that learns online by sums: its estimator's, its costs', latencies, and how much it heard.

    A subclass may have a rule that goes by how much was heard (`exploring`).

    Parameters: as those of `EstimatingRouter`, and `half_life_s`, after which an observation counts half; it is that of
    latencies and of how much was heard, and of the costs where none are given.

    >>> from random import Random
    >>> from routers.estimators.ema import Ema
    >>> from routers.types import Candidate, Context
    >>> router = SummingRouter(Ema(), Greedy())
    >>> next(router.plan(Context("hello", 2), [Candidate("small")], Random(0))).why
    'ema*greedy w=0.7 cost=unknown'
    """

    kind: ClassVar[str] = "summing"

    def __init__(
        self,
        estimator: Estimator,
        rule: Rule,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        half_life_s: float = HALF_LIFE_S,
    ) -> None:
        self._fading = Fading(half_life_s)
        costs = Running(half_life_s=half_life_s) if costs is None else costs
        super().__init__(estimator, rule, quality_weight, utility, costs)
        #: Costs that do not learn by sums stay as tables taught them.
        self._parts = [summing(estimator), *([costs] if isinstance(costs, Summing) else [])]
        self.half_life_s = half_life_s
        self._heard_of_tables = 0.0
        self._online = {_LATENCIES: Cells(), _HEARD: Cells()}

    @property
    def heard(self) -> float:
        """Return how many rewards were heard of, by their weights, and as far as they have not faded."""
        return self._heard_of_tables + math.fsum(self._heard_online().values())

    def exploring(self, candidates: int) -> Rule:  # noqa: ARG002 - for rules that go by it
        """Return the rule by which it explores among so many candidates."""
        return self.rule

    def learn(self, outcomes: Outcomes) -> None:
        """Learn rewards, completion lengths, costs and latencies from a table."""
        super().learn(outcomes)
        self._heard_of_tables += float((~np.isnan(outcomes.rewards)).any(axis=1).sum())

    def sums(self, observations: Observations) -> Sums:
        """Return what the rows add: to the estimator, the costs, latencies, and to how much was heard."""
        of_parts = [part.sums(observations) for part in self._parts]
        return joined([*of_parts, self._latency(observations), self._hearing(observations)])

    def folded(self, sums: Sums, now: float) -> Sums:
        """Return the sums in fewer parts, where the estimator or the costs need fewer by now."""
        for part in self._parts:
            sums = part.folded(sums, now) if isinstance(part, Folding) else sums
        return sums

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as they have faded by now."""
        self.preparation = None
        for part in self._parts:
            part.absorb(sums, now)
        self._online = {part: Cells.faded(sums, part, self._fading, now) for part in (_LATENCIES, _HEARD)}
        self.newcomers.hear(self._heard_online())

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return what was learned, as arrays."""
        arrays = super().state() | {"heard": np.array(self._heard_of_tables)}
        for part, cells in self._online.items():
            arrays |= prefixed(f"online.{part}", cells.state())
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        super().restore(arrays)
        self._heard_of_tables = float(arrays["heard"].astype(np.float64))
        self._online = {part: Cells.restored(below(f"online.{part}", arrays)) for part in (_LATENCIES, _HEARD)}
        self.newcomers.hear(self._heard_online())

    def _rule(self, candidates: int) -> Rule:
        return self.rule if isinstance(self.rule, Greedy) else self.exploring(candidates)

    @property
    def _expectations(self) -> Expectations:
        return Expectations(self.newcomers, self.costs, self._latencies + _tally(self._online[_LATENCIES]))

    def _latency(self, observations: Observations) -> Sums:
        rows = np.flatnonzero(~np.isnan(observations.latencies_s))
        seconds = observations.latencies_s[rows]
        models = [observations.actions[row] for row in rows.tolist()]
        numbers = np.stack([np.ones_like(seconds), seconds, seconds**2], axis=1)
        return spans_summed(_LATENCIES, self._fading, (models, [""] * len(rows), observations.times[rows]), numbers)

    def _hearing(self, observations: Observations) -> Sums:
        rows = np.flatnonzero(~np.isnan(observations.rewards))
        models = [observations.actions[row] for row in rows.tolist()]
        where = models, [""] * len(rows), observations.times[rows]
        return spans_summed(_HEARD, self._fading, where, observations.weights[rows][:, None])

    def _heard_online(self) -> dict[str, float]:
        """Return how many rewards of each model were heard of online; those that name none are under ''."""
        return {model: float(numbers[0]) for (model, _), numbers in self._online[_HEARD].known.items()}

    @property
    def _kind(self) -> str:
        return f"{self.kind}({type(self.estimator).__name__.lower()}, {type(self.costs).__name__.lower()})"


def _tally(cells: Cells) -> Tally:
    models = cells.models
    return Tally(models, cells.at(models, "", 3))


def summing(estimator: Estimator) -> Summing:
    """Return an estimator as what learns by sums. Raises `ValueError` where it does not."""
    if not isinstance(estimator, Summing):
        name = type(estimator).__name__.lower()
        raise ValueError(  # noqa: TRY004 - what a configuration asks for
            f"the estimator {name!r} does not learn online by sums, as 'ema' and 'cluster_bandit' do; "
            "a router 'estimating' takes it, with any rule"
        )
    return estimator
