from __future__ import annotations

import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rules import Facts, Rule, RuleSet, analyse, parse_condition
from gateway.signals.base import Kind
from tests.gateway.rules.written import KINDS, draw_condition, draw_features

KNOWN = {"n": Kind.NUMBER, "t": Kind.TEXT, "b": Kind.TRUTH, "l": Kind.TEXTS, "conf": Kind.NUMBER, "lane": Kind.TEXT}
FACTS = Facts({"conf": (0.0, 1.0)}, {"lane": frozenset({"fast", "deep"}), "l": frozenset("abc")}, frozenset({"lane"}))


def rules_of(*written, known=KNOWN):
    """Return rules of the names 0, 1, 2, ... in the order given."""
    return RuleSet(
        [
            Rule(str(n), 0, parse_condition(yaml.safe_load(each) if isinstance(each, str) else each, known), None)
            for n, each in enumerate(written)
        ]
    )


def kinds(*written, facts=FACTS):
    return [(finding.rule, finding.kind) for finding in analyse(rules_of(*written), facts)]


NEVER = [
    "n: {above: 0.8, below: 0.3}",
    "n: {above: 1, at_most: 1}",
    "n: {at_least: 1, below: 1}",
    "n: {at_least: 1, at_most: 1, not_equals: 1}",
    "{n: 1, all: [{n: 2}]}",
    "n: {in: [1, 2], above: 2}",
    "all: [{n: {above: 1}}, {not: {n: {above: 0}}}]",
    "all: [{t: a}, {t: b}]",
    "t: {in: [a, b], not_in: [b, a]}",
    "t: {in: [ab, b], matches: '^x'}",
    "{t: {matches: x+}, not: {t: {matches: x+}}}",
    "all: [{t: {starts_with: ab}}, {t: {starts_with: ba}}]",
    "all: [{t: {ends_with: ab}}, {t: {ends_with: ba}}]",
    "{t: {starts_with: abc}, not: {t: {contains: bc}}}",
    "{t: {starts_with: abc}, not: {t: {starts_with: ab}}}",
    "{t: {ends_with: abc}, not: {t: {ends_with: bc}}}",
    "{b: true, not: {b: true}}",
    "l: {any_of: [a], none_of: [a, b]}",
    "l: {any_of: [a, b], none_of: [b], empty: true}",
    "{l: {any_of: [a, b], none_of: [b]}, not: {l: {all_of: [a]}}}",
    "l: {all_of: [a], empty: true}",
    "l: {all_of: [a, z]}",
    "l: z",
    "lane: fsat",
    "lane: {present: false}",
    "{t: {present: false}, not: {t: a}}",
    "conf: {above: 1}",
    "conf: {equals: 2}",
    "not: {conf: {at_least: 0}}",
    "not: {}",
    "any: [{n: {above: 2, below: 1}}, {all: [{t: a}, {t: b}]}]",
    "not: {any: [{n: {above: 1}}, {n: {at_most: 1}}]}",
]
SOMETIMES = [
    "n: {above: 0.3, below: 0.8}",
    "n: {at_least: 1, at_most: 1}",
    "n: {above: 1, not_equals: 2}",
    "all: [{t: {starts_with: a}}, {t: {starts_with: ab}}, {t: {ends_with: b}}]",
    "{t: {starts_with: ab}, not: {t: {contains: ba}}}",
    "{t: {matches: a}, not: {t: {matches: b}}}",
    "l: {any_of: [a, b], none_of: [b]}",
    "{l: {empty: true}, not: {l: {all_of: [a]}}}",
    "{l: {all_of: [a]}, not: {l: {all_of: [a, b]}}}",
    "lane: fast",
    "conf: {at_least: 1}",
    "not: {t: a}",
    "t: {present: false}",
    "any: [{n: {above: 2, below: 1}}, {t: a}]",
]


