"""The signal `difficulty`: how hard the last user turn is, and how much it gains from thinking first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.signals.base import Kind
from gateway.signals.difficulty.features import cut
from gateway.signals.difficulty.model import DIMENSION, DifficultyModel
from gateway.signals.encoder import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray


class DifficultySignal:
    """Gives `difficulty` and `reasoning`.

    `encoder` is the name of what embeds: the vectors of any but the built-in one are left aside. Without an embedding
    it is less sure, and says so. A text without a letter or a digit gives nothing. Raises `DifficultyError` where the
    fitted weights are damaged.
    """

    name = "difficulty"
    provides: ClassVar[Mapping[str, Kind]] = {
        "difficulty": Kind.NUMBER,
        "difficulty.confidence": Kind.NUMBER,
        "difficulty.truncated": Kind.TRUTH,
        "difficulty.ood": Kind.NUMBER,
        "reasoning": Kind.NUMBER,
        "reasoning.confidence": Kind.NUMBER,
    }
    reads_embedding: bool = True
    #: The longest reading, of 1,800 characters of code, takes half a millisecond.
    blocking = True

    def __init__(self, model: DifficultyModel | None = None, *, encoder: str = "minilm") -> None:
        self._model = model or DifficultyModel.load()
        self.reads_embedding = encoder in BUILT_IN

    def read(self, request: Request, embedding: FloatArray | None) -> dict[str, Feature]:
        """Return the readings of the last user turn; nothing where it says nothing."""
        if not any(map(str.isalnum, cut(request.text)[0])):
            return {}
        reading = self._model.read(request.text, embedding if self._fits(embedding) else None)
        return {
            "difficulty": reading.difficulty,
            "difficulty.confidence": reading.difficulty_confidence,
            "difficulty.truncated": reading.truncated,
            "difficulty.ood": reading.ood,
            "reasoning": reading.reasoning,
            "reasoning.confidence": reading.reasoning_confidence,
        }

    def _fits(self, embedding: FloatArray | None) -> bool:
        return self.reads_embedding and embedding is not None and embedding.shape == (DIMENSION,)
