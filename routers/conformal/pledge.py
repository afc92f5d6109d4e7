"""What a promise of quality says, and how far it is proved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.conformal.learning_then_testing import Certificate

    Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Pledge:
    """A certificate for the prices of falling short, the models that it is about, and the setting in force.

    `setting` is a place on the path, below `len(risks)`; None: nothing is proved, and only the reference answers.
    `unit_usd` is what an answer of the reference costs on average. `n` rows were certified on.
    """

    models: tuple[str, ...] = ()
    unit_usd: float = 0.0
    n: int = 0
    horizon: int = 0
    setting: int | None = None
    risks: tuple[float, ...] = ()
    p_values: tuple[float, ...] = ()

    @classmethod
    def of(cls, certificate: Certificate, models: tuple[str, ...], unit_usd: float, setting: int | None) -> Self:
        """Return what a certificate proves of these models."""
        horizon = certificate.target.horizon or 0
        return cls(models, unit_usd, certificate.n, horizon, setting, certificate.risks, certificate.p_values)

    @property
    def risk(self) -> float:
        """Return the share of the rows that fell short at the setting in force."""
        return 0.0 if self.setting is None else self.risks[self.setting]

    @property
    def p_value(self) -> float:
        """Return the chance to see so few where the promise is not kept; 1 where nothing had to be proved."""
        return 1.0 if self.setting is None else self.p_values[self.setting]

    def stricter(self) -> Pledge:
        """Return the next more timid setting, at which fewer rows fell short; in the end the reference alone.

        It is proved as well: all settings of the path up to the boldest are proved together.
        """
        lower = [place for place in range(self.setting or 0) if self.risks[place] < self.risk]
        return replace(self, setting=lower[-1] if lower else None)

    def state(self) -> Arrays:
        """Return all of it, as arrays by name."""
        counts = [self.n, self.horizon, -1 if self.setting is None else self.setting]
        return {
            "models": np.array(self.models, dtype=np.str_),
            "counts": np.array(counts, np.int64),
            "unit_usd": np.array(self.unit_usd),
            "path": np.array([self.risks, self.p_values], np.float64),
        }

    @classmethod
    def restored(cls, state: Arrays) -> Self:
        """Return what `state` returned. Raises `KeyError`."""
        n, horizon, setting = state["counts"].astype(np.int64).tolist()
        risks, p_values = state["path"].astype(np.float64).tolist()
        return cls(
            models=tuple(state["models"].tolist()),
            unit_usd=float(state["unit_usd"].astype(np.float64)),
            n=n,
            horizon=horizon,
            setting=None if setting < 0 else setting,
            risks=tuple(risks),
            p_values=tuple(p_values),
        )
