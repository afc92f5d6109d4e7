from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from gateway.rules import ALWAYS, Rule, RuleSet, parse_condition
from gateway.signals.base import Kind
from tests.gateway.rules.written import KNOWN, draw_condition, draw_features, plainly

SIGNALS = {"domain": Kind.TEXT, "n": Kind.NUMBER, "language": Kind.TEXT}


def rule(name, written, priority=0):
    return Rule(name, priority, parse_condition(written, SIGNALS), name.upper())


def test_the_first_rule_that_holds_matches():
    """In the order in which they are written; the payload comes with it."""
    rules = RuleSet([rule("a", {"domain": "law"}), rule("b", {"n": {"above": 1}}), rule("c", {})])

    assert ["B", "C", "A"] == [
        rules.match(features).rule.payload for features in ({"n": 2.0, "domain": "x"}, {}, {"domain": "law", "n": 2.0})
    ]


def test_higher_priority_comes_first_and_equals_as_written():
    """Negative priorities are for what comes last."""
    rules = RuleSet([rule("last", {}, -1), rule("a", {}), rule("b", {}), rule("first", {}, 10)])

    assert ["first", "a", "b", "last"] == [each.name for each in rules.rules]
    assert "first" == rules.match({}).rule.name


def test_an_unknown_condition_is_passed_over_also_when_negated():
    """A missed signal matches neither the rule that asks for it nor the one that asks for the contrary."""
    risky = rule("risky", {"n": {"above": 0.5}})
    safe = rule("safe", {"not": {"n": {"above": 0.5}}})
    match = RuleSet([risky, safe]).match({})

    assert match.rule is None
    assert ["'risky' is unknown: n is unknown", "'safe' is unknown: n is unknown"] == [
        str(judged) for judged in match.verdicts()
    ]


def test_a_match_tells_the_verdict_on_each_rule_that_was_asked():
    """Up to itself, and no further."""
    rules = RuleSet([rule("a", {"domain": "law"}), rule("b", {"n": {"above": 1}}), rule("c", {})])
    match = rules.match({"domain": "code", "n": 2.0})

    assert ["'a' does not hold: domain is 'code', not 'law'", "'b' holds: n is 2, above 1"] == [
        str(judged) for judged in match.verdicts()
    ]


def test_an_explanation_goes_on_after_the_match():
    """Later rules are said not to be reached, and what would have come of them."""
    rules = RuleSet([rule("a", {"n": 1}), rule("b", {"n": 2}), rule("c", {}), rule("d", {"domain": "law"})])

    assert [
        "'a' does not hold: n is 2, not 1",
        "'b' holds: n is 2",
        "'c' not reached; holds: always",
        "'d' not reached; is unknown: domain is unknown",
    ] == [str(judged) for judged in rules.explain({"n": 2.0})]


def test_no_rules_match_nothing():
    """An empty rule set is one."""
    match = RuleSet[None]([]).match({})

    assert (None, (), frozenset()) == (match.rule, match.verdicts(), RuleSet[None]([]).features)


def test_a_rule_set_names_the_features_that_it_reads():
    """All rules' together."""
    assert {"domain", "n"} == RuleSet([rule("a", {"domain": "x"}), rule("b", {"not": {"n": 1}})]).features


@given(st.randoms(use_true_random=False))
def test_the_match_is_the_first_of_highest_priority_that_holds(rng):
    """Against the plain evaluator."""
    written = [(draw_condition(rng, 2), rng.randint(-1, 1)) for _ in range(5)]
    rules = RuleSet(
        [
            Rule(str(n), priority, parse_condition(condition, KNOWN), None)
            for n, (condition, priority) in enumerate(written)
        ]
    )
    features = draw_features(rng)
    holding = [(-priority, n) for n, (condition, priority) in enumerate(written) if plainly(condition, features)]
    match = rules.match(features)

    assert (str(min(holding)[1]) if holding else None) == (match.rule.name if match.rule else None)
    assert match.verdicts() == tuple(judged for judged in rules.explain(features) if judged.reached)


def plain_loop(rules, features):
    """Ask two questions of each of a thousand rules, with nothing around it."""
    for domain, bound in rules:
        if features.get("domain") == domain and features.get("n", 0.0) > bound:
            return domain
    return None


def timed(function, *arguments):
    times = []
    for _ in range(60):
        started = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - started)
    return min(times)


def test_a_thousand_rules_take_little_longer_than_a_plain_loop():
    """Measured in the same run, the last rule matching: within fifteen times a loop written out by hand."""
    rng = random.Random(0)
    asked = [(f"d{rng.randrange(100)}", rng.random()) for _ in range(999)]
    features = {"domain": "law", "n": 0.5, "language": "en"}
    rules = [rule(f"r{n}", {"domain": domain, "n": {"above": bound}}) for n, (domain, bound) in enumerate(asked)]
    ruleset = RuleSet([*rules, Rule("last", 0, ALWAYS, "LAST")])

    assert "last" == ruleset.match(features).rule.name
    assert timed(ruleset.match, features) < 15 * timed(plain_loop, asked, features)
