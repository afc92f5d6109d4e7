"""How a router is told what came of its choices: by sums, or fitted anew to all that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from routers.observations import Folding, Summing
from routers.sums import Sums
from routers.types import Outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from routers.observations import Observations
    from routers.types import Context, Router

    Column = NDArray[np.float64]

#: A router that is fitted anew is so when what is known has grown by this share.
GROWTH: Final = 0.1


class Pupil(Protocol):
    """A router that is being told."""

    @property
    def router(self) -> Router:
        """Return it as it is by now."""
        ...

    def tell(self, told: Observations, now: float) -> None:
        """Let it learn."""
        ...


class Summed:
    """A router that learns by sums; `total` is all that it was told. Raises `TypeError` for one that does not."""

    def __init__(self, router: Router) -> None:
        if not isinstance(router, Summing):
            raise TypeError(f"{type(router).__name__} does not learn by sums")
        self.router: Router = router
        self._summing: Summing = router
        self.total = Sums()

    def tell(self, told: Observations, now: float) -> None:
        """Add the rows to what it was told before."""
        self.total += self._summing.sums(told)
        if isinstance(self._summing, Folding):
            self.total = self._summing.folded(self.total, now)
        self._summing.absorb(self.total, now)


class Refitted:
    """A router that is made anew, and fitted to all rated rows, as often as these have grown by a tenth.

    Parameters: `make` returns a router that knows no more than what it started from; `models` are those of the rows.
    """

    def __init__(self, make: Callable[[], Router], models: Sequence[str]) -> None:
        self._make = make
        self._models = tuple(models)
        self._rated: list[Observations] = []
        self._fitted = 0
        self.router = make()

    def tell(self, told: Observations, now: float) -> None:
        """Keep the rated rows, and fit to all of them where there are enough new ones."""
        del now
        self._rated.append(told.take(np.flatnonzero(~np.isnan(told.rewards))))
        rated = sum(one.n for one in self._rated)
        if rated > self._fitted * (1 + GROWTH):
            self._fitted = rated
            self.router = self._make()
            self.router.learn(self._table())

    def _table(self) -> Outcomes:
        """Return the rated rows as a table with gaps: of each request, what came of the model that answered it."""
        contexts = [context for one in self._rated for context in one.contexts]
        columns = np.array([self._models.index(action) for one in self._rated for action in one.actions])
        return Outcomes(
            models=self._models,
            embeddings=_embeddings(contexts),
            rewards=self._spread("rewards", columns),
            costs_usd=self._spread("costs_usd", columns),
            completion_tokens=self._spread("completion_tokens", columns),
            texts=tuple(context.text for context in contexts),
            prompt_tokens=tuple(context.prompt_tokens for context in contexts),
            propensities=np.concatenate([one.propensities for one in self._rated]),
        )

    def _spread(self, name: str, columns: NDArray[np.intp]) -> NDArray[np.float32]:
        values: Column = np.concatenate([getattr(one, name) for one in self._rated])
        found = np.full((len(values), len(self._models)), np.nan, np.float32)
        found[np.arange(len(values)), columns] = values
        return found


def _embeddings(contexts: Sequence[Context]) -> NDArray[np.float32]:
    width = max((len(one.embedding) for one in contexts if one.embedding is not None), default=0)
    missing = np.zeros(width, np.float32)
    return np.stack([missing if one.embedding is None else one.embedding for one in contexts])
