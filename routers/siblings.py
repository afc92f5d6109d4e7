"""What one effort of a model tells of another: they are the same model, asked in another way."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from routers.cells import Cells
from routers.efforts import LEVELS, MOST_TOKENS, Effort, split

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: How far the rewards of two efforts of a model differ, a standard deviation: what a stand-in leaves in doubt.
DISTANCE: Final = 0.1
#: Observations that all other efforts of a model count for together, as if they had been made of this one.
BORROWED_ROWS: Final = 10.0
#: How much efforts of a model vary in ability, of the variance between all candidates.
VARIANCE_SHARE: Final = 0.1
#: How long answers are, reasoning included, beside those at a medium effort: rough, and forgotten once some were seen.
LENGTHS: Final = dict(zip(LEVELS, (0.5, 0.6, 0.7, 1.0, 1.5, 2.0, 3.0), strict=True))
#: The budgets in tokens up to which reasoning counts as low, medium and high.
BUDGETS: Final = ((1024, "low"), (8192, "medium"), (MOST_TOKENS, "high"))
#: What an effort is taken for that says nothing of reasoning.
_UNSAID: Final = "medium"


@lru_cache(maxsize=1024)
def stand_in(name: str, known: tuple[str, ...]) -> str | None:
    """Return who tells most of a candidate that is not among the known: the nearest effort of its model, if any is.

    Of two as near the lesser, which is cheaper to be wrong about.

    >>> stand_in("gpt-5@low", ("gpt-5", "gpt-5@high", "other@low")), stand_in("gpt-5", ("other",))
    ('gpt-5', None)
    """
    if name in known:
        return None
    base, effort = split(name)
    kin = [(abs(_place(other) - _place(effort)), _place(other), one) for one, other in _efforts(base, known)]
    return min(kin)[2] if kin else None


@lru_cache(maxsize=1024)
def stood_in(names: tuple[str, ...], known: tuple[str, ...]) -> Mapping[int, str]:
    """Return who stands in for those candidates of which nothing is known, by their places.

    It is not to be changed. A gateway asks for the same few pools over and over.
    """
    found = ((place, stand_in(name, known)) for place, name in enumerate(names))
    return MappingProxyType({place: name for place, name in found if name is not None})


def completion_tokens(name: str, known: Mapping[str, float], default: float) -> float:
    """Return how long a candidate's completions are on average: as those known, else as other efforts let expect.

    No longer than the candidate lets an answer be.

    >>> completion_tokens("m@high", {"m@low": 700.0}, default=256.0)
    1500.0
    """
    if name in known:
        return known[name]
    effort = split(name)[1]
    sibling = stand_in(name, tuple(known))
    length = default * _length(effort) if sibling is None else known[sibling] * _length(effort) / _length_of(sibling)
    return length if effort.max_tokens is None else min(length, float(effort.max_tokens))


def with_borrowed(cells: Cells) -> Cells:
    """Return sums to which the other efforts of a model have lent theirs, as at most `BORROWED_ROWS`.

    Of a sum's numbers the first is how many rows it has. A power prior: what one effort earned is evidence for another,
    at a discount (Ibrahim and Chen, "Power Prior Distributions for Regression Models", 2000).
    """
    lent = Cells()
    for model in cells.models:
        kin = {name for name, _ in _efforts(split(model)[0], cells.models)} - {model}
        theirs = [(group, numbers) for (name, group), numbers in cells.known.items() if name in kin]
        rows = sum(float(numbers[0]) for _, numbers in theirs)
        share = min(BORROWED_ROWS / rows, 1.0) if rows > 0 else 0.0
        for group, numbers in theirs:
            lent += Cells({(model, group): numbers * share})
    return cells + lent


def _efforts(base: str, names: Collection[str]) -> list[tuple[str, Effort]]:
    """Return those of the names that are efforts of a model, itself included."""
    return [(name, effort) for name in names for of, effort in [split(name)] if of == base]


def _place(effort: Effort) -> int:
    if effort.budget is not None:
        level = next(level for tokens, level in BUDGETS if effort.budget <= tokens)
        return LEVELS.index(level)
    return LEVELS.index(effort.level or _UNSAID)


def _length(effort: Effort) -> float:
    return LENGTHS[LEVELS[_place(effort)]]


def _length_of(name: str) -> float:
    return _length(split(name)[1])
