"""A router of somebody else's, installed as an entry point: it asks whom it likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.stateless import StatelessRouter
from routers.types import Call, Candidate, Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Rota(StatelessRouter):
    """Ask these models one after the other, whoever the candidates are, and return the last answer.

    Parameters: `models`, their names.
    """

    kind = "rota"

    def __init__(self, models: list[str]) -> None:
        self.models = models

    def weights_of(self, models: Sequence[str]) -> list[float]:
        raise NotImplementedError

    def plan(self, _context, _candidates, _rng):
        answer = None
        for model in self.models:
            (answer,) = yield Call((Candidate(model),), {model: 1.0}, "rota", stream=False)
        return Finish(answer)


class Prying(Rota):
    """Ask everybody there may be at once, and hear them out, twice."""

    def __init__(self) -> None:
        super().__init__(["m0", "m1", "m2", "m3", "m4"])

    def plan(self, _context, _candidates, _rng):
        everybody = tuple(map(Candidate, self.models))
        for _ in range(2):
            answers = yield Call(everybody, dict.fromkeys(self.models, 1 / len(self.models)), "prying", stream=False)
        return Finish(next((answer for answer in answers if answer.error is None), None))


def plug_in(folder: Path) -> None:
    """Install it, as a folder on the path."""
    info = folder / "plug_in_routers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in-routers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pointsman.routers]\nrota = tests.integration.plugin_routers:Rota\n")
