"""Gates that ask a model again what it has answered, and compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.types import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routers.types import Answer


class Resampling:
    """Draws `samples` further answers at a `temperature`.

    Raises `ValueError` for fewer than one, and for a temperature at which all would be the same.
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, samples: int = 2, temperature: float = 0.7) -> None:
        if samples < 1 or temperature <= 0:
            raise ValueError(f"samples={samples} must be at least 1, and temperature={temperature} above 0")
        self.samples, self.temperature = samples, temperature

    @property
    def asks(self) -> Mapping[str, object]:
        """Want nothing in particular of the answer at hand."""
        return {}

    def further(self, answer: Answer, gate: str) -> Call:
        """Return the call for further answers of the model whose answer is at hand."""
        return Call(
            candidates=(answer.candidate,) * self.samples,
            propensities={answer.candidate.model: 1.0},
            why=f"{gate} samples={self.samples}",
            stream=False,
            parameters={"temperature": self.temperature},
        )
