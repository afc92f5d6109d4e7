"""What every utility must do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.checks.expect import expect, expect_arguments_kept, expect_documented
from routers.types import Estimate, Prospects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routers.types import Utility

    MakeUtility = Callable[[], Utility]

_DIALS = (0.0, 0.05, 0.3, 0.5, 0.7, 0.95, 1.0)


def values_every_candidate(make: MakeUtility) -> None:
    """There is a finite utility for every candidate, wherever the dial stands."""
    for prospects in _cases():
        for dial in _DIALS:
            utilities = make().utilities(prospects, dial)
            expect(len(utilities) == len(prospects.rewards), f"{len(utilities)} for {len(prospects.rewards)}")
            expect(all(math.isfinite(u.mean) for u in utilities), f"a utility is not finite: {utilities}")
            expect(all(0 <= u.std < math.inf for u in utilities), f"a standard error is none: {utilities}")


def is_a_function_of_the_prospects(make: MakeUtility) -> None:
    """Expect the same utilities now, again, and from another instance."""
    utility = make()
    for prospects in _cases():
        first, again, other = (u.utilities(prospects, 0.5) for u in (utility, utility, make()))
        expect(first == again == other, f"{prospects} gave {first}, then {again}, and elsewhere {other}")


def never_pays_more_for_less_weight(make: MakeUtility) -> None:
    """Expect that turning the dial down never raises the expected cost of the candidate that is preferred."""
    for prospects in _cases():
        spent = [prospects.costs_usd[_preferred(make().utilities(prospects, dial))] for dial in _DIALS]
        expect(spent == sorted(spent), f"as the dial rises over {_DIALS} the choice costs {spent}")


def is_documented(make: MakeUtility) -> None:
    """Expect that the class has a docstring with an example."""
    expect_documented(make())


def keeps_its_arguments(make: MakeUtility) -> None:
    """Expect that constructor arguments are attributes of the same names."""
    expect_arguments_kept(make())


def _preferred(utilities: Sequence[Estimate]) -> int:
    return max(range(len(utilities)), key=lambda i: utilities[i].mean)


def _cases() -> Iterator[Prospects]:
    """Yield prospects of one candidate and of several, with ties, gifts, and without latencies."""
    unknown = math.nan
    yield _prospects([0.5], [0.001], [unknown])
    yield _prospects([0.5, 0.5, 0.9], [0.0, 0.0, 0.0], [1.0, unknown, 2.0])
    yield _prospects([0.3, 0.6, 0.7, 0.95], [0.001, 0.002, 0.008, 0.05], [4.0, 0.5, unknown, 1.0])
    yield _prospects([0.9, 0.2, 0.8, 0.8], [0.001, 0.001, 0.004, 0.004], [unknown] * 4)


def _prospects(rewards: Sequence[float], costs_usd: Sequence[float], latencies_s: Sequence[float]) -> Prospects:
    return Prospects(
        rewards=[Estimate(mean, 0.1) for mean in rewards],
        costs_usd=costs_usd,
        latencies_s=latencies_s,
        reference_usd=max(costs_usd),
        models=[f"model-{place}" for place in range(len(rewards))],
    )


#: Every check of a utility.
UTILITY_CHECKS = (
    values_every_candidate,
    is_a_function_of_the_prospects,
    never_pays_more_for_less_weight,
    is_documented,
    keeps_its_arguments,
)


def check_utility(make_utility: MakeUtility) -> None:
    """Run every check on fresh instances. Raises `CheckFailed`.

    >>> from routers.utilities.linear import Linear
    >>> check_utility(Linear)
    """
    for check in UTILITY_CHECKS:
        check(make_utility)
