"""Hashed n-grams of a text's windows: what the safety classifier's weights are for.

Words alone, in twos and threes, and runs of characters, each hashed into a bucket (Weinberger et al. 2009,
arXiv:0902.2206). A feature is there or not: how often does not count. All is done in whole arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Buckets = NDArray[np.uint32]
    Hashes = NDArray[np.uint64]

#: Buckets, as a power of two.
BITS = 18
#: Characters of a window, and from one window's start to the next: windows overlap by a third.
WINDOW, STEP = 480, 320
#: A text that is no longer than this is one window.
WHOLE = 640
#: How many characters a run has.
RUNS = (3, 4, 5)

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_PRIME = np.uint64(0x100000001B3)
_MAX_WORD = 64
_POWERS = np.cumprod(np.full(_MAX_WORD, _PRIME, np.uint64))
_KNOWN = 0x3000
_IS_WORD = np.array([chr(code).isalnum() for code in range(_KNOWN)])
#: Beyond the tables all is letters, but for the signs of East Asian writing and for pictures.
_SIGNS_END, _EMOJI, _EMOJI_END = 0x3040, 0x1F000, 0x1FFFF
_IS_SPACE = np.array([chr(code).isspace() for code in range(_KNOWN)])
_SPACE, _DIGIT, _NINE = 32, 48, 57
_HANGUL, _HANGUL_END = 0xAC00, 0xD7A3


def windows(length: int) -> list[tuple[int, int]]:
    """Return where the windows of a text of `length` characters start and end; they cover all of it."""
    if length <= WHOLE:
        return [(0, length)]
    starts = [*range(0, length - WINDOW, STEP), length - WINDOW]
    return [(start, start + WINDOW) for start in starts]


def buckets(text: str) -> Buckets:
    """Return the buckets of a plain text's features, sorted, each once."""
    codes = np.frombuffer(text.encode("utf-32-le", "ignore"), np.uint32).astype(np.uint64)
    codes[(codes >= _DIGIT) & (codes <= _NINE)] = _DIGIT
    is_word, is_space = _kinds(codes)
    hashes = [*_word_hashes(codes, is_word), *_run_hashes(_single_spaced(codes, is_space))]
    if not hashes:
        return np.empty(0, np.uint32)
    return np.unique((np.concatenate(hashes) * _SPREAD >> np.uint64(64 - BITS)).astype(np.uint32))


def words(text: str) -> Buckets:
    """Return the buckets of a plain text's single words, each once: what is looked up to see how known it is."""
    codes = np.frombuffer(text.encode("utf-32-le", "ignore"), np.uint32).astype(np.uint64)
    codes[(codes >= _DIGIT) & (codes <= _NINE)] = _DIGIT
    single = _word_hashes(codes, _kinds(codes)[0])[:1]
    if not single:
        return np.empty(0, np.uint32)
    return np.unique((single[0] * _SPREAD >> np.uint64(64 - BITS)).astype(np.uint32))


def _kinds(codes: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    low = np.minimum(codes, _KNOWN - 1).astype(np.intp)
    beyond = (codes > _SIGNS_END) & ~((codes >= _EMOJI) & (codes <= _EMOJI_END))
    return _IS_WORD[low] | beyond, _IS_SPACE[low] | (codes == _KNOWN)


def _word_hashes(codes: Hashes, is_word: NDArray[np.bool_]) -> list[Hashes]:
    """Return hashes of words, of pairs (neighbours, and with one between) and of three in a row."""
    places = np.flatnonzero(is_word)
    if not len(places):
        return []
    inside = codes[places]
    # Scripts that are written without spaces: each character is a word.
    alone = (inside >= _KNOWN) & ~((inside >= _HANGUL) & (inside <= _HANGUL_END))
    first = np.ones(len(places), bool)
    first[1:] = (np.diff(places) > 1) | alone[1:] | alone[:-1]
    starts = np.flatnonzero(first)
    position = np.arange(len(places)) - np.repeat(starts, np.diff([*starts, len(places)]))
    single: Hashes = np.add.reduceat(_mixed(inside) * _POWERS[np.minimum(position, _MAX_WORD - 1)], starts)
    found = [_mixed(single)]
    if len(single) > 1:
        found.append(_mixed(single[:-1] * np.uint64(3) + single[1:] * np.uint64(5)))
    if len(single) > 2:
        found.append(_mixed(single[:-2] * np.uint64(7) + single[2:] * np.uint64(11)))
        found.append(_mixed(single[:-2] * np.uint64(13) + single[1:-1] * np.uint64(17) + single[2:] * np.uint64(19)))
    return found


def _single_spaced(codes: Hashes, is_space: NDArray[np.bool_]) -> Hashes:
    """Return the codes with each stretch of white space as one space, and a space at both ends."""
    keep = ~is_space
    keep[1:] |= ~is_space[:-1]
    spaced = np.where(is_space, np.uint64(_SPACE), codes)[keep]
    return np.concatenate([[np.uint64(_SPACE)], spaced, [np.uint64(_SPACE)]]).astype(np.uint64)


def _run_hashes(codes: Hashes) -> list[Hashes]:
    mixed = _mixed(codes)
    found = []
    for length in RUNS:
        count = len(mixed) - length + 1
        if count > 0:
            run = np.full(count, length, np.uint64)
            for offset in range(length):
                run = run * _PRIME + mixed[offset : offset + count]
            found.append(_mixed(run))
    return found


def _mixed(values: Hashes) -> Hashes:
    """Spread the bits of each value (the finaliser of splitmix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
