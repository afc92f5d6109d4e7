"""How many tokens a text has: estimated for any tokeniser that is known, or counted."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gateway.signals.token_weights import FAMILIES, TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: The family that is meant where none is named.
ESTIMATED = "o200k"
#: Of longer texts so many pieces of so many characters are looked at, evenly spread.
WINDOWS, WINDOW_CHARACTERS = 32, 128
SAMPLED_CHARACTERS = WINDOWS * WINDOW_CHARACTERS
#: A family whose tokeniser nobody can look at, as more than o200k would take: a margin of caution, not a measurement.
UNMEASURED = {"claude": 1.2}
#: Code points from here on are of the same kind, so that the tables end here.
LAST_CODE_POINT = 0x1FFFF
#: How many characters ASCII has.
ASCII = 128


class TokenizerError(ValueError):
    """A tokeniser cannot be had; the message names it and the remedy."""


class _Table:
    """The weights as arrays: `kinds` `[code points]`, `runs` `[kinds]`, and `weights` `[families, 2, kinds]`."""

    def __init__(self) -> None:
        rows = [line.split(" | ") for line in TABLE.splitlines()]
        self.kinds = np.zeros(LAST_CODE_POINT + 1, np.uint8)
        for kind, (_, ranges, *_rest) in enumerate(rows):
            for ends in ranges.split():
                first, _, last = ends.partition("-")
                self.kinds[int(first, 16) : int(last or first, 16) + 1] = kind
        letters = [len(name) == 1 for name, *_ in rows]
        self.runs = np.array([letters.index(True) if letters[kind] else kind for kind in range(len(rows))], np.uint8)
        costs = np.array([[cell.split() for cell in row[2:]] for row in rows], np.float64)
        self.weights = np.ascontiguousarray(costs.transpose(1, 2, 0))


TABLE_OF_KINDS = _Table()
#: The classes of characters: ASCII's are their code points, so that the bytes of a text in ASCII are its classes; all
#: others' are their kinds, above ASCII's.
_CLASSES = TABLE_OF_KINDS.kinds + np.uint8(ASCII)
_CLASSES[:ASCII] = np.arange(ASCII)
_PAIR = np.dtype("<u2")
_COLUMNS = {family: column for column, family in enumerate(FAMILIES)}


def estimate_tokens(text: str, family: str = ESTIMATED) -> float:
    """Return about how many tokens a text has in a family: one of `FAMILIES` or of `UNMEASURED`.

    Mean errors are about 7 % for prompts, 6 % for code and 8 % over 67 languages (`benchmarks/length.py`). The work is
    bounded: of a text of more than 4,096 characters an even sample is looked at, whose own error is 1.2 to 1.8 % of the
    estimate for the whole text. Raises `KeyError` for another family.
    """
    costs = _costs(family)
    sample = text if len(text) <= SAMPLED_CHARACTERS else _sample(text)
    if not sample:
        return 0.0
    classes = _classes(sample)
    # A character's class and the one before it are the two bytes of one number, and the numbers of all characters are
    # read where the classes lie, each a byte after the last: a third of the time of comparing and counting runs.
    pairs: NDArray[np.uint16] = np.ndarray((len(classes) - 1,), _PAIR, classes, 0, (1,))
    hundredths = costs.first[classes[0]] + int(np.add.reduce(costs.pairs.take(pairs), dtype=np.int64))
    return hundredths / 100 * costs.margin * (len(text) / len(sample))


def estimate_pieces(text: str, pieces: Sequence[tuple[int, int]]) -> list[float]:
    """Return what `estimate_tokens` says of each of some pieces of a text, in one pass over the text.

    A piece is told by where it begins and where it ends, and is not empty. The text must have no more than
    `SAMPLED_CHARACTERS`, so that all of it is looked at.
    """
    costs, classes = _costs(ESTIMATED), _classes(text)
    pairs: NDArray[np.uint16] = np.ndarray((len(classes) - 1,), _PAIR, classes, 0, (1,))
    # What all characters after the first cost, up to each: what a piece costs is a difference of two of these.
    sums = np.zeros(len(classes), np.int64)
    np.add.accumulate(costs.pairs.take(pairs), dtype=np.int64, out=sums[1:])
    return [
        (costs.first[classes[begin]] + int(sums[end - 1] - sums[begin])) / 100 * costs.margin for begin, end in pieces
    ]


def _classes(text: str) -> bytes:
    if text.isascii():
        return text.encode()
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return _CLASSES.take(points, mode="clip").tobytes()


class _Costs(NamedTuple):
    """What characters cost in a family, in hundredths of a token: their sum is the same in any order.

    `pairs` has what a character costs at 256 times its class, and the class before it: a run of characters costs when
    it begins. `first` is what the first character costs, by its class; `margin` is what the sum is multiplied by.
    """

    pairs: NDArray[np.uint16]
    first: list[int]
    margin: float


@cache  # of `FAMILIES` and `UNMEASURED`, as others raise
def _costs(family: str) -> _Costs:
    table = TABLE_OF_KINDS
    weights = table.weights[0 if family in UNMEASURED else _COLUMNS[family]]
    characters, runs = np.rint(weights * 100).astype(np.int64)
    kinds = np.concatenate((table.kinds[:ASCII], np.arange(len(table.runs), dtype=np.uint8)))
    run = table.runs[kinds]
    pairs = np.zeros((len(kinds), 256), np.int64)
    pairs[:, : len(kinds)] = characters[kinds, None] + np.where(run[:, None] == run, 0, runs[run, None])
    # The smaller the table, the more of it stays in the processor's cache.
    first = (characters[kinds] + runs[run]).tolist()
    return _Costs(pairs.ravel().astype(np.uint16), first, UNMEASURED.get(family, 1.0))


def _sample(text: str) -> str:
    step = (len(text) - WINDOW_CHARACTERS) // (WINDOWS - 1)
    starts = range(0, WINDOWS * step, step)
    return "".join([text[start : start + WINDOW_CHARACTERS] for start in starts])


class Tokenizer:
    """Counts the tokens of `o200k_base` or `cl100k_base` with the package bpe-openai, which need not be installed.

    Raises `TokenizerError` where it is not.
    """

    def __init__(self, name: str) -> None:
        try:
            package: Any = import_module("bpe_openai")
        except ModuleNotFoundError as error:
            raise TokenizerError(
                f"the tokeniser {name!r} needs the package bpe-openai, which is not installed: pip install bpe-openai, "
                "or set signals.length.tokenizer to 'estimate', which needs nothing"
            ) from error
        self._encoding = package.get_encoding(name)

    def count(self, text: str) -> int:
        """Return how many tokens a text has; what UTF-8 cannot express counts as a question mark."""
        return len(self._encoding.encode_ordinary(text.encode(errors="replace").decode()))
