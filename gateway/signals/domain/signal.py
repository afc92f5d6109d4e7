"""The signal `domain`, as the gateway reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.signals.base import Kind
from gateway.signals.domain.views import CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from gateway.signals.domain.classifier import DomainClassifier
    from routers.types import Feature, FloatArray

#: A long request is compared with as many rows in 0.3 ms, about.
ROWS_AT_ONCE = 150
#: What is longer is not read whole: the encoder reads 256 tokens, the classifier as many characters of the words.
MAX_CHARACTERS = 2 * CHARACTERS


class DomainSignal:
    """Tells which of the user's classes a request's last user turn belongs to.

    It knows nothing of an empty text, nor where the embedding is missing. `domain.truncated` says that the text
    is longer than what the encoder and the classifier are sure to read, 512 characters.
    """

    name = "domain"
    reads_embedding = True
    provides: ClassVar[Mapping[str, Kind]] = {
        "domain": Kind.TEXT,
        "domain.confidence": Kind.NUMBER,
        "domain.ood": Kind.NUMBER,
        "domain.second": Kind.TEXT,
        "domain.margin": Kind.NUMBER,
        "domain.truncated": Kind.TRUTH,
    }

    def __init__(self, classifier: DomainClassifier) -> None:
        self._classifier = classifier

    @property
    def blocking(self) -> bool:
        """Tell whether there are so many examples that comparing takes longer than 0.3 ms."""
        return self._classifier.size > ROWS_AT_ONCE

    def read(self, request: Request, embedding: FloatArray | None) -> dict[str, Feature]:
        """Return the class of a request and how sure that is; nothing where there is no text or no embedding."""
        if embedding is None or not request.text.strip():
            return {}
        reading = self._classifier.read(embedding, request.text)
        return {
            "domain": reading.domain,
            "domain.confidence": reading.confidence,
            "domain.ood": reading.ood,
            "domain.second": reading.second,
            "domain.margin": reading.margin,
            "domain.truncated": len(request.text) > MAX_CHARACTERS,
        }
