from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.loader import load
from gateway.rules import ConditionError, find_kind, parse_condition
from gateway.rules.parse import MAX_DEPTH
from gateway.signals.base import Kind
from tests.gateway.rules.written import KNOWN, draw_condition

SIGNALS = {
    "domain": Kind.TEXT,
    "n": Kind.NUMBER,
    "loop": Kind.TRUTH,
    "pii": Kind.TEXTS,
    "metadata.*": Kind.TEXT,
    "metadata.counts.*": Kind.NUMBER,
    "metadata.plain": Kind.TRUTH,
}
#: What is written, where it is wrong, and words of the message.
WRONG = [
    ("[]", (), "needs a mapping from features, not a list"),
    ("~", (), "an empty one"),
    ("domian: x", ("domian",), "unknown feature; did you mean 'domain'?"),
    ("metadata.: x", ("metadata.",), "unknown feature"),
    ("metadata.*: x", ("metadata.*",), "unknown feature"),
    ("all: {}", ("all",), "needs a list of at least one condition, not a mapping"),
    ("any: []", ("any",), "not an empty list"),
    ("not: [1]", ("not",), "needs a mapping from features, not a list"),
    ("not: ~", ("not",), "not nothing"),
    ("all: [{domain: x}, {any: [{not: {n: {abov: 1}}}]}]", ("all", 1, "any", 0, "not", "n", "abov"), "'above'"),
    ("all: [x]", ("all", 0), "not 'x'"),
    ("domain: {above: 3}", ("domain", "above"), "asks for a number, and 'domain' is a text; known: contains"),
    ("n: {contains: a}", ("n", "contains"), "asks for a text, and 'n' is a number"),
    ("n: {empty: true}", ("n", "empty"), "asks for a list of texts"),
    ("domain: {in: a}", ("domain", "in"), "needs a list, not 'a'"),
    ("loop: {equals: true}", ("loop", "equals"), "asks for a number or a text, and 'loop' is a true or false"),
    ("domain: {}", ("domain",), "needs an operator; known: contains"),
    ("domain: ~", ("domain",), "needs a text, not nothing"),
    ("domain: no", ("domain",), "needs a text, not false; put it in quotes"),
    ("domain: [a, 3]", ("domain", 1), "needs a text, not 3; put it in quotes"),
    ("domain: []", ("domain",), "needs at least one value"),
    ("domain: {in: []}", ("domain", "in"), "needs at least one value"),
    ("domain: {contains: ''}", ("domain", "contains"), "may not be empty"),
    ("domain: {present: 1}", ("domain", "present"), "needs true or false, not 1"),
    ("domain: {matches: 'a(b'}", ("domain", "matches"), "unterminated subpattern at position 1"),
    ("domain: {matches: 'a{99999999999}'}", ("domain", "matches"), "is not a regular expression"),
    ("domain: {matches: 3}", ("domain", "matches"), "needs a text, not 3"),
    ("n: x", ("n",), "needs a number, not 'x'"),
    ("n: true", ("n",), "needs a number, not true"),
    ("n: {above: .inf}", ("n", "above"), "needs a finite number, not inf"),
    ("n: {above: .nan}", ("n", "above"), "needs a finite number, not nan"),
    ("n: {above: 1" + "0" * 400 + "}", ("n", "above"), "needs a finite number, not a number of this size"),
    ("n: {in: [1, .inf]}", ("n", "in", 1), "needs a finite number"),
    ("loop: 'yes'", ("loop",), "needs true or false, not 'yes'"),
    ("loop: [true]", ("loop",), "needs true or false, not a list"),
    ("pii: {any_of: email}", ("pii", "any_of"), "needs a list, not 'email'"),
    ("pii: 3", ("pii",), "needs a text, not 3"),
    ("metadata.counts.turns: x", ("metadata.counts.turns",), "needs a number"),
    ("n: " + "x" * 99, ("n",), "not 'xxx"),
]


@pytest.mark.parametrize(("written", "place", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_place(written, place, message):
    """The place leads from the condition to the value, the message says what is needed."""
    with pytest.raises(ConditionError) as caught:
        parse_condition(yaml.safe_load(written), SIGNALS)

    assert place == caught.value.place
    assert message in caught.value.message
    assert len(caught.value.message) < 200


def test_the_place_begins_where_the_caller_says():
    """So that an error names the line in the file."""
    with pytest.raises(ConditionError) as caught:
        parse_condition({"all": [{"domain": []}]}, SIGNALS, ("rules", 2, "when"))

    assert "rules.2.when.all.0.domain: needs at least one value: an empty list matches nothing" == str(caught.value)


def test_an_error_can_be_given_the_line_of_the_file(tmp_path):
    """The place is one that a document knows."""
    path = tmp_path / "policy.yaml"
    path.write_text("rules:\n- when:\n    all:\n    - domain: x\n    - nn: 3\n", encoding="utf-8")
    document = load(path, {})

    with pytest.raises(ConditionError) as caught:
        parse_condition(document.data["rules"][0]["when"], SIGNALS, ("rules", 0, "when"))

    assert document.at(caught.value.place, caught.value.message).startswith(
        f"{path}:5: rules.0.when.all.1.nn: unknown feature"
    )


def nested(depth):
    written = {"n": 1}
    for n in range(depth):
        written = {"not": written} if n % 2 else {"all": [written]}
    return written


def test_nesting_has_a_bound():
    """What is deeper is refused at start-up, rather than failing when a request comes."""
    assert parse_condition(nested(MAX_DEPTH), SIGNALS).holds({"n": 1.0})

    with pytest.raises(ConditionError, match=f"more than {MAX_DEPTH} deep"):
        parse_condition(nested(MAX_DEPTH + 1), SIGNALS)


def test_a_wide_condition_is_no_trouble():
    """Thousands of alternatives side by side, as a list that somebody generated may have."""
    condition = parse_condition({"any": [{"n": n, "loop": True} for n in range(3000)]}, SIGNALS)

    assert condition.holds({"n": 2999.0, "loop": True})
    assert condition.check({"n": 3000.0, "loop": True}).holds is False


@pytest.mark.parametrize(
    ("feature", "kind"),
    [
        ("domain", Kind.TEXT),
        ("metadata.tier", Kind.TEXT),
        ("metadata.counts", Kind.TEXT),
        ("metadata.counts.turns", Kind.NUMBER),
        ("metadata.plain", Kind.TRUTH),
        ("metadata", None),
        ("metadata.", None),
        ("metadata.*", None),
        ("other", None),
    ],
)
def test_a_feature_falls_under_the_longest_wildcard(feature, kind):
    """Its own name counts before any wildcard, and a wildcard is itself no feature."""
    assert kind is find_kind(feature, SIGNALS)


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_a_condition_survives_yaml(rng):
    """Written out and read again, it is the same condition."""
    written = draw_condition(rng, 3)

    assert parse_condition(written, KNOWN) == parse_condition(
        yaml.safe_load(yaml.safe_dump(written, sort_keys=False)), KNOWN
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KNOWN, "metadata.x", "all", "any", "not", "above", "in", "matches"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_is_written_is_a_condition_or_an_error_with_a_place(written):
    """No other exception comes out, and the place leads to something that is there."""
    try:
        parse_condition(written, KNOWN)
    except ConditionError as error:
        value = written
        for part in error.place:
            value = value[part]
