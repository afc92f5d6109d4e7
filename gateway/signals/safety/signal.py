"""The signal `safety`: does a request try to get past the rules, or carry someone else's instructions?"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.signals._retrieved import in_prose
from gateway.signals.base import Kind
from gateway.signals.request import last_user_text
from gateway.signals.safety.classifier import JailbreakClassifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.signals.base import Request
    from gateway.signals.safety.classifier import SafetyReading
    from gateway.signals.safety.guard import Guard
    from routers.types import Feature, FloatArray

#: How many pieces that others wrote are read, the newest first, and how many of their characters together.
MAX_PIECES, MAX_PIECE_CHARACTERS = 8, 32_000
#: Of a user's turn, so many characters are searched for retrieved documents.
SEARCHED = 16_000
#: Whose content is not the user's word: what it orders is an injection. A tuple, as a request's role may be anything.
OTHERS = ("tool", "function")


class SafetySignal:
    """Reads the last user turn, and what tools and retrieved documents say, with a guard.

    With `reads_embedding` the guard is given the embedding of the user's turn; without, or where it missed its
    deadline, the guard does without. Raises `SafetyWeightsError` where the built-in guard's weights are damaged.
    """

    name = "safety"
    provides: ClassVar[Mapping[str, Kind]] = {
        "safety.jailbreak": Kind.NUMBER,
        "safety.harmful": Kind.NUMBER,
        "safety.injection": Kind.NUMBER,
        "safety.confidence": Kind.NUMBER,
        "safety.ood": Kind.NUMBER,
        "safety.truncated": Kind.TRUTH,
        "safety.deferred": Kind.TRUTH,
        "safety.rules": Kind.TEXTS,
    }
    reads_embedding = False
    #: 500 characters take half a millisecond, the longest text about ten.
    blocking = True

    def __init__(self, guard: Guard | None = None, *, reads_embedding: bool = False) -> None:
        self._guard = guard or JailbreakClassifier.load()
        self.reads_embedding = reads_embedding

    def read(self, request: Request, embedding: FloatArray | None) -> dict[str, Feature]:
        """Return what the guard found; nothing for a request in which neither the user nor anybody else speaks."""
        features: dict[str, Feature] = {}
        readings: list[tuple[str, SafetyReading]] = []
        if request.text.strip():
            own = self._guard.score(request.text, embedding if self.reads_embedding else None)
            readings.append(("", own))
            features |= {"safety.jailbreak": own.jailbreak, "safety.harmful": own.harmful}
            features |= {"safety.confidence": own.confidence, "safety.ood": own.ood, "safety.deferred": own.deferred}
        pieces, cut = _by_others(request)
        found = [self._guard.score(piece) for piece in pieces]
        if found:
            features["safety.injection"] = max(reading.jailbreak for reading in found)
            readings.extend(("injection:", reading) for reading in found)
        if features:
            rules = (f"{prefix}{rule}" for prefix, reading in readings for rule in reading.rules)
            features["safety.truncated"] = cut or any(reading.truncated for _, reading in readings)
            features["safety.rules"] = tuple(dict.fromkeys(rules))
        return features


def _by_others(request: Request) -> tuple[list[str], bool]:
    """Return what others than the user wrote, newest first and bounded, and whether something was left out."""
    kept: list[str] = []
    left = MAX_PIECE_CHARACTERS
    for text in _pieces(request):
        if left <= 0 or len(kept) == MAX_PIECES:
            return kept, True
        kept.append(text[:left])
        left -= len(text)
    return kept, left < 0


def _pieces(request: Request) -> Iterator[str]:
    for message in reversed(request.messages):
        if message.get("role") in OTHERS and (text := last_user_text({"messages": [message]})).strip():
            yield text
    yield from in_prose(request.text[:SEARCHED])
