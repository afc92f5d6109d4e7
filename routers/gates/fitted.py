"""What the gates of a plan were fitted to, as arrays: a gate may be made of others, and each has a place of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from routers.gates.calibrated import Calibrated
from routers.gates.combined import Several

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from routers.parts import Arrays
    from routers.types import Gate


@runtime_checkable
class Fitted(Protocol):
    """A gate that is fitted to answers and what became of them."""

    @property
    def is_fitted(self) -> bool:
        """Tell whether it has been fitted to anything."""
        ...

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what was learned, as arrays."""
        ...

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned by what `state` returned. Raises `KeyError`."""
        ...


def fitted_parts(gate: Gate, place: str = "gate") -> Iterator[tuple[str, Fitted]]:
    """Yield the gates that can be fitted, a gate itself among them, each with its place.

    A place names the kinds of gates on the way, so that what was fitted to one is not taken for another's.

    >>> from routers.gates.logprob import Logprob
    >>> [place for place, _ in fitted_parts(Calibrated(Logprob()))]
    ['gate.calibrated']
    """
    here = f"{place}.{type(gate).__name__.lower()}"
    if isinstance(gate, Fitted):
        yield here, gate
    if isinstance(gate, Calibrated):
        yield from fitted_parts(gate.gate, here)
    if isinstance(gate, Several):
        for number, part in enumerate(gate.gates):
            yield from fitted_parts(part, f"{here}.{number}")


def gate_state(gate: Gate) -> dict[str, NDArray[np.generic]]:
    """Return what a gate and its parts were fitted to; nothing where they were not."""
    parts = [(place, part.state()) for place, part in fitted_parts(gate) if part.is_fitted]
    return {f"{place}:{name}": array for place, state in parts for name, array in state.items()}


def restore_gate(gate: Gate, arrays: Arrays) -> None:
    """Replace what a gate and its parts were fitted to. Raises `KeyError` for arrays of other gates."""
    by_place: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, array in arrays.items():
        place, _, own = name.partition(":")
        if own:
            by_place.setdefault(place, {})[own] = array
    parts = dict(fitted_parts(gate))
    for place, state in by_place.items():
        parts[place].restore(state)
