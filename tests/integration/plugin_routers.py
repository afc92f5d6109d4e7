"""A router of somebody else's, installed as an entry point: it asks whom it likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.stateless import StatelessRouter
from routers.types import Call, Candidate, Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Panel(StatelessRouter):
    """Ask these models one after the other, whoever the candidates are, and return the last answer.

    Parameters: `models`, their names.
    """

    kind = "panel"

    def __init__(self, models: list[str]) -> None:
        self.models = models

    def weights_of(self, models: Sequence[str]) -> list[float]:
        raise NotImplementedError

    def plan(self, _context, _candidates, _rng):
        answer = None
        for model in self.models:
            (answer,) = yield Call((Candidate(model),), {model: 1.0}, "panel")
        return Finish(answer)


def plug_in(folder: Path) -> None:
    """Install it, as a folder on the path."""
    info = folder / "plug_in_routers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in-routers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pointsman.routers]\npanel = tests.integration.plugin_routers:Panel\n")
