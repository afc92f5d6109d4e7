"""A router with a gate that looks at answers, and what both have learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from routers.gates.fitted import gate_state, restore_gate
from routers.nested import load_around, save_around
from routers.plans.around import Around
from routers.state import read_manifest
from routers.types import Naming, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from routers.types import Gate, Router

#: The kind of a state in which a gate's is beside the router's.
GATED: Final = "gated"


class Checking(Around):
    """What a plan that has answers looked at shares with the others of its kind."""

    def __init__(self, router: Router, gate: Gate) -> None:
        super().__init__(router)
        self.gate = gate

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the router and the gate read."""
        return self.router.requires | self.gate.requires

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the options of the router and of the gate name."""
        return super().named | (self.gate.named if isinstance(self.gate, Naming) else frozenset())

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what the router learned, and what the gate was fitted to."""
        arrays = gate_state(self.gate)
        if not arrays:
            super().save(directory, encoder=encoder, metadata=metadata)
            return
        save_around(self.router, GATED, arrays, directory, encoder=encoder, metadata=metadata)

    def load(self, directory: Path) -> None:
        """Replace what the router learned, and what the gate was fitted to. Raises `StateError`."""
        if read_manifest(directory).router != GATED:
            super().load(directory)
            return
        arrays = load_around(self.router, GATED, directory)
        try:
            restore_gate(self.gate, arrays)
        except KeyError as missing:
            message = f"{directory} was fitted with another gate ({missing}); run `pointsman train`"
            raise StateError(message) from missing
