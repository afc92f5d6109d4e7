"""What every router must do."""

from __future__ import annotations

import math
from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from routers.checks.cases import POOL, bare, contexts, outcomes, rows
from routers.checks.expect import expect, expect_arguments_kept, expect_documented
from routers.drive import drive
from routers.types import PROBABILITY_TOLERANCE, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from routers.types import Call, Candidate, Context, Finish, Router

    MakeRouter = Callable[[], Router]

#: How far sums in another order may lead.
TOLERANCE = 1e-5


def works_before_learning(make: MakeRouter) -> None:
    """Expect that a router that has learned nothing plans, and finishes."""
    for context in contexts(3):
        _plan(make(), context)


def works_with_one_candidate(make: MakeRouter) -> None:
    """Expect that a pool of one is taken for certain, or refused with a reason."""
    for candidate in POOL:
        calls, finish = _plan(_learned(make), contexts(1)[0], [candidate])
        expect(calls or finish.reason, "one candidate was refused without a reason")
        for call in calls:
            expect(call.propensities[candidate.model] == 1, f"the only candidate has {dict(call.propensities)}")


def covers_the_candidates(make: MakeRouter) -> None:
    """Every first call states the probability of every candidate; all of them sum to one, and the chosen can happen."""
    for context in contexts(5):
        calls = _plan(_learned(make), context)[0]
        for call in calls[:1]:
            expect(
                call.propensities.keys() == {candidate.model for candidate in POOL},
                f"propensities are of {sorted(call.propensities)}",
            )
        for call in calls:
            total = math.fsum(call.propensities.values())
            expect(abs(total - 1) <= PROBABILITY_TOLERANCE, f"the propensities sum to {total}")
            chosen = [call.propensities[candidate.model] for candidate in call.candidates]
            expect(min(chosen) > 0, "a candidate was chosen that has probability zero")
            expect(call.why, "a call does not say why")


def chooses_from_the_pool(make: MakeRouter) -> None:
    """Only candidates that were given are called, as they were given."""
    for context in contexts(5):
        for call in _plan(_learned(make), context)[0]:
            expect(set(call.candidates) <= set(POOL), f"called {call.candidates}, which are not in the pool")


def repeats_itself(make: MakeRouter) -> None:
    """Expect that the same seed gives the same calls, from the same instance and from another."""
    router, other = _learned(make), _learned(make)
    for context in contexts(5):
        first = _plan(router, context)
        expect(first == _plan(router, context), "the same seed gave other calls")
        expect(first == _plan(other, context), "another instance gave other calls")


def draws_with_the_given_numbers(make: MakeRouter) -> None:
    """Over many seeds each candidate is called about as often as its propensity says."""
    router, context, n = _learned(make), contexts(1)[0], 300
    first = [calls[0] for calls, _ in (_plan(router, context, seed=seed) for seed in range(n)) if calls]
    for model, propensity in (first[0].propensities if first else {}).items():
        share = sum(model in {c.model for c in call.candidates} for call in first) / n
        allowed = 4 * math.sqrt(propensity * (1 - propensity) / n) + TOLERANCE
        if all(len(call.candidates) == 1 for call in first):
            expect(abs(share - propensity) <= allowed, f"{model}: {share} of the calls, propensity {propensity}")


def ignores_the_order_of_candidates(make: MakeRouter) -> None:
    """Neither the distribution nor the choice depends on the order of the pool."""
    router = _learned(make)
    for context in contexts(5):
        expect(_plan(router, context) == _plan(router, context, POOL[::-1]), "the order of candidates matters")


def takes_a_changing_pool(make: MakeRouter) -> None:
    """Expect that a candidate may come or go between requests."""
    router, context = _learned(make), contexts(1)[0]
    for pool in (POOL[:2], POOL, POOL[1:], POOL[::3]):
        calls, finish = _plan(router, context, pool)
        expect(calls or finish.reason, "a smaller pool was refused without a reason")


def planning_changes_nothing(make: MakeRouter) -> None:
    """Neither context, candidates nor what was learned change by planning."""
    router, context, pool = _learned(make), contexts(1)[0], list(POOL)
    before, state = deepcopy((context, pool)), _saved(router)
    _plan(router, context, pool)
    expect(repr(before) == repr((context, pool)), "the context or the candidates were changed")
    expect(_saved(router) == state, "planning changed what was learned")


