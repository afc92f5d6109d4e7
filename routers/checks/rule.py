"""What every rule must do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.checks.expect import expect, expect_arguments_kept, expect_documented
from routers.types import PROBABILITY_TOLERANCE, Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from routers.types import Rule

    MakeRule = Callable[[], Rule]

_UTILITIES = (
    (Estimate(0.5, 0.1),),
    (Estimate(0.2, 0.1), Estimate(0.9, 0.2), Estimate(0.4, 0.05)),
    (Estimate(-3.0, 0.0), Estimate(-1.0, 0.0), Estimate(-2.0, 0.0)),
    (Estimate(0.5, 0.0), Estimate(0.5, 0.0)),
    tuple(Estimate(i / 60, 0.3) for i in range(60)),
)


def is_a_distribution(make: MakeRule) -> None:
    """There is a probability for every candidate; none is negative, and they sum to one."""
    for utilities in _UTILITIES:
        probabilities = make().distribution(utilities)
        expect(len(probabilities) == len(utilities), f"{len(probabilities)} for {len(utilities)} candidates")
        expect(min(probabilities) >= 0, f"a probability is negative: {probabilities}")
        total = math.fsum(probabilities)
        expect(abs(total - 1) <= PROBABILITY_TOLERANCE, f"the probabilities sum to {total}")


def is_a_function_of_the_utilities(make: MakeRule) -> None:
    """Expect that the same utilities give the same distribution, now, again, and from another instance."""
    rule = make()
    for utilities in _UTILITIES:
        first, again, other = (r.distribution(utilities) for r in (rule, rule, make()))
        expect(first == again == other, f"{utilities} gave {first}, then {again}, and elsewhere {other}")


def prefers_the_first_of_equals(make: MakeRule) -> None:
    """Of candidates that are certainly equal, none is likelier than the first."""
    probabilities = make().distribution([Estimate(0.5), Estimate(0.5), Estimate(0.5)])
    expect(max(probabilities) == probabilities[0], f"the first of equals is not preferred: {probabilities}")


def prefers_the_better(make: MakeRule) -> None:
    """Expect that a candidate that gets better does not get less likely."""
    chances = [make().distribution([Estimate(0.5), Estimate(q / 10), Estimate(0.3)])[1] for q in range(11)]
    expect(chances == sorted(chances), f"chances fall as the utility rises: {chances}")


def is_documented(make: MakeRule) -> None:
    """Expect that the class has a docstring with an example."""
    expect_documented(make())


def keeps_its_arguments(make: MakeRule) -> None:
    """Expect that constructor arguments are attributes of the same names."""
    expect_arguments_kept(make())


#: Every check of a rule.
RULE_CHECKS = (
    is_a_distribution,
    is_a_function_of_the_utilities,
    prefers_the_first_of_equals,
    prefers_the_better,
    is_documented,
    keeps_its_arguments,
)


def check_rule(make_rule: MakeRule) -> None:
    """Run every check on fresh instances. Raises `CheckFailed`.

    >>> from routers.rules.softmax import Softmax
    >>> check_rule(Softmax)
    """
    for check in RULE_CHECKS:
        check(make_rule)
