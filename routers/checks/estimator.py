"""What every estimator must do."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np

from routers.checks.cases import DIMENSION, POOL, bare, contexts, outcomes, rows
from routers.checks.expect import expect, expect_arguments_kept, expect_documented

if TYPE_CHECKING:
    from collections.abc import Callable

    from routers.types import Estimates, Estimator

    MakeEstimator = Callable[[], Estimator]

#: How far sums in another order may lead.
TOLERANCE = 1e-5


def estimates_all_for_all(make: MakeEstimator) -> None:
    """There is a finite mean and standard error for every context and candidate, learned or not."""
    for estimator in (make(), _learned(make)):
        for n in (1, 3):
            estimates = estimator.predict(contexts(n), POOL)
            for name, array in (("mean", estimates.mean), ("std", estimates.std)):
                expect(array.shape == (n, len(POOL)), f"{name} is {array.shape}, not {(n, len(POOL))}")
                expect(np.isfinite(array).all(), f"{name} is not finite: {array}")
            expect((estimates.std >= 0).all(), f"a standard error is negative: {estimates.std}")
            expect(estimates.mean.min() >= 0, f"a reward below zero is expected: {estimates.mean}")
            expect(estimates.mean.max() <= 1, f"a reward above one is expected: {estimates.mean}")


def is_unsure_of_the_unknown(make: MakeEstimator) -> None:
    """Expect that a model of which nothing was observed is less certain than those that were."""
    std = _learned(make).predict(contexts(1), POOL).std[0]
    expect(std.argmax() == len(POOL) - 1, f"the model without outcomes has not the widest std: {std}")


def ignores_the_order_of_candidates(make: MakeEstimator) -> None:
    """Expect that a candidate's estimate does not depend on its place in the pool, nor on the others."""
    estimator = _learned(make)
    straight, reverse = (estimator.predict(contexts(2), pool) for pool in (POOL, POOL[::-1]))
    expect((straight.mean == reverse.mean[:, ::-1]).all(), "means depend on the order of candidates")
    expect((straight.std == reverse.std[:, ::-1]).all(), "standard errors depend on the order of candidates")
    alone = estimator.predict(contexts(2), POOL[:1])
    expect((alone.mean == straight.mean[:, :1]).all(), "a mean depends on the other candidates")


def estimates_alone_as_in_a_batch(make: MakeEstimator) -> None:
    """Expect that a context's estimate does not depend on the contexts beside it."""
    estimator, several = _learned(make), contexts(4)
    together = estimator.predict(several, POOL)
    for row, context in enumerate(several):
        alone = estimator.predict([context], POOL)
        expect(np.allclose(alone.mean[0], together.mean[row], atol=TOLERANCE), "a batch changes the means")


def does_without_its_signals(make: MakeEstimator) -> None:
    """Expect that a request whose signals did not arrive in time is estimated all the same."""
    estimates = _learned(make).predict([bare(contexts(1)[0], frozenset())], POOL)
    expect(np.isfinite(estimates.mean).all(), "no estimate without signals")


def declares_what_it_reads(make: MakeEstimator) -> None:
    """Signals that `requires` does not name make no difference."""
    estimator, several = _learned(make), contexts(3)
    needed = [bare(context, estimator.requires) for context in several]
    with_all, with_needed = (estimator.predict(given, POOL) for given in (several, needed))
    expect(_equal(with_all, with_needed), f"it reads more than {sorted(estimator.requires)}")


def predicting_changes_nothing(make: MakeEstimator) -> None:
    """Neither contexts nor what was learned change by predicting."""
    estimator, several = _learned(make), contexts(3)
    before, state = deepcopy(several), deepcopy(dict(estimator.state()))
    estimator.predict(several, POOL)
    expect(repr(before) == repr(several), "the contexts were changed")
    expect(_same_arrays(state, dict(estimator.state())), "predicting changed the state")


def learning_changes_no_outcomes(make: MakeEstimator) -> None:
    """Expect that the outcomes given are left as they were."""
    table = outcomes(30)
    before = deepcopy(table)
    make().learn(table)
    expect(repr(before) == repr(table), "the outcomes were changed")


def learns(make: MakeEstimator) -> None:
    """Outcomes change what is expected."""
    fresh, learned = (estimator.predict(contexts(3), POOL) for estimator in (make(), _learned(make)))
    expect(not _equal(fresh, learned), "learning changed no estimate")


def learns_one_by_one_as_at_once(make: MakeEstimator) -> None:
    """Rows learned singly lead where a table of them does, unless `learns_in_batches` is declared."""
    at_once, singly, table = make(), make(), outcomes(40)
    if getattr(at_once, "learns_in_batches", False):
        return
    at_once.learn(table)
    for row in range(40):
        singly.learn(rows(table, row, row + 1))
    one, other = (estimator.predict(contexts(3), POOL) for estimator in (at_once, singly))
    expect(np.allclose(one.mean, other.mean, atol=TOLERANCE), f"means differ: {one.mean} {other.mean}")
    expect(np.allclose(one.std, other.std, atol=TOLERANCE), f"errors differ: {one.std} {other.std}")


def restores_what_it_learned(make: MakeEstimator) -> None:
    """State passes through plain arrays without a difference."""
    learned, restored = _learned(make), make()
    state = dict(learned.state())
    expect(all(array.dtype.kind != "O" for array in state.values()), "the state has arrays of objects")
    restored.restore(state)
    one, other = (estimator.predict(contexts(3), POOL) for estimator in (learned, restored))
    expect(_equal(one, other), "what was restored estimates otherwise")
    expect(_same_arrays(state, dict(restored.state())), "what was restored has another state")


def is_bounded(make: MakeEstimator) -> None:
    """Memory stops growing; make it with a bound of at most 200 rows, for the check to get there."""
    estimator, sizes = make(), []
    for seed in range(8):
        estimator.learn(outcomes(100, seed))
        sizes.append(sum(array.nbytes for array in estimator.state().values()))
    kept = 400 * DIMENSION * np.dtype(np.float16).itemsize  # what four batches more would take, at the least
    expect(sizes[-1] < sizes[3] + kept, f"the state grows without end: {sizes} bytes")


def is_documented(make: MakeEstimator) -> None:
    """Expect that the class has a docstring with an example."""
    expect_documented(make())


def keeps_its_arguments(make: MakeEstimator) -> None:
    """Expect that constructor arguments are attributes of the same names."""
    expect_arguments_kept(make())


def _learned(make: MakeEstimator) -> Estimator:
    estimator = make()
    estimator.learn(outcomes(60))
    return estimator


def _equal(one: Estimates, other: Estimates) -> bool:
    return bool((one.mean == other.mean).all() and (one.std == other.std).all())


def _same_arrays(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


#: Every check of an estimator.
ESTIMATOR_CHECKS = (
    estimates_all_for_all,
    is_unsure_of_the_unknown,
    ignores_the_order_of_candidates,
    estimates_alone_as_in_a_batch,
    does_without_its_signals,
    declares_what_it_reads,
    predicting_changes_nothing,
    learning_changes_no_outcomes,
    learns,
    learns_one_by_one_as_at_once,
    restores_what_it_learned,
    is_bounded,
    is_documented,
    keeps_its_arguments,
)


def check_estimator(make_estimator: MakeEstimator) -> None:
    """Run every check on fresh instances. Raises `CheckFailed`.

    >>> from routers.estimators.knn import KNN
    >>> check_estimator(lambda: KNN(neighbours=5, max_rows=100))
    """
    for check in ESTIMATOR_CHECKS:
        check(make_estimator)
