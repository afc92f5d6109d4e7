"""Chance from the operating system, asked for four kibibytes at a time."""

from __future__ import annotations

import os
from random import Random
from struct import Struct
from typing import Any, Final, NoReturn

#: Words of 64 bits that are fetched together: a request takes about six of them, and each question to the system is as
#: dear as twenty words are in memory.
_WORDS: Final = Struct("<512Q")
#: Words that nobody has had yet. Taking the last one is atomic: whichever threads ask, no two get the same.
_POOL: Final[list[int]] = []

# Else a child would go on with what its parent has, and both would draw the same ids.
os.register_at_fork(after_in_child=_POOL.clear)


class Entropy(Random):
    """What `random.SystemRandom` is, in a quarter of its time; it cannot be seeded, and has no state to be kept.

    It is for ids and for draws, not for secrets: what will be drawn next lies in memory.
    """

    def random(self) -> float:
        """Return a number that is at least 0 and less than 1, of 53 random bits."""
        return (_word() >> 11) * 2**-53

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of `k` random bits. Raises `ValueError` for less than none."""
        if k < 0:
            raise ValueError(f"{k} bits cannot be drawn: ask for none at least")
        value = bits = 0
        while bits < k:
            value = value << 64 | _word()
            bits += 64
        return value >> bits - k

    def seed(self, *_seed: Any, **_version: Any) -> None:
        """Do nothing: the system's chance has no seed."""

    def getstate(self) -> NoReturn:
        """Raise `NotImplementedError`: there is no state that would bring the same numbers again."""
        raise NotImplementedError("the system's chance has no state: use random.Random for numbers that come again")

    def setstate(self, _state: object) -> NoReturn:
        """Raise `NotImplementedError`, as `getstate` does."""
        raise NotImplementedError("the system's chance has no state: use random.Random for numbers that come again")


def _word() -> int:
    try:
        return _POOL.pop()
    except IndexError:
        _POOL.extend(_WORDS.unpack(os.urandom(_WORDS.size)))
        return _word()
