"""How the text of a request reads: its wording and its looks, in numbers of about the same size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.lexical import Lexicon
from routers.parts import below, prefixed
from routers.surface import DIMENSIONS as LOOKS
from routers.surface import surface

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Arrays = Mapping[str, NDArray[np.generic]]

#: Dimensions of the wording.
LEXICAL = 100
#: How many numbers a text becomes.
READING = LEXICAL + LOOKS
#: What the two parts weigh beside an embedding of unit length. Chosen by how well tasks can be told apart.
_WORDING, _LOOKS = 4 / 3, 1 / 12
#: Beyond so many standard deviations a feature of the looks is cut.
_CUT = 4.0


@dataclass(frozen=True, slots=True)
class Tongue:
    """How texts are read: `lexicon`, and mean and scale of their looks, `[LOOKS]`."""

    lexicon: Lexicon
    center: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, texts: Sequence[str], seed: int) -> Tongue:
        """Fit to texts."""
        looks = np.stack([surface(text) for text in texts])
        spread = looks.std(axis=0)
        scale = np.where(spread > 0, spread, np.inf).astype(np.float32)
        return cls(Lexicon.of(texts, LEXICAL, seed), looks.mean(axis=0), scale)

    def read(self, text: str) -> FloatArray:
        """Return wording and looks of a text, `[READING]`."""
        reading = np.zeros(READING, np.float32)
        reading[: self.lexicon.dimensions] = _WORDING * self.lexicon.transform(text)
        reading[LEXICAL:] = _LOOKS * np.clip((surface(text) - self.center) / self.scale, -_CUT, _CUT)
        return reading

    def state(self) -> Arrays:
        """Return its arrays."""
        return {"center": self.center, "scale": self.scale, **prefixed("lexicon", self.lexicon.state())}

    @classmethod
    def restored(cls, state: Arrays) -> Tongue:
        """Return what `state` returned. Raises `KeyError`."""
        lexicon = below("lexicon", state)
        return cls(
            Lexicon(lexicon["weights"].astype(np.float32), lexicon["projection"].astype(np.float32)),
            state["center"].astype(np.float32),
            state["scale"].astype(np.float32),
        )