@pytest.mark.parametrize("written", NEVER)
def test_a_condition_that_contradicts_itself_can_never_hold(written):
    """Or that contradicts what is known of its features."""
    assert [("0", "never_holds")] == kinds(written)


@pytest.mark.parametrize("written", SOMETIMES)
def test_a_condition_that_may_hold_raises_no_alarm(written):
    """However near it is to a contradiction."""
    assert [] == kinds(written)


TAKEN = [
    ("{}", "t: a"),
    ("n: {above: 1}", "n: {above: 2}"),
    ("n: {above: 1}", "n: {in: [2, 3]}"),
    ("n: {at_most: 3}", "{n: {below: 3}, t: a}"),
    ("n: {not_equals: 5}", "n: {below: 5}"),
    ("t: [a, b, c]", "t: [a, b]"),
    ("t: {matches: ^a}", "t: [ab, ac]"),
    ("t: {matches: ^a}", "{t: {matches: ^a}, b: true}"),
    ("t: {starts_with: a}", "t: {starts_with: ab}"),
    ("t: {contains: b}", "t: {ends_with: abc}"),
    ("not: {t: [a, b]}", "t: {not_in: [a, b, c]}"),
    ("l: [a, b]", "l: {all_of: [a, c]}"),
    ("l: {none_of: [a]}", "l: {empty: true}"),
    ("l: {empty: false}", "l: a"),
    ("t: {present: true}", "t: a"),
    ("t: {present: false}", "{t: {present: false}, b: true}"),
    ("any: [{t: a}, {b: true}]", "{b: true, n: 1}"),
    ("not: {b: true}", "b: false"),
    ("{conf: {at_least: 0}}", "conf: {above: 0.5}"),
    ("lane: [fast, deep]", "b: true"),
]
NOT_TAKEN = [
    ("t: a", "t: [a, b]"),
    ("n: {above: 1}", "n: {at_least: 1}"),
    ("n: {above: 1}", "t: a"),
    ("{t: a, b: true}", "t: a"),
    ("conf: {at_least: 0}", "t: a"),
    ("any: [{n: {above: 1}}, {n: {at_most: 1}}]", "{}"),
    ("not: {t: a}", "{}"),
    ("t: {present: true}", "not: {b: true}"),
    ("l: {all_of: [a, b]}", "l: [a, b]"),
    ("t: {starts_with: ab}", "t: {starts_with: a}"),
]


@pytest.mark.parametrize(("first", "second"), TAKEN)
def test_a_rule_behind_one_that_takes_all_of_it_is_never_reached(first, second):
    """The finding is about the later rule, and names the earlier."""
    findings = [finding for finding in analyse(rules_of(first, second), FACTS) if finding.kind == "never_reached"]

    assert [("1", True)] == [(finding.rule, "by '0'" in finding.message) for finding in findings]


@pytest.mark.parametrize(("first", "second"), NOT_TAKEN)
def test_a_rule_that_an_earlier_one_leaves_something_is_reached(first, second):
    """Also where what it is left are only requests of which a feature is unknown."""
    assert "never_reached" not in [kind for _, kind in kinds(first, second)]


def test_a_rule_may_be_taken_case_by_case():
    """By several earlier rules, which are all named."""
    findings = analyse(rules_of("t: a", "b: true", "any: [{t: a, n: 1}, {b: true, n: 2}]"))

    assert [("2", "never_reached")] == [(finding.rule, finding.kind) for finding in findings]
    assert "by '0', '1'" in findings[0].message


def test_the_order_is_that_of_priority():
    """A catch-all of low priority takes nothing."""
    known = {"t": Kind.TEXT}
    everything = Rule("all", -1, parse_condition({}, known), None)
    some = Rule("some", 0, parse_condition({"t": "a"}, known), None)

    assert () == analyse(RuleSet([everything, some]))