def finishes_with_an_answer(make: MakeRouter) -> None:
    """Expect that what is returned is an answer that came back, or a refusal that has a reason; errors included."""
    for error in (None, "timeout"):
        calls, finish = _plan(_learned(make), contexts(1)[0], error=error)
        called = [candidate for call in calls for candidate in call.candidates]
        expect(finish.answer is not None or finish.reason, "it refused without a reason")
        if finish.answer is not None:
            expect(finish.answer.candidate in called, "it returned an answer of somebody it did not call")


def does_without_its_signals(make: MakeRouter) -> None:
    """Expect that a request whose signals did not arrive in time is planned all the same."""
    _plan(_learned(make), bare(contexts(1)[0], frozenset()))


def declares_what_it_reads(make: MakeRouter) -> None:
    """Signals that `requires` does not name make no difference."""
    router = _learned(make)
    for context in contexts(3):
        needed = bare(context, router.requires)
        expect(_plan(router, context) == _plan(router, needed), f"it reads more than {sorted(router.requires)}")


def learns_one_by_one_as_at_once(make: MakeRouter) -> None:
    """Rows learned singly lead where a table of them does, unless `learns_in_batches` is declared."""
    at_once, singly, table = make(), make(), outcomes(40)
    if getattr(at_once, "learns_in_batches", False):
        return
    at_once.learn(table)
    for row in range(40):
        singly.learn(rows(table, row, row + 1))
    for context in contexts(5):
        one, other = (_plan(router, context)[0] for router in (at_once, singly))
        expect(len(one) == len(other), "rows learned singly lead to another number of calls")
        for call, twin in zip(one, other, strict=True):
            expect(_close(call, twin), f"{dict(call.propensities)} is not {dict(twin.propensities)}")


def loads_what_it_saved(make: MakeRouter) -> None:
    """Expect that a router loaded plans as the one saved, and saves the same bytes."""
    router, loaded = _learned(make), make()
    with TemporaryDirectory() as folder:
        router.save(Path(folder))
        loaded.load(Path(folder))
    for context in contexts(5):
        expect(_plan(router, context) == _plan(loaded, context), "what was loaded plans otherwise")
    expect(_saved(router) == _saved(loaded), "what was loaded saves other bytes")


def is_bounded(make: MakeRouter) -> None:
    """Memory stops growing; make it with a bound of at most 200 rows, for the check to get there.

    Saved files are compressed, so their sizes differ a little from one to the next.
    """
    router, sizes = make(), []
    for seed in range(8):
        router.learn(outcomes(100, seed))
        sizes.append(sum(len(content) for content in _saved(router).values()))
    expect(sizes[-1] <= 1.1 * sizes[3], f"what is saved grows without end: {sizes} bytes")


def is_documented(make: MakeRouter) -> None:
    """Expect that the class has a docstring with an example."""
    expect_documented(make())


def keeps_its_arguments(make: MakeRouter) -> None:
    """Expect that constructor arguments are attributes of the same names."""
    expect_arguments_kept(make())


def _learned(make: MakeRouter) -> Router:
    router = make()
    router.learn(outcomes(60))
    return router


def _plan(
    router: Router,
    context: Context,
    pool: Sequence[Candidate] = POOL,
    *,
    seed: int = 0,
    error: str | None = None,
) -> tuple[tuple[Call, ...], Finish]:
    return drive(router.plan(context, pool, Random(seed)), lambda c: Answer(c, error))  # noqa: S311 - no secret


def _saved(router: Router) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        router.save(Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _close(one: Call, other: Call) -> bool:
    return one.propensities.keys() == other.propensities.keys() and all(
        math.isclose(probability, other.propensities[model], abs_tol=TOLERANCE)
        for model, probability in one.propensities.items()
    )


#: Every check of a router.
ROUTER_CHECKS = (
    works_before_learning,
    works_with_one_candidate,
    covers_the_candidates,
    chooses_from_the_pool,
    repeats_itself,
    draws_with_the_given_numbers,
    ignores_the_order_of_candidates,
    takes_a_changing_pool,
    planning_changes_nothing,
    finishes_with_an_answer,
    does_without_its_signals,
    declares_what_it_reads,
    learns_one_by_one_as_at_once,
    loads_what_it_saved,
    is_bounded,
    is_documented,
    keeps_its_arguments,
)


def check_router(make_router: MakeRouter) -> None:
    """Run every check on fresh instances. Raises `CheckFailed`.

    >>> from routers.random_choice import RandomChoice
    >>> check_router(RandomChoice)
    """
    for check in ROUTER_CHECKS:
        check(make_router)
