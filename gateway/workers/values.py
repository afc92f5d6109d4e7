"""What the parent keeps for its workers: values and hashes by name, as Redis would for replicas."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Values that are kept; of more, those that were set longest ago are forgotten.
MOST: Final = 100_000


class Values:
    """Understands of Redis's commands those that sharing needs; all texts. `clock` is of seconds, monotonic."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        #: Each with when it ends.
        self._values: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._hashes: dict[str, dict[str, str]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def run(self, commands: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
        """Do what several commands say, one after the other, and return the answer to each."""
        return [getattr(self, name)(**details) for name, details in commands]

    def get(self, name: str) -> str | None:
        """Return a value that has not ended."""
        value, ends = self._values.get(name, (None, 0.0))
        return value if ends > self._clock() else None

    def mget(self, keys: Sequence[str]) -> list[str | None]:
        """Return several values."""
        return [self.get(name) for name in keys]

    def set(self, name: str, value: str, life_s: float | None, *, only_new: bool) -> bool:
        """Keep a value for so many seconds, or for ever; tell whether it was taken: one that is there may stay."""
        if only_new and self.get(name) is not None:
            return False
        self._values[name] = value, float("inf") if life_s is None else self._clock() + life_s
        self._values.move_to_end(name)
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return True

    def hgetall(self, name: str) -> dict[str, str]:
        """Return all fields of a hash."""
        return self._hashes.get(name, {})

    def hset(self, name: str, mapping: Mapping[str, str]) -> int:
        """Set fields of a hash; return how many."""
        self._hashes.setdefault(name, {}).update(mapping)
        return len(mapping)

    def hdel(self, name: str, keys: Sequence[str]) -> int:
        """Take fields away; return how many were there."""
        found = self._hashes.get(name, {})
        return sum(found.pop(key, None) is not None for key in keys)
