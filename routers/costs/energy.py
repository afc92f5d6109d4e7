"""The cost of the energy that an answer takes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.cells import of_part, under
from routers.costs.running import Running
from routers.observations import Summing
from routers.parts import below, prefixed
from routers.types import Candidate, Price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Context, Costs, Outcomes

#: Joules in a kWh, by tokens that a price is for.
_JOULES_BY_TOKENS: Final = 3.6
_ENERGY: Final = "energy"
_MONEY: Final = "money"


class Energy:
    """Expect a request to take the joules of its prompt, and of a completion of the model's usual length.

    Joules are priced by the kWh, and come on top of what other costs expect; without these, energy alone counts. The
    energy of a candidate whose `joules` per token are not known is unknown, which is not zero: so is then its cost.

    Parameters: `usd_per_kwh`; `costs`, which expects the money (None: nobody does).

    >>> from routers.types import Context, Joules
    >>> pool = [Candidate("small", joules=Joules(input=0.1, output=2.0)), Candidate("unmetered")]
    >>> energy = Energy(usd_per_kwh=0.36)
    >>> [[round(float(usd) * 1e6, 1) for usd in row] for row in energy.predict([Context("hello", 1000)], pool)]
    [[61.2, nan]]

    The energy term of GreenServ, whose power meter is a column of the registry of models here.
    """

    def __init__(self, usd_per_kwh: float = 0.25, costs: Costs | None = None) -> None:
        if not 0 < usd_per_kwh < np.inf:
            raise ValueError(f"usd_per_kwh={usd_per_kwh} must be positive")
        self.usd_per_kwh = usd_per_kwh
        self.costs = costs
        #: It knows how long completions are. Energy has a price for each token, as money has.
        self._lengths = Running()

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the other costs read."""
        return frozenset() if self.costs is None else self.costs.requires

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of which outcomes were learned."""
        return self._lengths.models if self.costs is None else self.costs.models

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the USD to expect, `[n, m]`; NaN where money or energy is not known."""
        energy = self._lengths.predict(contexts, [self._metered(candidate) for candidate in candidates])
        return energy if self.costs is None else energy + self.costs.predict(contexts, candidates)

    def reference_usd(self, candidates: Sequence[Candidate]) -> float:
        """Return what an average request costs with the dearest candidate; 0 where no cost is known."""
        return max((self._reference(candidate) for candidate in candidates), default=0.0)

    def learn(self, outcomes: Outcomes) -> None:
        """Learn how long completions are, and what the other costs learn."""
        self._lengths.learn(replace(outcomes, costs_usd=np.full_like(outcomes.costs_usd, np.nan)))
        if self.costs is not None:
            self.costs.learn(outcomes)

    def sums(self, observations: Observations) -> Sums:
        """Return the sums of completion lengths, and those of the other costs where they learn by sums."""
        unpriced = replace(observations, costs_usd=np.full(observations.n, np.nan))
        energy = under(_ENERGY, self._lengths.sums(unpriced))
        if self.costs is None or not isinstance(self.costs, Summing):
            return energy
        return energy + under(_MONEY, self.costs.sums(observations))

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as they have faded by now."""
        self._lengths.absorb(of_part(_ENERGY, sums), now)
        if self.costs is not None and isinstance(self.costs, Summing):
            self.costs.absorb(of_part(_MONEY, sums), now)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the lengths, and what the other costs learned."""
        money = {} if self.costs is None else self.costs.state()
        return prefixed(_ENERGY, self._lengths.state()) | prefixed(_MONEY, money)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._lengths.restore(below(_ENERGY, state))
        if self.costs is not None:
            self.costs.restore(below(_MONEY, state))

    def _metered(self, candidate: Candidate) -> Candidate:
        """Return a candidate whose price is that of its energy."""
        if candidate.joules is None:
            return Candidate(candidate.model)
        usd = self.usd_per_kwh / _JOULES_BY_TOKENS
        price = Price(input=Decimal(candidate.joules.input * usd), output=Decimal(candidate.joules.output * usd))
        return Candidate(candidate.model, price)

    def _reference(self, candidate: Candidate) -> float:
        if candidate.joules is None:
            return 0.0
        energy = self._lengths.reference_usd([self._metered(candidate)])
        if self.costs is None:
            return energy
        money = self.costs.reference_usd([candidate])
        return energy + money if money > 0 else 0.0
