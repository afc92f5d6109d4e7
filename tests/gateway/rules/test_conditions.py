from __future__ import annotations

import random
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules import ALWAYS, parse_condition
from gateway.signals.base import Kind
from tests.gateway.rules.written import KNOWN, draw_condition, draw_features, plainly

SIGNALS = {
    "domain": Kind.TEXT,
    "difficulty": Kind.NUMBER,
    "prompt_tokens": Kind.NUMBER,
    "safety.jailbreak": Kind.NUMBER,
    "text": Kind.TEXT,
    "language": Kind.TEXT,
    "pii": Kind.TEXTS,
    "agent.loop_open": Kind.TRUTH,
    "metadata.*": Kind.TEXT,
}
WHOLE = r"""
all:
  - domain: [code, math]
  - {prompt_tokens: {above: 2000}}
  - not: {safety.jailbreak: {above: 0.5}}
  - any: [{text: {matches: '(?i)\bsql\b'}}, {language: {not_in: [en, de]}}]
  - pii: {any_of: [email, card]}
  - agent.loop_open: true
  - metadata.tier: {present: true}
  - {difficulty: {above: 0.3, below: 0.7}}
"""
MET = {
    "domain": "math",
    "prompt_tokens": 2001,
    "safety.jailbreak": 0.5,
    "text": "Mend this SQL, please",
    "language": "en",
    "pii": ("card", "name"),
    "agent.loop_open": True,
    "metadata.tier": "gold",
    "difficulty": 0.5,
}
#: What is written, what is known, and what comes of it.
EXAMPLES = [
    ("{}", {}, True),
    ("{not: {}}", {}, False),
    (WHOLE, MET, True),
    (WHOLE, {**MET, "difficulty": 0.7}, False),
    (WHOLE, {**MET, "text": "nosqlite"}, False),
    (WHOLE, {**MET, "text": "bonjour", "language": "fr"}, True),
    (WHOLE, {name: value for name, value in MET.items() if name != "safety.jailbreak"}, None),
    (WHOLE, {name: value for name, value in MET.items() if name != "metadata.tier"}, False),
    ("domain: code", {"domain": "code"}, True),
    ("domain: code", {"domain": "Code"}, False),
    ("domain: code", {}, None),
    ("not: {domain: code}", {}, None),
    ("not: {domain: code}", {"domain": "law"}, True),
    ("domain: ''", {"domain": ""}, True),
    ("{domain: code, language: en}", {"domain": "law"}, False),
    ("{domain: code, language: en}", {"domain": "code"}, None),
    ("any: [{domain: code}, {language: en}]", {"language": "en"}, True),
    ("any: [{domain: code}, {language: en}]", {"language": "de"}, None),
    ("any: [{domain: code}, {language: en}]", {"language": "de", "domain": "law"}, False),
    ("prompt_tokens: 3", {"prompt_tokens": 3.0}, True),
    ("prompt_tokens: [3, 4]", {"prompt_tokens": 5}, False),
    ("prompt_tokens: {at_least: 3, at_most: 3}", {"prompt_tokens": 3}, True),
    ("prompt_tokens: {not_equals: 3}", {"prompt_tokens": float("nan")}, None),
    ("not: {prompt_tokens: {above: 3}}", {"prompt_tokens": float("nan")}, None),
    ("prompt_tokens: {present: true}", {"prompt_tokens": float("nan")}, False),
    ("pii: email", {"pii": ("email", "card")}, True),
    ("pii: [email, phone]", {"pii": ("card",)}, False),
    ("pii: {all_of: [email, card]}", {"pii": ("card",)}, False),
    ("pii: {none_of: [email]}", {"pii": ()}, True),
    ("pii: {empty: true}", {"pii": ()}, True),
    ("pii: {empty: false}", {"pii": ()}, False),
    ("pii: {empty: true}", {}, None),
    ("agent.loop_open: false", {"agent.loop_open": False}, True),
    ("metadata.team: {present: false}", {}, True),
    ("not: {metadata.team: {present: true}}", {}, True),
    ("metadata.team: {starts_with: ops, ends_with: eu}", {"metadata.team": "ops-eu"}, True),
    ("text: {contains: '\U0001f600'}", {"text": "so \U0001f600!"}, True),
    ("text: {matches: '^.$'}", {"text": "\ud800"}, True),
    ("text: {contains: z}", {"text": "a" * 1_000_000}, False),
    ("text: {matches: 'русск'}", {"text": "по-русски"}, True),
]
#: What is written, what is known, and the reason.
REASONS = [
    ("domain: [code, math]", {"domain": "law"}, "domain is 'law', not one of code, math"),
    ("domain: [code, math]", {"domain": "code"}, "domain is 'code', one of code, math"),
    ("domain: code", {"domain": "code"}, "domain is 'code'"),
    ("domain: code", {"domain": "law"}, "domain is 'law', not 'code'"),
    ("domain: code", {}, "domain is unknown"),
    ("not: {safety.jailbreak: {above: 0.5}}", {}, "safety.jailbreak is unknown"),
    ("not: {safety.jailbreak: {above: 0.5}}", {"safety.jailbreak": 0.75}, "safety.jailbreak is 0.75, above 0.5"),
    ("prompt_tokens: {above: 2000}", {"prompt_tokens": 12}, "prompt_tokens is 12, not above 2000"),
    ("pii: {none_of: [email, card]}", {"pii": ("card",)}, "pii is [card], with any of email, card"),
    ("pii: {empty: false}", {"pii": ()}, "pii is [], empty"),
    ("agent.loop_open: true", {"agent.loop_open": False}, "agent.loop_open is false"),
    ("metadata.tier: {present: true}", {}, "metadata.tier is unknown"),
    ("metadata.tier: {present: true}", {"metadata.tier": "gold"}, "metadata.tier is known"),
    ("text: {contains: secret}", {"text": "my secret"}, "text: containing 'secret'"),
    ("text: secret", {"text": "mine"}, "text: not one of 'secret'"),
    ("{domain: code, language: en}", {"domain": "law", "language": "de"}, "domain is 'law', not 'code'"),
    ("any: [{domain: code}, {language: en}]", {"domain": "law"}, "language is unknown"),
    ("{}", {}, "always"),
    ("not: {}", {}, "never"),
]


