"""The cheapest model, whatever the request."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.costs.mean import Mean
from routers.parts import below, prefixed
from routers.state import Manifest, load_state, save_state
from routers.types import Call, Finish, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.types import Candidate, Context, Costs, Outcomes, Plan


class Cheapest:
    """Take the candidate that is expected to cost least; the first by name of equals.

    A candidate whose cost is unknown comes after all whose cost is known. A reference for other routers: what does
    it take to do better than this?

    Parameters: `costs`, which expects them; by default `Mean`.

    >>> from decimal import Decimal
    >>> from random import Random
    >>> from routers.types import Candidate, Context, Price
    >>> large, small = (Price(input=Decimal(usd), output=Decimal(4 * usd)) for usd in (5, 1))
    >>> pool = [Candidate("unknown"), Candidate("large", large), Candidate("small", small)]
    >>> next(Cheapest().plan(Context("hello", 2), pool, Random(0))).propensities
    {'small': 1.0, 'large': 0.0, 'unknown': 0.0}

    One end of every curve of quality against cost: RouterBench (https://arxiv.org/abs/2403.12031).
    """

    def __init__(self, costs: Costs | None = None) -> None:
        self.costs: Costs = Mean() if costs is None else costs

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the costs read."""
        return self.costs.requires

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:  # noqa: ARG002 - the protocol's
        """Make one call, for certain. Raises `ValueError` where there is no candidate."""
        if not candidates:
            raise ValueError("there is no candidate to choose from")
        expected = self.costs.predict([context], candidates)[0].tolist()
        usd = {c.model: cost for c, cost in zip(candidates, expected, strict=True) if not math.isnan(cost)}
        ordered = sorted(candidates, key=lambda c: (c.model not in usd, usd.get(c.model, 0.0), c.model))
        (answer,) = yield Call(
            candidates=(ordered[0],),
            propensities={c.model: float(place == 0) for place, c in enumerate(ordered)},
            why="cheapest" if usd else "cheapest cost=unknown",
            expected_cost_usd=usd,
        )
        return Finish(answer)

    def learn(self, outcomes: Outcomes) -> None:
        """Learn costs and completion lengths."""
        self.costs.learn(outcomes)

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what the costs learned."""
        manifest = Manifest(self._kind, self.costs.models, encoder, dict(metadata or {}))
        save_state(directory, prefixed("costs", self.costs.state()), manifest)

    def load(self, directory: Path) -> None:
        """Replace what was learned. Raises `StateError` where the folder holds nothing that fits."""
        arrays = load_state(directory, self._kind)
        try:
            self.costs.restore(below("costs", arrays))
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing

    @property
    def _kind(self) -> str:
        return f"cheapest({type(self.costs).__name__.lower()})"
