"""What names and descriptions alone say of a request: nearness in meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.domain.views import unit_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.signals.domain.examples import Classes
    from routers.types import FloatArray

#: What a description counts for where there are no examples; with n of them, as much as `FADING` / n.
MOST, FADING = 0.8, 6.0
#: A bare name counts for this share of what a description does.
NAME_SHARE = 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Scores a class by how much nearer a text is to its anchor `[k, d]` than general questions are, `[k]`.

    `counts` `[k]` says what that nearness is multiplied by.
    """

    anchors: FloatArray
    general: FloatArray
    counts: FloatArray

    @classmethod
    def fit(cls, classes: Classes, encode: Callable[[Sequence[str]], FloatArray], background: FloatArray) -> Prior:
        """Embed a class's description, or its name where it has none."""
        spoken = zip(classes.spoken, classes.descriptions, strict=True)
        anchors = unit_embeddings(encode([description or name for name, description in spoken]))
        share = np.where([bool(text) for text in classes.descriptions], 1.0, NAME_SHARE)
        examples = np.maximum([len(texts) for texts in classes.texts], 1)
        counts = share * np.minimum(MOST, FADING / examples)
        return cls(anchors, (background @ anchors.T).mean(axis=0), counts.astype(np.float32))

    def scores(self, embeddings: FloatArray) -> FloatArray:
        """Return a score for every class, `[m, k]`."""
        return np.asarray(self.counts * (embeddings @ self.anchors.T - self.general))
