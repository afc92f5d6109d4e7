"""What figures are compared with: one JSON parse of a body, one text alone through an encoder."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from statistics import median

from servers import pinned
from targets import TURN_CHARACTERS, text

from gateway.signals.encoder import EncoderError, open_encoder


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """Microseconds of a JSON parse by size of prompt, and milliseconds of a text through the sentence encoder."""

    parse_us: dict[str, float]
    encode_ms: float | None


def yardsticks(bodies: dict[str, bytes], core: int) -> Yardsticks:
    """Measure them, on the core of what they are compared with."""
    with pinned(core):
        return Yardsticks({name: _parse_us(body) for name, body in bodies.items()}, _encode_ms())


def _parse_us(body: bytes) -> float:
    """Return the least processor time of many parses: what disturbs one adds to it."""
    times = max(5, 2_000_000 // len(body))
    best = float("inf")
    for _ in range(5):
        before = time.process_time()
        for _ in range(times):
            json.loads(body)
        best = min(best, (time.process_time() - before) / times)
    return best * 1e6


def _encode_ms() -> float | None:
    """Return the median time of a text as long as those of the load, each another, and each alone."""
    try:
        encoder = open_encoder("minilm")
    except EncoderError:
        return None
    seconds = []
    for number in range(40):
        before = time.perf_counter()
        encoder.encode([f"{number:016} {text(TURN_CHARACTERS)}"])
        seconds.append(time.perf_counter() - before)
    return median(seconds[5:]) * 1000
