"""Which plan is worth it, of single calls and cascades, at what price of money, and is it worth it at all?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.cascades.refine import refined
from routers.cascades.settings import PLANS, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.cascades.scene import Scene
    from routers.cascades.setting import Setting

    Array = NDArray[np.float64]

#: A gate that errs more often is not relied on, whatever it seems to gain.
MAX_ERROR: Final = 0.25
#: How many standard errors an advantage has to be above zero, to be believed.
SIGNIFICANCE: Final = 1.96
#: Parts of the requests: each is judged by what is best on the others.
PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """The setting to use at a price, what it costs and achieves on the requests that it was chosen on, and why.

    `advantage` is what the best plan of several calls gains over the best single call, in rewards less costs at the
    price, on requests that neither was chosen on; `error` its standard error. Where `setting` is a single call, that is
    too little, or the gate is not good enough: `reason` says which, also where several calls were insisted on.
    """

    setting: Setting
    price: float
    quality: float
    cost_usd: float
    advantage: float
    error: float
    reason: str


class Optimiser:
    """Plays every setting on a scene once, and chooses among them at any price, or for any budget.

    Parameters: `scene`, requests that neither router nor calibration has seen (by cross-validation); `gate_error`, how
    often the gate errs there (`routers.cascades.simulate.error_of`); `seed` of the parts; `insist` on several calls,
    also where a single call is as good.

    FrugalGPT's search over chains and thresholds (https://arxiv.org/abs/2305.05176), and cascade routing's over prices
    (https://arxiv.org/abs/2410.10347).
    """

    def __init__(self, scene: Scene, gate_error: float, seed: int = 0, *, insist: bool = False) -> None:
        self.scene, self.gate_error, self.insist = scene, gate_error, insist
        self.settings: Sequence[Setting] = settings(scene)
        played = [setting.play(scene) for setting in self.settings]
        self._quality = np.stack([one.quality for one in played]).astype(np.float32)
        self._cost = np.stack([one.cost_usd for one in played]).astype(np.float64)
        self._parts = np.random.default_rng(seed).permutation(scene.n) % PARTS
        self._plans = np.array([setting.family in PLANS for setting in self.settings])

    def at_price(self, price: float) -> Choice:
        """Return the best setting where a USD is worth a reward of `price`."""
        utilities = self._quality - price * self._cost
        totals = np.stack([utilities[:, self._parts == part].sum(axis=1) for part in range(PARTS)], axis=1)
        gained = self._unseen(utilities, totals, self._plans) - self._unseen(utilities, totals, ~self._plans)
        advantage, error = float(gained.mean()), float(gained.std(ddof=1)) / math.sqrt(len(gained))
        reason = self._objection(advantage, error)
        several = self.insist or not reason
        best = _best(totals.sum(axis=1), self._plans if several else ~self._plans)
        setting = refined(self.settings[best], self.scene, price)
        played = setting.play(self.scene)
        return Choice(
            setting=setting,
            price=price,
            quality=float(played.quality.mean()),
            cost_usd=float(played.cost_usd.mean()),
            advantage=advantage,
            error=error,
            reason=reason,
        )

    def best_single(self, price: float) -> Setting:
        """Return the best single call where a USD is worth a reward of `price`."""
        utilities = self._quality.mean(axis=1, dtype=np.float64) - price * self._cost.mean(axis=1)
        return self.settings[_best(utilities, ~self._plans)]

    def within(self, budget_usd: float) -> Choice:
        """Return the best setting that costs at most so much on average: the lowest price at which what is best does.

        Where nothing is cheap enough, the cheapest single call is returned.
        """
        high, low = math.log(1e3 / self.scene.costs_usd.mean()), math.log(1e-3 / self.scene.costs_usd.mean())
        found = self.at_price(math.exp(high))
        for _ in range(20):
            tried = self.at_price(math.exp((high + low) / 2))
            if tried.cost_usd <= budget_usd:
                found, high = tried, (high + low) / 2
            else:
                low = (high + low) / 2
        return found

    def _unseen(self, utilities: Array, totals: Array, allowed: NDArray[np.bool_]) -> Array:
        """Return what each request gains by the allowed setting that is best on the other parts, `[n]`."""
        gained = np.empty(utilities.shape[1])
        for part in range(PARTS):
            rows = self._parts == part
            gained[rows] = utilities[_best(totals.sum(axis=1) - totals[:, part], allowed), rows]
        return gained

    def _objection(self, advantage: float, error: float) -> str:
        """Return what speaks against several calls; empty where nothing does."""
        if self.gate_error > MAX_ERROR:
            return f"the gate errs in {self.gate_error:.0%} of the cases, more than {MAX_ERROR:.0%}"
        if not advantage > SIGNIFICANCE * error:
            return f"the advantage of {advantage:.4f} is not above {SIGNIFICANCE:g} standard errors of {error:.4f}"
        return ""


def _best(totals: Array, allowed: NDArray[np.bool_]) -> int:
    return int(np.where(allowed, totals, -np.inf).argmax())
