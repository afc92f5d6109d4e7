"""What may change while requests come: prices, what is behind a model's name, and which models there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from routers.types import Candidate, Price

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routers.types import Outcomes

T = TypeVar("T")

Kind = Literal["price", "swap", "add", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens once a share `at` of a stream is over.

    `price`: the model costs `factor` times as much. `swap`: two models earn and cost what the other did. `add`: the
    model was not there before. `remove`: it is not there any more.
    """

    kind: Kind
    models: tuple[str, ...]
    at: float
    factor: float = 1.0

    def __str__(self) -> str:
        """Return it as it is written on a command line."""
        factor = f"x{self.factor:g}" if self.kind == "price" else ""
        return f"{self.kind}:{','.join(self.models)}{factor}@{self.at:g}"


@dataclass(frozen=True, slots=True)
class World:
    """Who earns and costs what: candidate `i` has the outcomes of column `columns[i]`, its costs times `factors[i]`.

    `present` are the models that may be asked.

    >>> pool = [Candidate("a"), Candidate("b"), Candidate("new")]
    >>> before = World.before(pool, [Change("add", ("new",), 0.5)])
    >>> sorted(before.present), before.after(Change("swap", ("a", "b"), 0.5)).columns
    (['a', 'b'], (1, 0, 2))
    """

    candidates: tuple[Candidate, ...]
    columns: tuple[int, ...]
    factors: tuple[float, ...]
    present: frozenset[str]

    @classmethod
    def before(cls, candidates: Sequence[Candidate], changes: Iterable[Change]) -> World:
        """Return the world of a table whose columns are these candidates', without models that are to be added.

        Raises `ValueError` for a change of a model that is none of them.
        """
        models, absent = [candidate.model for candidate in candidates], set[str]()
        for change in changes:
            if strangers := [model for model in change.models if model not in models]:
                raise ValueError(f"{change}: there is no model {strangers[0]!r}")
            absent |= set(change.models) if change.kind == "add" else set()
        m = len(models)
        return cls(tuple(candidates), tuple(range(m)), (1.0,) * m, frozenset(models) - absent)

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of all candidates, also of those that are absent."""
        return tuple(candidate.model for candidate in self.candidates)

    def after(self, change: Change) -> World:
        """Return the world after a change."""
        if change.kind == "add":
            return replace(self, present=self.present | set(change.models))
        if change.kind == "remove":
            return replace(self, present=self.present - set(change.models))
        places = [self.models.index(model) for model in change.models]
        if change.kind == "price":
            return replace(self, factors=_at(self.factors, places[0], self.factors[places[0]] * change.factor))
        first, second = places
        columns = _at(_at(self.columns, first, self.columns[second]), second, self.columns[first])
        return replace(self, columns=columns)

    def seen(self, table: Outcomes) -> Outcomes:
        """Return what comes of a table's requests in this world, of all models, also those that are absent."""
        moved = table.of_models([self.models[column] for column in self.columns])
        return replace(moved, models=self.models, costs_usd=moved.costs_usd * np.array(self.factors, np.float32))

    def pool(self) -> tuple[Candidate, ...]:
        """Return the candidates that may be asked, at the prices of this world."""
        pairs = zip(self.candidates, self.factors, strict=True)
        return tuple(_priced(candidate, factor) for candidate, factor in pairs if candidate.model in self.present)


def worlds_of(world: World, changes: Sequence[Change], n: int) -> list[tuple[int, World]]:
    """Return the worlds of a stream of `n` requests, each with the number of the request that it begins with.

    `world` is the first. Changes at the same request are one step.
    """
    found = {0: world}
    for change in sorted(changes, key=lambda change: change.at):
        world = world.after(change)
        found[round(change.at * n)] = world
    return sorted(found.items())


def _priced(candidate: Candidate, factor: float) -> Candidate:
    if candidate.price is None or factor == 1:
        return candidate
    price, times = candidate.price, Decimal(factor)
    cached = None if price.cached_input is None else price.cached_input * times
    return replace(candidate, price=Price(price.input * times, price.output * times, cached))


def _at(values: tuple[T, ...], place: int, value: T) -> tuple[T, ...]:
    return (*values[:place], value, *values[place + 1 :])
