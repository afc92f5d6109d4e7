"""Sums by model and group of requests: what replicas add up, and what is left of it once it has faded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from routers.fading import Fading

    Column = NDArray[np.float64]

#: Stands between the parts of a sum's name. It is in no name of a model; a group comes last, and may have it.
BETWEEN: Final = "|"
#: Stands between the name of a part and those of its sums.
_BELOW: Final = ">"


@dataclass(frozen=True, slots=True)
class Cells:
    """Numbers that add up, `k` of them for each model in each group of requests.

    >>> cells = Cells.of(["a", "a", "b"], ["x", "y", "x"], np.array([[1.0, 0.5], [1.0, 1.0], [1.0, 0.0]]))
    >>> cells.totals(["a", "new"], 2).tolist(), cells.at(["a", "b"], "x", 2).tolist()
    ([[2.0, 0.0], [1.5, 0.0]], [[1.0, 1.0], [0.5, 0.0]])
    """

    known: Mapping[tuple[str, str], Column] = field(default_factory=dict)

    @classmethod
    def of(cls, models: Sequence[str], groups: Sequence[str], numbers: Column) -> Cells:
        """Return the sums of rows: row `i` of `numbers` `[n, k]` is of model `models[i]` in group `groups[i]`."""
        return cls(_added(zip(zip(models, groups, strict=True), numbers, strict=True)))

    @classmethod
    def faded(cls, sums: Sums, part: str, fading: Fading, now: float) -> Cells:
        """Return what is left by now of the sums that `spans_summed` returned under the name `part`."""
        found = []
        for name in sorted(sums.parts):
            if name.startswith(part + BETWEEN):
                _, span, model, group = name.split(BETWEEN, 3)
                found.append(((model, group), sums[name] * fading.share(int(span), now)))
        return cls(_added(found))

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models, in order."""
        return tuple(sorted({model for model, _ in self.known}))

    def __add__(self, other: Cells) -> Cells:
        return Cells(_added([*self.known.items(), *other.known.items()]))

    def __sub__(self, other: Cells) -> Cells:
        return self + Cells({key: -numbers for key, numbers in other.known.items()})

    def at(self, models: Sequence[str], group: str, width: int) -> Column:
        """Return what is in one group, `[k, m]`, `k` being `width`; zeros where there is nothing."""
        nothing = np.zeros(width)
        columns = [self.known.get((model, group), nothing) for model in models]
        return np.array(columns).reshape(len(models), width).T

    def totals(self, models: Sequence[str], width: int) -> Column:
        """Return what is in all groups together, `[k, m]`."""
        return self.together().at(models, "", width)

    def together(self) -> Cells:
        """Return the sums over all groups, as of the group without a name."""
        return Cells(_added(((model, ""), numbers) for (model, _), numbers in self.known.items()))

    def at_most(self, rows: float) -> Cells:
        """Return cells in which no model counts for more than so many rows: of its numbers the first is how many."""
        counts = {model: numbers[0] for (model, _), numbers in self.together().known.items()}
        shares = {model: min(rows / count, 1.0) if count > 0 else 1.0 for model, count in counts.items()}
        return Cells({key: numbers * shares[key[0]] for key, numbers in self.known.items()})

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return its arrays, in the order of models and groups."""
        keys = sorted(self.known)
        numbers = np.array([self.known[key] for key in keys], np.float64)
        names = {"models": [model for model, _ in keys], "groups": [group for _, group in keys]}
        return {name: np.array(values, np.str_) for name, values in names.items()} | {"numbers": numbers}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Cells:
        """Return what `state` returned. Raises `KeyError`."""
        numbers = state["numbers"].astype(np.float64)
        keys = zip(state["models"].tolist(), state["groups"].tolist(), strict=True)
        return cls(dict(zip(keys, numbers, strict=True)))


def spans_summed(
    part: str, fading: Fading, rows: tuple[Sequence[str], Sequence[str], NDArray[np.float64]], numbers: Column
) -> Sums:
    """Return the sums of rows by span of time, model and group, under the name `part`.

    `rows` are the models, groups and times, each of length `n`; `numbers` is `[n, k]`. Each row is rounded by itself,
    so that batches of any size add up to the same.
    """
    models, groups, times = rows
    fixed = Sums.of({part: numbers}).parts[part]
    parts: dict[str, NDArray[np.int64]] = {}
    for span, model, group, row in zip(fading.spans(times).tolist(), models, groups, fixed, strict=True):
        name = BETWEEN.join([part, str(span), model, group])
        parts[name] = parts[name] + row if name in parts else row
    return Sums(parts)


def under(prefix: str, sums: Sums) -> Sums:
    """Put a part's sums under a name of its own, as others may have sums of the same names."""
    return Sums({prefix + _BELOW + name: part for name, part in sums.parts.items()})


def of_part(prefix: str, sums: Sums) -> Sums:
    """Return the sums that `under` put there, by the part's own names."""
    start = prefix + _BELOW
    return Sums({name.removeprefix(start): part for name, part in sums.parts.items() if name.startswith(start)})


def joined(parts: Iterable[Sums]) -> Sums:
    """Return all of them together."""
    total = Sums()
    for part in parts:
        total += part
    return total


def _added(rows: Iterable[tuple[tuple[str, str], Column]]) -> dict[tuple[str, str], Column]:
    found: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for key, numbers in rows:
        found[key].append(numbers)
    return {key: np.sum(several, axis=0) for key, several in found.items()}
