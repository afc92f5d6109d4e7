"""What every way to expect costs must do."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np

from routers.checks.cases import POOL, bare, contexts, outcomes
from routers.checks.expect import expect, expect_arguments_kept, expect_documented
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable

    from routers.types import Costs

    MakeCosts = Callable[[], Costs]

_UNKNOWN = Candidate("never heard of")


def expects_what_is_known(make: MakeCosts) -> None:
    """There is a cost for every candidate that has a price or was observed; it is neither negative nor infinite."""
    for n in (1, 3):
        usd = _learned(make).predict(contexts(n), POOL)
        expect(usd.shape == (n, len(POOL)), f"the costs are {usd.shape}, not {(n, len(POOL))}")
        expect(np.isfinite(usd).all() and (usd >= 0).all(), f"a cost is none: {usd}")


def says_what_is_unknown(make: MakeCosts) -> None:
    """Expect NaN of a candidate without price or outcome, before and after learning; no reference is made up for it."""
    for costs in (make(), _learned(make)):
        usd = costs.predict(contexts(2), [_UNKNOWN])
        expect(np.isnan(usd).all(), f"a cost was made up for a candidate of which nothing is known: {usd}")
        reference = costs.reference_usd([_UNKNOWN])
        expect(reference == 0, f"the reference of a pool without known costs is {reference}, not 0")


def refers_to_the_dearest(make: MakeCosts) -> None:
    """Expect the reference of a pool to be that of the dearest in it."""
    costs = _learned(make)
    alone = [costs.reference_usd([candidate]) for candidate in POOL]
    expect(costs.reference_usd(POOL) == max(alone), f"{costs.reference_usd(POOL)} is not the greatest of {alone}")


def ignores_the_order_of_candidates(make: MakeCosts) -> None:
    """Expect that a candidate's cost does not depend on its place in the pool."""
    straight, reverse = (_learned(make).predict(contexts(2), pool) for pool in (POOL, POOL[::-1]))
    expect((straight == reverse[:, ::-1]).all(), "costs depend on the order of candidates")


def declares_what_it_reads(make: MakeCosts) -> None:
    """Signals that `requires` does not name make no difference, and those that it names may be missing."""
    costs, several = _learned(make), contexts(3)
    needed = costs.predict([bare(context, costs.requires) for context in several], POOL)
    expect((costs.predict(several, POOL) == needed).all(), f"it reads more than {sorted(costs.requires)}")
    without = costs.predict([bare(context, frozenset()) for context in several], POOL)
    expect(np.isfinite(without).all(), "no cost without signals")


def names_what_it_learned(make: MakeCosts) -> None:
    """Expect `models` to be those of the outcomes."""
    expect(set(_learned(make).models) == set(outcomes(1).models), f"it learned {_learned(make).models}")


def predicting_changes_nothing(make: MakeCosts) -> None:
    """Neither contexts nor what was learned change by predicting."""
    costs, several = _learned(make), contexts(3)
    before, state = deepcopy(several), deepcopy(dict(costs.state()))
    costs.predict(several, POOL)
    expect(repr(before) == repr(several), "the contexts were changed")
    expect(_same(state, dict(costs.state())), "predicting changed the state")


def restores_what_it_learned(make: MakeCosts) -> None:
    """State passes through plain arrays without a difference."""
    learned, restored = _learned(make), make()
    state = dict(learned.state())
    expect(all(array.dtype.kind != "O" for array in state.values()), "the state has arrays of objects")
    restored.restore(state)
    one, other = (costs.predict(contexts(3), POOL) for costs in (learned, restored))
    expect((one == other).all(), "what was restored expects other costs")
    expect(_same(state, dict(restored.state())), "what was restored has another state")


def is_bounded(make: MakeCosts) -> None:
    """Memory stops growing; make it with a bound of at most 200 rows, for the check to get there."""
    costs, sizes = make(), []
    for seed in range(8):
        costs.learn(outcomes(100, seed))
        sizes.append(sum(array.nbytes for array in costs.state().values()))
    expect(sizes[-1] == sizes[3], f"the state grows without end: {sizes} bytes")


def is_documented(make: MakeCosts) -> None:
    """Expect that the class has a docstring with an example."""
    expect_documented(make())


def keeps_its_arguments(make: MakeCosts) -> None:
    """Expect that constructor arguments are attributes of the same names."""
    expect_arguments_kept(make())


def _learned(make: MakeCosts) -> Costs:
    costs = make()
    costs.learn(outcomes(60))
    return costs


def _same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


#: Every check of costs.
COSTS_CHECKS = (
    expects_what_is_known,
    says_what_is_unknown,
    refers_to_the_dearest,
    ignores_the_order_of_candidates,
    declares_what_it_reads,
    names_what_it_learned,
    predicting_changes_nothing,
    restores_what_it_learned,
    is_bounded,
    is_documented,
    keeps_its_arguments,
)


def check_costs(make_costs: MakeCosts) -> None:
    """Run every check on fresh instances. Raises `CheckFailed`.

    >>> from routers.costs.mean import Mean
    >>> check_costs(Mean)
    """
    for check in COSTS_CHECKS:
        check(make_costs)
