"""Extremely randomised trees: a model does on a request what it did where trees put it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.estimators.constant import averages
from routers.grove import Grove, Growth, View
from routers.parts import below, prefixed
from routers.rows import Rows
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, FloatArray, Outcomes

    Arrays = Mapping[str, NDArray[np.generic]]

#: Fewer rows than this grow no trees.
FEWEST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Learned:
    """The rows and their labels (empty where there is none), and what was grown on them, if they sufficed."""

    rows: Rows
    tasks: NDArray[np.str_]
    view: View | None = None
    grove: Grove | None = None


class Forest:
    """Estimate a reward as the mean over trees of the rewards in the leaf that the request falls into.

    Trees are offered the main directions of the embedding, its last `plain` numbers as they are (see `Wording`, whose
    numbers each mean something), and, where outcomes are labelled with tasks, the odds of each task, told by a
    classifier that had not seen the row. So a router that is never told the task knows what it can of it, and differs
    within a task where that pays.

    At a split a random threshold is drawn for each of a random `share` of the features, of which the best is taken.
    In a leaf with rewards `r` of a model,

        mean = (sum r + shrinkage * r_model) / (n + shrinkage)

    with the model's mean `r_model`. The standard error is that of such a leaf: trees that differ make the estimate
    better than that, by how much is not known. A request without an embedding gets the model's mean.

    Parameters: `trees`, how many; `leaf`, the fewest rows in a leaf; `share`, of the features, tried at a split;
    `plain`, how many of the embedding's last numbers are offered as they are; `shrinkage`, the weight of the model's
    mean, in observations; `seed` of what is drawn; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((40, 1), np.nan, np.float32)
    >>> sides = np.tile(np.array([[1, 0], [0, 1]], np.float32), (20, 1))
    >>> forest = Forest(trees=10, leaf=5)
    >>> forest.learn(Outcomes(("small",), sides, sides[:, :1], gap, gap))
    >>> forest.predict([Context("", 2, side) for side in sides[:2]], [Candidate("small")]).mean.round(1).tolist()
    [[1.0], [0.0]]

    Geurts, Ernst and Wehenkel, "Extremely randomized trees" (https://doi.org/10.1007/s10994-006-6226-1).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        trees: int = 150,
        leaf: int = 10,
        share: float = 0.3,
        *,
        plain: int = 0,
        shrinkage: float = 1.0,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        if trees < 1 or leaf < 1 or max_rows < 1:
            raise ValueError(f"trees={trees}, leaf={leaf} and max_rows={max_rows} must be at least 1")
        if not 0 < share <= 1:
            raise ValueError(f"share={share} must be above 0 and at most 1")
        if shrinkage < 0 or plain < 0:
            raise ValueError(f"shrinkage={shrinkage} and plain={plain} must not be negative")
        self.trees = trees
        self.leaf = leaf
        self.share = share
        self.plain = plain
        self.shrinkage = shrinkage
        self.seed = seed
        self.max_rows = max_rows
        self._learned = _Learned(Rows.empty(), np.zeros(0, np.str_))

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        learned = self._learned
        models = [candidate.model for candidate in candidates]
        average = averages(learned.rows.tally.of_models(models)).astype(np.float32)
        found = np.tile(average, (len(contexts), 1, 1))
        given = {row: context.embedding for row, context in enumerate(contexts) if context.embedding is not None}
        if learned.view is not None and learned.grove is not None and given:
            embeddings = np.stack(list(given.values())).astype(np.float32)
            learned.rows.check_length(embeddings.shape[1])
            said = spread(learned.grove.at(learned.view.of(embeddings)), learned.rows.models, models, np.nan)
            found[list(given)] = np.where(np.isnan(said), average, said)
        return Estimates(found[:, 0], found[:, 1])

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and grow the trees anew.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        learned = self._learned
        rows = learned.rows.append(outcomes, self.max_rows)
        tasks = np.concatenate([learned.tasks, _labels(outcomes)])[-self.max_rows :]
        used = np.flatnonzero(_usable(rows))
        if _too_few(used, self.leaf):
            self._learned = _Learned(rows, tasks)
            return
        view, features = View.fitted(rows.embeddings[used], tasks[used], self.plain, self.seed)
        grove = Grove.grown(features, _taken(rows, used), self._growth(self.trees))
        self._learned = _Learned(rows, tasks, view, grove)

    def cross_predict(self, outcomes: Outcomes, parts: NDArray[np.intp]) -> FloatArray:
        """Return for each row what a third of the trees say, grown on the rows of other parts; `[n, m]`, `parts` `[n]`.

        A row's task is told by those who have not seen the row, but may have seen others of its part: they know of
        tasks, and nothing of rewards.
        """
        rows = Rows.empty().append(outcomes, outcomes.n)
        said = np.empty(outcomes.rewards.shape, np.float32)
        usable = _usable(rows)
        features = View.fitted(rows.embeddings, _labels(outcomes), self.plain, self.seed)[1]
        for part in np.unique(parts):
            inside, learned = np.flatnonzero(parts == part), np.flatnonzero((parts != part) & usable)
            others = _taken(rows, np.flatnonzero(parts != part), tally=True)
            said[inside] = averages(others.tally)[0]
            asked = inside[usable[inside]]
            if len(asked) and not _too_few(learned, self.leaf):
                grown = replace(_taken(rows, learned), tally=others.tally)
                found = Grove.grown(features[learned], grown, self._growth(max(self.trees // 3, 1)))
                told = found.at(features[asked])[:, 0]
                said[asked] = np.where(np.isnan(told), said[asked], told)
        return said

    def state(self) -> Arrays:
        """Return the rows, their tasks, and what was grown."""
        learned = self._learned
        view = prefixed("view", learned.view.state()) if learned.view else {}
        grove = prefixed("grove", learned.grove.state()) if learned.grove else {}
        return {**prefixed("rows", learned.rows.state()), "tasks": learned.tasks, **view, **grove}

    def restore(self, state: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        view, grove = below("view", state), below("grove", state)
        self._learned = _Learned(
            Rows.restored(below("rows", state), self.max_rows),
            state["tasks"][-self.max_rows :].astype(np.str_),
            View.restored(view) if view else None,
            Grove.restored(grove) if grove else None,
        )

    def _growth(self, trees: int) -> Growth:
        return Growth(trees, self.leaf, self.share, self.shrinkage, self.seed)


def _labels(outcomes: Outcomes) -> NDArray[np.str_]:
    return np.array(outcomes.tasks or [""] * outcomes.n, np.str_)


def _usable(rows: Rows) -> NDArray[np.bool_]:
    """Tell which rows trees can be grown on: those with an embedding and a reward."""
    return np.asarray(rows.embeddings.any(axis=1) & ~np.isnan(rows.rewards).all(axis=1))


def _taken(rows: Rows, places: NDArray[np.intp], *, tally: bool = False) -> Rows:
    """Return some rows, with the means of all, or with their own if `tally`."""
    taken = Rows.of(rows.models, rows.embeddings[places], rows.rewards[places])
    return taken if tally else replace(taken, tally=rows.tally)


def _too_few(rows: NDArray[np.intp], leaf: int) -> bool:
    return len(rows) < max(FEWEST_ROWS, 2 * leaf)
