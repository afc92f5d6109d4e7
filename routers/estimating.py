"""Estimator x rule: expect, subtract the price, choose."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from routers.costs import CostHead
from routers.rules.floor import Floor
from routers.state import Manifest, load_state, save_state
from routers.types import Call, Estimate, Finish, StateError
from routers.utility import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    import numpy as np
    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Estimator, Outcomes, Plan, Rule

    Arrays = Mapping[str, NDArray[np.generic]]


class EstimatingRouter:
    """Estimate each candidate's reward, subtract its price, and let a rule choose.

    `quality_weight` in [0, 1] says what quality is worth (see `Exchange`). A candidate whose cost is
    unknown counts as the dearest one known, so that it is never chosen for being cheap; where no cost
    is known, cost is ignored and `why` ends in `cost=unknown`. Candidates reach the rule in the order
    of their expected cost, then name, whatever their order in the pool; so ties go to the cheaper.

    Parameters: `estimator` and `rule`, the parts; `quality_weight`, the dial.

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

    def __init__(self, estimator: Estimator, rule: Rule, quality_weight: float = 0.7) -> None:
        self.estimator = estimator
        self.rule = rule
        self.quality_weight = _checked(quality_weight)
        self.costs = CostHead()

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the estimator reads."""
        return self.estimator.requires

    @property
    def learns_in_batches(self) -> bool:
        """Tell whether the estimator declares that the size of its batches matters."""
        return bool(getattr(self.estimator, "learns_in_batches", False))

    def with_quality_weight(self, quality_weight: float) -> EstimatingRouter:
        """Return this router with the dial elsewhere. It shares what was learned, and copies nothing."""
        view = copy(self)
        view.quality_weight = _checked(quality_weight)
        return view

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Make one call, drawn from the rule's distribution over all candidates.

        Raises `ValueError` where there is no candidate.
        """
        if not candidates:
            raise ValueError("there is no candidate to choose from")
        known = self._expected_costs(context, candidates)
        dearest = max(known.values(), default=0.0)
        ordered = sorted(candidates, key=lambda c: (known.get(c.model, dearest), c.model))
        rewards = self._rewards(context, ordered)
        exchange = Exchange(self.quality_weight, self.costs.reference_cost_usd(candidates) or 0.0)
        utilities = exchange.utilities(rewards, [known.get(c.model, dearest) for c in ordered])
        distribution = self.rule.distribution(utilities)
        models = [candidate.model for candidate in ordered]
        (answer,) = yield Call(
            candidates=tuple(rng.choices(ordered, weights=distribution)),
            propensities=dict(zip(models, distribution, strict=True)),
            why=self._why(known),
            estimates=dict(zip(models, rewards, strict=True)),
            expected_cost_usd=known,
        )
        return Finish(answer)

    def learn(self, outcomes: Outcomes) -> None:
        """Learn rewards, completion lengths and costs."""
        self.estimator.learn(outcomes)
        self.costs.learn(outcomes)

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what was learned; `encoder` is the digest of what made the embeddings."""
        arrays = _prefixed("estimator", self.estimator.state()) | _prefixed("costs", self.costs.state())
        manifest = Manifest(self._kind, self.costs.models, encoder, dict(metadata or {}))
        save_state(directory, arrays, manifest)

    def load(self, directory: Path) -> None:
        """Replace what was learned. Raises `StateError` where the folder holds nothing that fits."""
        arrays = load_state(directory, self._kind)
        try:
            self.estimator.restore(_below("estimator", arrays))
            self.costs.restore(_below("costs", arrays))
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing

    @property
    def _kind(self) -> str:
        return f"estimating({_name(self.estimator)})"

    def _expected_costs(self, context: Context, candidates: Sequence[Candidate]) -> dict[str, float]:
        costs = ((c.model, self.costs.expected_cost_usd(context, c)) for c in candidates)
        return {model: cost for model, cost in costs if cost is not None}

    def _rewards(self, context: Context, candidates: Sequence[Candidate]) -> list[Estimate]:
        estimates = self.estimator.predict([context], candidates)
        pairs = zip(estimates.mean[0].tolist(), estimates.std[0].tolist(), strict=True)
        return [Estimate(mean, std) for mean, std in pairs]

    def _why(self, known: Mapping[str, float]) -> str:
        unknown = "" if known else " cost=unknown"
        return f"{_name(self.estimator)}*{_name(self.rule)} w={self.quality_weight:g}{unknown}"


def _checked(quality_weight: float) -> float:
    if not 0 <= quality_weight <= 1:
        raise ValueError(f"quality_weight={quality_weight} must lie between 0 (cheapest) and 1 (best)")
    return quality_weight


def _name(component: object) -> str:
    if isinstance(component, Floor):
        return f"{_name(component.rule)} floor={component.floor:g}"
    return type(component).__name__.lower()


def _prefixed(prefix: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _below(prefix: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
