"""The signal `pii`: which kinds of personal data a request holds."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from gateway.signals.base import Kind
from gateway.signals.pii.finder import find
from gateway.signals.pii.lexicon import lexicon
from gateway.signals.pii.texts import travelling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray

#: Characters of one text that are read, half from its head and half from its tail.
MAX_TEXT: Final = 200_000
#: Characters of one request that are read.
MAX_REQUEST: Final = 1_000_000


class PiiSignal:
    """Reads everything that travels with a request, and gives kinds and counts, never what it found.

    Each turn repeats those before it: the kinds in the last `cached` texts are kept by the SHA-256 of the text.
    Raises `LexiconError` where the files of the package are damaged.
    """

    name = "pii"
    provides: Mapping[str, Kind] = {
        "pii": Kind.TEXTS,
        "pii.count": Kind.NUMBER,
        "pii.unread": Kind.TEXTS,
        "pii.truncated": Kind.TRUTH,
    }
    reads_embedding = False
    blocking = True

    def __init__(self, cached: int = 8192) -> None:
        # Read now rather than at the first request.
        lexicon()
        self._cached = cached
        self._known: OrderedDict[bytes, tuple[tuple[str, int], ...]] = OrderedDict()
        self._lock = Lock()

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the kinds found, how many findings there are, what could not be read, and whether all was."""
        sent = travelling(request.body)
        counts: Counter[str] = Counter()
        left, truncated = MAX_REQUEST, False
        for text in sent.texts:
            taken = _shortened(text, min(MAX_TEXT, left))
            truncated |= len(taken) < len(text)
            left -= len(taken)
            counts.update(dict(self._kinds(taken)))
        return {
            "pii": tuple(sorted(counts)),
            "pii.count": float(counts.total()),
            "pii.unread": sent.unread,
            "pii.truncated": truncated,
        }

    def _kinds(self, text: str) -> tuple[tuple[str, int], ...]:
        key = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        found = tuple(Counter(finding.kind for finding in find(text)).items())
        with self._lock:
            self._known[key] = found
            while len(self._known) > self._cached:
                self._known.popitem(last=False)
        return found


def _shortened(text: str, limit: int) -> str:
    """Return the head and the tail of a text that is longer than the limit."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n{text[len(text) - half :]}" if half > 1 else ""
