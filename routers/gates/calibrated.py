"""A gate whose scores have been held against what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.calibration.calibration import Calibration, unseen_error
from routers.types import Naming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.calibration.calibration import Graded
    from routers.calibration.ece import CalibrationError
    from routers.types import Answer, Candidate, Check, Context, Gate


class Calibrated:
    """Turn another gate's score into the chance that an answer is good, by model and domain.

    Until it has been fitted, a score is taken for a chance. `error` is the calibration error on answers that had not
    been seen, None before.

    Parameters: `gate`; `domain`, the feature that says what kind of request it is.

    Zadrozny and Elkan (2002), Platt (1999); expected calibration error after Naeini et al. (2015).
    """

    def __init__(self, gate: Gate, domain: str = "domain") -> None:
        self.gate, self.domain = gate, domain
        self.calibration = Calibration()
        self.error: CalibrationError | None = None

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the gate reads. Without a domain it goes by the model alone."""
        return self.gate.requires

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the gate's options name."""
        return self.gate.named if isinstance(self.gate, Naming) else frozenset()

    @property
    def asks(self) -> Mapping[str, object]:
        """Want what the gate wants."""
        return self.gate.asks

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the chance that stands for the gate's score."""
        score = yield from self.gate.check(context, answer, candidates)
        domain = context.features.get(self.domain)
        kind = domain if isinstance(domain, str) else ""
        return float(self.calibration.chances(np.array([score]), [answer.candidate.model], [kind])[0])

    def fit(self, graded: Graded) -> None:
        """Replace what was learned by what these answers say."""
        self.calibration = Calibration.fit(graded)
        self.error = unseen_error(graded)

    @property
    def is_fitted(self) -> bool:
        """Tell whether there is any curve."""
        return bool(self.calibration.curves)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what was learned, as arrays."""
        return self.calibration.state()

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned by what `state` returned. Raises `KeyError`."""
        self.calibration, self.error = Calibration.restored(state), None
