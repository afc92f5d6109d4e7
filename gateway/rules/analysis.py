"""Static analysis: what can be told of rules before any request has come.

Sound: what is found is so, whatever the features. Incomplete: regular expressions are compared only with lists of
texts and with themselves; a rule that several earlier rules take only together, case by case but not one case by
one rule, is not found; conditions of many cases (`cases.MAX_CASES`) are passed over.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.rules.cases import cases, complement
from gateway.rules.conditions import ALWAYS
from gateway.rules.expressions import Not
from gateway.rules.facts import Facts
from gateway.rules.grouped_case import GroupedCase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from gateway.rules.expressions import Expression
    from gateway.rules.ruleset import Rule, RuleSet

#: What may be found of a rule.
FindingKind = Literal["duplicate_name", "never_holds", "never_reached", "always_holds", "never_false"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a rule. `message` is a whole clause about it: `can never hold: ...`."""

    rule: str
    kind: FindingKind
    message: str


@dataclass(frozen=True, slots=True)
class _Taker:
    """What is compared of a rule: its possible cases, None where they are too many."""

    name: str
    cases: tuple[GroupedCase, ...] | None


def analyse(rules: RuleSet[Any], facts: Facts | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a rule set, or looks so, in the order in which the rules are asked."""
    facts = facts or Facts()
    findings: list[Finding] = []
    earlier: list[_Taker] = []
    for name, count in Counter(rule.name for rule in rules.rules).items():
        if count > 1:
            findings.append(Finding(name, "duplicate_name", f"is the name of {count} rules"))
    for rule in rules.rules:
        taker = _Taker(rule.name, _possible_cases(rule.condition.expression, facts))
        findings += _of_rule(rule, taker, earlier, facts)
        earlier.append(taker)
    return tuple(findings)


def _of_rule(rule: Rule[Any], taker: _Taker, earlier: Sequence[_Taker], facts: Facts) -> Iterator[Finding]:
    if taker.cases == ():
        yield Finding(rule.name, "never_holds", "can never hold: its conditions contradict each other")
        return
    if takers := _takers(taker, earlier):
        names = ", ".join(repr(name) for name in takers)
        yield Finding(
            rule.name, "never_reached", f"is never reached: all that it would match is matched before by {names}"
        )
    if rule.condition == ALWAYS:
        return
    expression = rule.condition.expression
    if _possible_cases(complement(expression), facts) == ():
        yield Finding(rule.name, "always_holds", "always holds: leave its condition out, if that is meant")
    elif _possible_cases(Not(expression), facts) == ():
        yield Finding(
            rule.name, "never_false", "holds wherever its features are known: `present: true` says so plainly"
        )


def _possible_cases(expression: Expression, facts: Facts) -> tuple[GroupedCase, ...] | None:
    """Return the cases that nothing is known to rule out; None where there are too many to look at."""
    found = cases(expression)
    return (
        None if found is None else tuple(grouped for case in found if (grouped := GroupedCase(case, facts)).possible())
    )


def _takers(taker: _Taker, earlier: Sequence[_Taker]) -> tuple[str, ...]:
    """Return the earlier rules that take every case of a rule; none where some case may be left."""
    names: dict[str, None] = {}
    for case in taker.cases or ():
        name = next((other.name for other in earlier if _takes(other, case)), None)
        if name is None:
            return ()
        names[name] = None
    return tuple(names)


def _takes(other: _Taker, case: GroupedCase) -> bool:
    return any(case.entails(taken) for taken in other.cases or ())
