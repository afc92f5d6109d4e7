"""Rules that never count, or whose conditions say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.checking.values import unknown_values
from gateway.rules.analysis import analyse
from gateway.rules.cases import cases
from gateway.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.checking.finding import Finding
    from gateway.checking.subject import Subject
    from gateway.policy import Effect
    from gateway.rules.analysis import Finding as OfRule
    from gateway.rules.facts import Facts
    from gateway.rules.ruleset import Rule

#: Pairs of alternatives that are compared at most, a second's or two's work: 1,400 rules of one alternative each.
MAX_PAIRS: Final = 1_000_000
#: That every known role is `staff` does not mean that a rule should ask for any: another may be added.
_OF_CALLERS: Final = frozenset({"caller", "role", "team", "caller.tags"})
#: Findings of a condition by itself.
_OF_CONDITIONS: Final = frozenset({"never_holds", "always_holds", "never_false"})


def analysed(subject: Subject, facts: Facts) -> tuple[OfRule, ...]:
    """Return what can be told of the rules by themselves; those too many to compare are looked at one by one."""
    policy = subject.policy
    known = facts.defaulted(policy.defaults).joined(policy.projections.facts)
    rules = policy.rules.rules
    compared = comparable(rules)
    found = analyse(RuleSet(rules[:compared]), known)
    return found + tuple(one for rule in rules[compared:] for one in analyse(RuleSet([rule]), known))


def comparable(rules: Sequence[Rule[Effect]], max_pairs: int = MAX_PAIRS) -> int:
    """Return how many rules, from the first that is asked, can be compared with each other in good time."""
    total = 0
    for n, rule in enumerate(rules):
        total += len(cases(rule.condition.expression) or ())
        if total * total > 2 * max_pairs:
            return n
    return len(rules)


def rule_findings(subject: Subject, found: Sequence[OfRule], facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong with the rules of a policy."""
    strange = list(unknown_values(subject, facts))
    yield from strange
    spoken_of = {finding.place[1] for finding in strange if finding.place[:1] == ("rules",)}
    reads = {rule.name: rule.condition.features for _, rule in subject.rules()}
    for one in found:
        place = subject.place_of(one.rule)
        # What follows from a value that does not exist need not be said again.
        if one.kind in _OF_CONDITIONS and place[1] in spoken_of:
            continue
        if one.kind != "never_false" or not reads[one.rule] & _OF_CALLERS:
            yield subject.finding(place, f"the rule {one.rule!r} {one.message}")
    rules = subject.policy.rules.rules
    if (compared := comparable(rules)) < len(rules):
        message = f"only the first {compared} of {len(rules)} rules were compared with each other: they are too many"
        yield subject.finding(("rules",), message)
