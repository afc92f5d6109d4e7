"""Estimator x utility x rule: expect, weigh, choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from routers.costs.mean import Mean
from routers.dial import checked_weight
from routers.newcomers import Newcomers
from routers.outlook import Expectations, Outlook, Prepared
from routers.parts import below, prefixed
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.state import Manifest, load_state, save_state
from routers.stay import stay
from routers.tally import Tally
from routers.types import Call, Finish, Naming, StateError
from routers.utilities.linear import Linear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from numpy.typing import NDArray

    from routers.parts import Arrays
    from routers.types import Candidate, Context, Costs, Estimate, Estimator, Incumbent, Outcomes, Plan, Rule, Utility


class EstimatingRouter:
    """Estimate each candidate's reward, weigh it against its expected cost, and let a rule choose.

    A candidate whose cost is unknown counts as the dearest one known, so that it is never chosen for being
    cheap; where no cost is known, cost is ignored and `why` ends in `cost=unknown`. Candidates reach the rule
    in the order of their expected cost, then name, whatever their order in the pool; so ties go to the cheaper.

    Parameters: `estimator`, `rule`, `utility` and `costs`, the parts (by default the utility is linear, and a
    completion is expected to be as long as the model's are on average); `quality_weight` in [0, 1], the dial.

    >>> from decimal import Decimal
    >>> from random import Random
    >>> from routers.estimators.constant import Constant
    >>> from routers.rules.greedy import Greedy
    >>> from routers.types import Candidate, Context, Price
    >>> cheap = Candidate("small", Price(input=Decimal("0.1"), output=Decimal("0.4")))
    >>> dear = Candidate("large", Price(input=Decimal(1), output=Decimal(10)))
    >>> router = EstimatingRouter(Constant(), Greedy())
    >>> call = next(router.plan(Context("hello", 2), [dear, cheap], Random(0)))
    >>> call.candidates[0].model, call.why
    ('small', 'constant*greedy w=0.7')

    CARROT (https://arxiv.org/abs/2502.03261): estimating cost and quality apart and plugging them in
    is rate-optimal.
    """

    def __init__(
        self,
        estimator: Estimator,
        rule: Rule,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
    ) -> None:
        self.estimator = estimator
        self.newcomers = Newcomers(estimator)
        self.rule = rule
        self.quality_weight = checked_weight(quality_weight)
        self.utility: Utility = Linear() if utility is None else utility
        self.costs: Costs = Mean() if costs is None else costs
        self._latencies = Tally.empty()
        self.preparation: Prepared | None = None
        self.incumbent: Incumbent | None = None

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the estimator and the costs read."""
        return self.estimator.requires | self.costs.requires

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the utility's options name."""
        return self.utility.named if isinstance(self.utility, Naming) else frozenset()

    @property
    def learns_in_batches(self) -> bool:
        """Tell whether the estimator declares that the size of its batches matters."""
        return bool(getattr(self.estimator, "learns_in_batches", False))

    @property
    def company(self) -> Newcomers | None:
        """Return the estimator and who joined it, if it declares that requests gain by being estimated together."""
        return self.newcomers if getattr(self.estimator, "gains_by_company", False) else None

    def with_quality_weight(self, quality_weight: float) -> EstimatingRouter:
        """Return this router with the dial elsewhere. It shares what was learned, and copies nothing."""
        view = self._view()
        view.quality_weight = checked_weight(quality_weight)
        return view

    def staying_with(self, incumbent: Incumbent) -> EstimatingRouter:
        """Return this router for a session: the incumbent costs less by what its cache saves, and chance favours it.

        It shares what was learned, and copies nothing.
        """
        view = self._view()
        view.incumbent = incumbent
        return view

    def without_exploration(self) -> EstimatingRouter:
        """Return this router taking only the candidate of the greatest utility. It shares what was learned."""
        view = self._view()
        view.rule = Greedy()
        return view

    def _view(self) -> Self:
        """Return another of this class that shares all of it: what `copy` does in 9 us, in one."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        return view

    def prepared(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> EstimatingRouter:
        """Return this router with all that it expects of these very contexts and candidates computed in one batch.

        It decides as this one does, faster, wherever the dial stands: views of it share the computation. It goes by
        the identity of the context objects and by the order of the candidates; anything else is computed when it
        is planned. What this router learns afterwards it does not notice.
        """
        return self.sharing(self.expecting(contexts, candidates))

    def expecting(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Prepared:
        """Return what is expected of these candidates for each of these contexts."""
        return Prepared(contexts, candidates, self._expectations.outlooks(contexts, candidates))

    def sharing(self, prepared: Prepared) -> EstimatingRouter:
        """Return this router with what it, or one that shares what was learned, expects of some contexts."""
        view = self._view()
        view.preparation = prepared
        return view

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Make one call, drawn from the rule's distribution over all candidates.

        Raises `ValueError` where there is no candidate.
        """
        if not candidates:
            raise ValueError("there is no candidate to choose from")
        outlook = self._outlook(context, candidates)
        utilities = self.utility.utilities(outlook.prospects, self.quality_weight)
        distribution = self._distribution(outlook, utilities, self._rule(len(utilities)))
        (answer,) = yield Call(
            candidates=tuple(rng.choices(outlook.candidates, weights=distribution)),
            propensities=dict(zip(outlook.models, distribution, strict=True)),
            why=self._why(outlook),
            estimates=outlook.estimates,
            expected_cost_usd=outlook.costs_usd,
            best=outlook.models[self._best(outlook, utilities)],
        )
        return Finish(answer)

    def _rule(self, candidates: int) -> Rule:  # noqa: ARG002 - for routers whose rule goes by it
        """Return the rule for so many candidates."""
        return self.rule

    def _distribution(self, outlook: Outlook, utilities: Sequence[Estimate], rule: Rule) -> list[float]:
        distribution = rule.distribution(utilities)
        if self.incumbent is None or self.incumbent.model not in outlook.models:
            return distribution
        return stay(distribution, utilities, outlook.models.index(self.incumbent.model))

    def _best(self, outlook: Outlook, utilities: Sequence[Estimate]) -> int:
        """Return whom a greedy rule would take."""
        if self.incumbent is not None:
            return self._distribution(outlook, utilities, Greedy()).index(1.0)
        means = [utility.mean for utility in utilities]
        return means.index(max(means))

    def learn(self, outcomes: Outcomes) -> None:
        """Learn rewards, completion lengths, costs and latencies."""
        self.preparation = None
        self.newcomers.learn(outcomes)
        self._learn_prices(outcomes)

    def adopt(self, model: str, outcomes: Outcomes) -> None:
        """Take in a model by its outcomes alone: what is expected of the others stays as it is.

        Raises `ValueError` where no reward of the model is given.
        """
        of_model = outcomes.of_models([model])
        self.newcomers.adopt(model, of_model, self.costs.models)
        self.preparation = None
        self._learn_prices(of_model)

    def _learn_prices(self, outcomes: Outcomes) -> None:
        self.costs.learn(outcomes)
        if outcomes.latencies_s is not None:
            self._latencies += Tally.of(outcomes.models, outcomes.latencies_s)

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what was learned; `encoder` is the digest of what made the embeddings."""
        manifest = Manifest(self._kind, self.costs.models, encoder, dict(metadata or {}))
        save_state(directory, self.state(), manifest)

    def load(self, directory: Path) -> None:
        """Replace what was learned. Raises `StateError` where the folder holds nothing that fits."""
        arrays = load_state(directory, self._kind)
        self.preparation = None
        try:
            self.restore(arrays)
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return what was learned, as arrays."""
        arrays = prefixed("estimator", self.newcomers.state()) | prefixed("costs", self.costs.state())
        return arrays | prefixed("latencies", _latency_state(self._latencies))

    def restore(self, arrays: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self.newcomers.restore(below("estimator", arrays))
        self.costs.restore(below("costs", arrays))
        self._latencies = _restored_latencies(below("latencies", arrays))

    @property
    def _kind(self) -> str:
        parts = [_name(self.estimator)] if isinstance(self.costs, Mean) else [_name(self.estimator), _name(self.costs)]
        return f"estimating({', '.join(parts)})"

    @property
    def _expectations(self) -> Expectations:
        return Expectations(self.newcomers, self.costs, self._latencies)

    def _outlook(self, context: Context, candidates: Sequence[Candidate]) -> Outlook:
        outlook = self.preparation.get(context, candidates) if self.preparation else None
        if outlook is None:
            (outlook,) = self._expectations.outlooks([context], candidates)
        return outlook.saving(self.incumbent.model, self.incumbent.saved_usd) if self.incumbent else outlook

    def _why(self, outlook: Outlook) -> str:
        """Name the parts (but a linear utility) and the dial."""
        utility = "" if isinstance(self.utility, Linear) else f"*{_name(self.utility)}"
        unknown = "" if outlook.costs_usd else " cost=unknown"
        session = " session" if self.incumbent and self.incumbent.model in outlook.models else ""
        return f"{_name(self.estimator)}{utility}*{_name(self.rule)} w={self.quality_weight:g}{session}{unknown}"


def _name(component: object) -> str:
    if isinstance(component, Floor):
        return f"{_name(component.rule)} floor={component.floor:g}"
    return type(component).__name__.lower()


def _latency_state(latencies: Tally) -> Arrays:
    """Return the arrays; none where nobody measured."""
    if not latencies.models:
        return {}
    return {"models": np.array(latencies.models, dtype=np.str_), "moments": latencies.moments}


def _restored_latencies(arrays: Arrays) -> Tally:
    if not arrays:
        return Tally.empty()
    return Tally(tuple(arrays["models"].tolist()), arrays["moments"].astype(np.float64))