def test_a_name_that_is_there_twice_is_found():
    """Once, however often it is there."""
    known = {"t": Kind.TEXT}
    rules = [Rule("a", 0, parse_condition({"t": text}, known), None) for text in "xyz"]

    assert [("a", "duplicate_name", "is the name of 3 rules")] == [
        (finding.rule, finding.kind, finding.message) for finding in analyse(RuleSet(rules))
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{}", []),
        ("not: {not: {}}", ["always_holds"]),
        ("any: [{t: {present: true}}, {t: {present: false}}]", ["always_holds"]),
        ("any: [{t: a}, {t: {not_equals: a}}, {t: {present: false}}]", ["always_holds"]),
        ("lane: [fast, deep]", ["always_holds"]),
        ("any: [{t: a}, {t: {not_equals: a}}]", ["never_false"]),
        ("conf: {at_least: 0}", ["never_false"]),
        ("not: {conf: {above: 1}}", ["never_false"]),
        ("conf: {above: 0}", []),
    ],
)
def test_a_condition_that_says_nothing_is_found(written, expected):
    """One that always holds, and one that holds wherever its features are known; an empty one is meant to."""
    assert expected == [kind for _, kind in kinds(written)]


def test_a_condition_of_too_many_cases_is_passed_over():
    """Rather than taking for ever at start-up."""
    written = {"all": [{"any": [{"n": n}, {"t": str(n)}]} for n in range(40)]}

    assert [] == kinds(written, "t: a")


def test_a_default_widens_what_a_feature_may_be():
    """It need not be one of the classifier's labels, and what has one is never absent."""
    facts = FACTS.defaulted({"lane": "other", "conf": -1.0, "l": ("z",), "t": "x", "b": True})

    assert [] == kinds("lane: other", facts=facts)
    assert [] == kinds("conf: {below: 0}", facts=facts)
    assert [] == kinds("l: z", facts=facts)
    assert [("0", "never_holds")] == kinds("lane: fsat", facts=facts)
    assert [("0", "never_holds")] == kinds("t: {present: false}", facts=facts)
    assert [("0", "always_holds")] == kinds("any: [{b: true}, {b: false}]", facts=facts)


def assert_borne_out(rules, findings, samples):
    """Nothing that was found of the rules is contradicted by what they do."""
    by_name = {rule.name: rule for rule in rules.rules}
    for features in samples:
        match = rules.match(features)
        for finding in findings:
            holds = by_name[finding.rule].condition.check(features).holds
            if finding.kind == "never_holds":
                assert holds is not True
            if finding.kind == "always_holds":
                assert holds is True
            if finding.kind == "never_false":
                assert holds is not False
            if finding.kind == "never_reached":
                assert match.rule is None or match.rule.name != finding.rule


def test_what_is_found_of_generated_rules_is_borne_out():
    """Of many rule sets, on features at random: no false alarm, and findings enough to mean something."""
    rng = random.Random(1)
    counts = dict.fromkeys(["never_holds", "never_reached", "never_false", "always_holds"], 0)
    for _ in range(150):
        rules = rules_of(*(draw_condition(rng, rng.choice([0, 1, 2])) for _ in range(8)), known=KINDS)
        findings = analyse(rules)
        assert_borne_out(rules, findings, [draw_features(rng) for _ in range(40)])
        for finding in findings:
            counts[finding.kind] += 1

    assert min(counts["never_holds"], counts["never_reached"]) > 25
    assert counts["never_false"] > 2


@settings(max_examples=50)
@given(st.randoms(use_true_random=False))
def test_whatever_is_found_is_borne_out(rng):
    """As above, with counterexamples that shrink, and with facts that the features keep to."""
    facts = Facts({"n": (-1.0, 9.0)}, certain=frozenset({"t"}))
    rules = rules_of(*(draw_condition(rng, 2) for _ in range(4)), known=KINDS)
    samples = [{"t": "a", **draw_features(rng)} for _ in range(10)]

    assert_borne_out(rules, analyse(rules, facts), samples)
