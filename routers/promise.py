"""A floor under quality, as a promise: seldom worse than the reference, and as cheap as can be proved."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from routers.conformal.calibration_rows import CalibrationRows, drawn
from routers.conformal.learning_then_testing import Target
from routers.conformal.pledge import Pledge
from routers.conformal.proving import Evidence
from routers.conformal.shortfall import PRICES, adequacies, choices
from routers.expected import expected, first_calls
from routers.nested import load_around, save_around
from routers.parts import below, prefixed
from routers.plans.around import Around, ranked
from routers.tally import Tally
from routers.types import Call, Candidate, Finish, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.types import Context, Outcomes, Plan, Router


class Promise(Around):
    """Answer at most a share alpha of requests worse than the reference would by more than delta, for little money.

    The promise is about the next `horizon` requests, and holds with confidence `1 - eta` over the rows that it was
    certified on, if these and the traffic are exchangeable: as if drawn from the same urn. The router learns which
    answers are good enough, from one part of the rows: 1 where a reward does not fall short of the reference's by more
    than delta, else 0. On the rest it is tested how much may be saved. Whoever costs least is asked, falling short
    having a price, and the lowest price is taken at which the promise is proved. With too few rows nothing is, and
    the reference answers all: so the promise is kept in any case.

    Only models that were certified are asked, at the costs that they had then; another one's place is the reference's.
    Where the reference is no candidate there is no promise, and the likeliest to be good enough answers.

    Parameters: `router`, which must expect rewards and costs; `reference`, a model; `alpha`, `delta`, `eta`; `share`
    of the rows to certify on; `horizon`, how many requests to come (None: as many as it was certified on; a large
    number: in the long run); `seed` of the draw of rows; `max_rows` to certify on, of which the oldest are dropped.

    >>> from routers.checks.cases import contexts, outcomes
    >>> from routers.estimating import EstimatingRouter
    >>> from routers.estimators.knn import KNN
    >>> from routers.rules.greedy import Greedy
    >>> promise = Promise(EstimatingRouter(KNN(), Greedy()), reference="large", alpha=0.4, delta=0.2)
    >>> promise.learn(outcomes(2000))
    >>> promise.pledge.n > 500 and promise.pledge.p_value <= 0.1 and promise.pledge.risk < 0.4
    True

    Angelopoulos et al., "Learn then Test" (https://arxiv.org/abs/2110.01052).
    """

    several = False

    def __init__(  # noqa: PLR0913 - what is promised takes four numbers, how it is proved four more
        self,
        router: Router,
        reference: str,
        alpha: float = 0.05,
        delta: float = 0.0,
        eta: float = 0.1,
        *,
        share: float = 0.5,
        horizon: int | None = None,
        seed: int = 0,
        max_rows: int = 20_000,
    ) -> None:
        super().__init__(router)
        Target(alpha, eta, horizon)
        if not 0 <= delta < 1 or not 0 < share < 1 or max_rows < 1:
            raise ValueError(f"{delta=} must be in [0, 1), {share=} between 0 and 1, and {max_rows=} at least 1")
        self.reference, self.alpha, self.delta, self.eta = reference, alpha, delta, eta
        self.share, self.horizon, self.seed, self.max_rows = share, horizon, seed, max_rows
        self.pledge = Pledge()
        self._rows, self._costs = CalibrationRows(), Tally.empty()

    @property
    def named(self) -> frozenset[str]:
        """Return the reference, and the models that the router's options name."""
        return super().named | {self.reference}

    @property
    def learns_in_batches(self) -> bool:
        """Tell whether the router declares that the size of its batches matters."""
        return bool(getattr(self.router, "learns_in_batches", False))

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Make one call, to whom the pledge allows. Raises `ValueError` where there is no candidate."""
        if not candidates:
            raise ValueError("there is no candidate to choose from")
        kept = any(one.model == self.reference for one in candidates)
        asked = [Candidate(model) for model in self.pledge.models] if kept and self.pledge.models else candidates
        look = self.first(context, asked, rng)
        chosen = self._chosen(look, candidates) if kept else _likeliest(look, candidates)
        models = [one.model for one in candidates]
        (answer,) = yield Call(
            candidates=(chosen,),
            propensities={model: float(model == chosen.model) for model in models},
            why=self.stated if kept else f"no promise: the reference {self.reference!r} is no candidate",
            estimates={m: e for m, e in look.estimates.items() if m in models} if look else {},
            expected_cost_usd={m: c for m, c in look.expected_cost_usd.items() if m in models} if look else {},
        )
        return Finish(answer)

    def _chosen(self, look: Call | None, candidates: Sequence[Candidate]) -> Candidate:
        """Return whom the pledge allows, or the reference, which is a candidate."""
        pledge, model = self.pledge, self.reference
        if look is not None and pledge.setting is not None:
            chances, costs = expected([look], pledge.models)
            price = PRICES[[pledge.setting]]
            taken = choices(chances, costs, pledge.models.index(self.reference), pledge.unit_usd, price)
            model = pledge.models[int(taken[0, 0])]
        by_name = {one.model: one for one in candidates}
        return by_name.get(model, by_name[self.reference])

    @property
    def stated(self) -> str:
        """Return the promise in a line, with what it rests on."""
        pledge, floor = self.pledge, f"alpha={self.alpha:g} delta={self.delta:g} confidence={1 - self.eta:g}"
        said = f"promise {floor} reference={self.reference}"
        if pledge.setting is None:
            return f"{said} n={pledge.n} nothing proved: the reference answers"
        found = f"n={pledge.n} next={pledge.horizon} setting={pledge.setting} risk={pledge.risk:.4g}"
        return f"{said} {found} p={pledge.p_value:.3g} if exchangeable"

    def stricter(self) -> Promise:
        """Return this router at the next more timid setting that was proved, or with the reference alone."""
        view = copy(self)
        view.pledge = self.pledge.stricter()
        return view

    def learn(self, outcomes: Outcomes) -> None:
        """Let the router learn from one part of the rows, and certify it anew on all the others so far.

        The parts never mix: a router that has seen a row is too good at it, and what is fitted again after it was
        certified has to be certified again. Rows are kept in memory, not in the state, so what is learned after
        loading is certified on what came since.
        """
        aside = drawn(outcomes, self.share, self.seed)
        fitted = outcomes.take(np.flatnonzero(~aside))
        self._costs += Tally.of(fitted.models, fitted.costs_usd)
        self.router.learn(adequacies(fitted, self.reference, self.delta))
        self._rows = self._rows.plus(outcomes.take(np.flatnonzero(aside)), self.max_rows)
        self.pledge = self._certified()

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what the router learned, and the pledge; no row that it was certified on."""
        arrays = prefixed("pledge", self.pledge.state())
        save_around(self.router, self._kind, arrays, directory, encoder=encoder, metadata=metadata)

    def load(self, directory: Path) -> None:
        """Replace what was learned, and the pledge. Raises `StateError`, also where another promise was proved."""
        arrays = load_around(self.router, self._kind, directory)
        try:
            self.pledge = Pledge.restored(below("pledge", arrays))
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing
        self._rows, self._costs = CalibrationRows(), Tally.empty()

    @property
    def _kind(self) -> str:
        """Name the promise with its numbers: one that was proved is no proof of another."""
        horizon = "" if self.horizon is None else f" horizon={self.horizon}"
        return f"promise({self.reference} alpha={self.alpha!r} delta={self.delta!r} eta={self.eta!r}{horizon})"

    def _certified(self) -> Pledge:
        contexts, rewards = self._rows.observing(self.reference)
        models, unit = self._rows.models, self._costs.mean_of(self.reference)
        if not contexts or unit is None:
            return Pledge(n=len(contexts))
        chances, costs = expected(first_calls(self.router, contexts, [Candidate(m) for m in models]), models)
        evidence = Evidence(chances, costs, rewards, models, models.index(self.reference), unit)
        return evidence.walk(self.delta).prove(Target(self.alpha, self.eta, self.horizon or len(contexts)))


def _likeliest(look: Call | None, candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate of the highest chance to be good enough; the first by name among equals."""
    by_name = sorted(candidates, key=lambda one: one.model)
    return by_name[0] if look is None else ranked(look, by_name)[0]