@pytest.mark.parametrize(("written", "features", "expected"), EXAMPLES)
def test_examples_come_out_as_the_reference_says(written, features, expected):
    """Read from YAML, tested and explained: both ways give the same."""
    condition = parse_condition(yaml.safe_load(written) or {}, SIGNALS)

    assert (expected, expected is True) == (condition.check(features).holds, condition.holds(features))


@pytest.mark.parametrize(("written", "features", "expected"), REASONS)
def test_the_reason_is_what_decided(written, features, expected):
    """A reason names the feature, its value and what was asked, but never the user's own text."""
    condition = parse_condition(yaml.safe_load(written) or {}, SIGNALS)

    assert expected == str(condition.check(features))


@pytest.mark.parametrize("seed", range(250))
def test_generated_conditions_agree_with_the_plain_evaluator(seed):
    """Nested up to four times, over features of all kinds, about a third of them absent."""
    rng = random.Random(seed)
    written = draw_condition(rng, seed % 5)
    condition = parse_condition(written, KNOWN)

    for _ in range(20):
        features = draw_features(rng)
        expected = plainly(written, features)
        assert (expected, expected is True) == (condition.check(features).holds, condition.holds(features))


@given(st.randoms(use_true_random=False), st.integers(0, 4))
def test_any_condition_agrees_with_the_plain_evaluator(rng, depth):
    """As above, with counterexamples that shrink."""
    written, features = draw_condition(rng, depth), draw_features(rng)
    condition = parse_condition(written, KNOWN)

    assert plainly(written, features) == condition.check(features).holds
    assert (plainly(written, features) is True) == condition.holds(features)


def test_generated_conditions_are_of_all_outcomes():
    """The comparison above means something: true, false and unknown are all common."""
    rng = random.Random(0)
    outcomes = [plainly(draw_condition(rng, 3), draw_features(rng)) for _ in range(600)]

    assert min(outcomes.count(outcome) for outcome in (True, False, None)) > 60


@given(st.randoms(use_true_random=False))
def test_de_morgans_laws_hold_in_three_values(rng):
    """Not all is any not, not any is all not, and two nots are none: also where something is unknown."""
    parts = [draw_condition(rng, 2) for _ in range(3)]
    features = draw_features(rng)

    def check(written):
        return parse_condition(written, KNOWN).check(features).holds

    assert check({"not": {"all": parts}}) == check({"any": [{"not": part} for part in parts]})
    assert check({"not": {"any": parts}}) == check({"all": [{"not": part} for part in parts]})
    assert check({"not": {"not": parts[0]}}) == check(parts[0])


@given(st.randoms(use_true_random=False))
def test_what_is_known_is_not_overturned_by_knowing_more(rng):
    """A condition that is true or false without a feature is so whatever the feature is; `present` apart."""
    written = draw_condition(rng, 3)
    features = draw_features(rng)
    condition = parse_condition(written, KNOWN)
    before = condition.check(features).holds
    more = {**draw_features(rng), **features}

    if "present" not in str(written) and before is not None:
        assert before == condition.check({**more, **{n: v for n, v in features.items() if v == v}}).holds  # noqa: PLR0124


@given(st.randoms(use_true_random=False))
def test_the_reasons_suffice(rng):
    """With nothing known but the features that are named as reasons, a decided condition comes out the same."""
    written, features = draw_condition(rng, 4), draw_features(rng)
    condition = parse_condition(written, KNOWN)
    verdict = condition.check(features)
    named = {found.atom.feature for found in verdict.found}

    if "present" not in str(written) and verdict.holds is not None:
        assert verdict.holds == condition.check({n: v for n, v in features.items() if n in named}).holds


def test_a_condition_names_the_features_that_it_reads():
    """So that no other need be found out."""
    condition = parse_condition(yaml.safe_load(WHOLE), SIGNALS)

    assert set(MET) == condition.features
    assert frozenset() == ALWAYS.features


def test_a_regular_expression_is_tried_last():
    """A long text is not searched where something cheap has already decided."""
    written = {"all": [{"text": {"matches": "(a|b|ab)*c"}}, {"language": "de"}]}
    condition = parse_condition(written, SIGNALS)
    features = {"text": "a" * 400, "language": "en"}
    started = time.perf_counter()
    assert not condition.holds(features)
    lazy = time.perf_counter() - started
    started = time.perf_counter()
    assert not condition.holds({**features, "language": "de"})

    assert lazy * 5 < time.perf_counter() - started


def test_a_list_of_many_is_shortened():
    """An explanation stays readable, whatever a request brings."""
    condition = parse_condition({"pii": "none", "metadata.x": "y"}, SIGNALS)

    assert "pii is [k0, k1, k2, k3, k4, k5, k6, k7, ...], with none of 'none'" == str(
        condition.check({"pii": tuple(f"k{n}" for n in range(99)), "metadata.x": "y"})
    )
    assert str(condition.check({"pii": ("none",), "metadata.x": "z" * 99})).startswith("metadata.x is 'zzz")
    assert len(str(condition.check({"pii": ("none",), "metadata.x": "z" * 99}))) < 100
