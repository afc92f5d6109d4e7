from __future__ import annotations

import math
import random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules import ConditionError, apply, parse_condition, parse_projections
from gateway.signals.base import Kind
from tests.gateway.rules.written import draw_features

KNOWN = {"n": Kind.NUMBER, "m.score": Kind.NUMBER, "t": Kind.TEXT, "b": Kind.TRUTH, "l": Kind.TEXTS}
WHOLE = """
lane:
  partition:
    fast: {score: {n: -1}, offset: 1}
    deep: {score: {n: 1, risk: {weight: 0.5, default: 0}}}
    guard: {when: {risk.band: high}}
  otherwise: fast
risk:
  score: {m.score: 0.5, n: {weight: 0.1, at_most: 5}, b: {default: true}}
  offset: -1
  bands: {high: 0.8, low: 0, medium: 0.4}
calm: {score: {risk: -1}, sigmoid: {center: -0.5, slope: 10}}
"""


def project(written, features):
    """Return what projections add to features."""
    parsed = parse_projections(yaml.safe_load(written), KNOWN)
    return {name: value for name, value in apply(parsed, features).items() if name not in features}


#: What is written, what is known, and the features that come of it.
EXAMPLES = [
    ("{}", {"n": 1.0}, {}),
    ("r: {score: {n: 2, b: 3}, offset: 1}", {"n": 1.5, "b": True}, {"r": 7.0}),
    ("r: {score: {n: 2, b: 3}, offset: 1}", {"n": 1.5, "b": False}, {"r": 4.0}),
    ("r: {score: {n: 2, b: 3}}", {"n": 1.5}, {}),
    ("r: {score: {n: 2}}", {"n": math.nan}, {}),
    ("r: {score: {n: 2}}", {"n": math.inf}, {}),
    ("r: {score: {n: {weight: 2, default: 4}}}", {}, {"r": 8.0}),
    ("r: {score: {n: {default: 4}}}", {"n": math.nan}, {"r": 4.0}),
    ("r: {score: {b: {default: true}}}", {}, {"r": 1.0}),
    ("r: {score: {n: {weight: 0.5, at_most: 5, at_least: 1}}}", {"n": 9.0}, {"r": 2.5}),
    ("r: {score: {n: {weight: 0.5, at_most: 5, at_least: 1}}}", {"n": -9.0}, {"r": 0.5}),
    ("r: {score: {n: 1}, sigmoid: {center: 2}}", {"n": 2.0}, {"r": 0.5}),
    ("r: {score: {n: 1}, sigmoid: {slope: 1000000}}", {"n": 1e300}, {"r": 1.0}),
    ("r: {score: {n: 1}, sigmoid: {slope: 1000000}}", {"n": -1e300}, {"r": 0.0}),
    ("r: {score: {n: 1}, bands: {b: 2, a: 1}}", {"n": 3.0}, {"r": 3.0, "r.band": "b", "r.bands": ("a", "b")}),
    ("r: {score: {n: 1}, bands: {b: 2, a: 1}}", {"n": 1.0}, {"r": 1.0, "r.band": "a", "r.bands": ("a",)}),
    ("r: {score: {n: 1}, bands: {b: 2, a: 1}}", {"n": 0.5}, {"r": 0.5, "r.band": "none", "r.bands": ()}),
    ("r: {score: {n: 1}, bands: {b: 2, a: 1}}", {}, {}),
    ("p: {partition: {x: {when: {t: a}}, y: {when: {t: b}}}}", {}, {}),
    ("p: {partition: {x: {when: {t: a}}, y: {when: {t: b}}}, otherwise: y}", {}, {"p": "y"}),
    ("p: {partition: {x: {when: {t: a}}, y: {when: {t: b}}}, otherwise: y}", {"t": "c"}, {"p": "y"}),
    ("p: {partition: {x: {score: {n: 0}}, y: {score: {n: 0}}}}", {"n": 1.0}, {}),
    ("p: {partition: {x: {score: {n: 1}}, y: {score: {m.score: 1}}}}", {"n": 1.0}, {"p": "x", "p.share": 1.0}),
    ("p: {partition: {x: {score: {n: 1}}, y: {score: {n: 1}}}}", {"n": 1.0}, {"p": "x", "p.share": 0.5}),
    ("p: {partition: {x: {score: {n: 1}}, y: {score: {n: 2}}}}", {"n": 1e300}, {"p": "y", "p.share": 1.0}),
    ("p: {partition: {x: {score: {n: -1}}, y: {score: {n: -2}}}}", {"n": 99.0}, {"p": "x", "p.share": 1.0}),
]


@pytest.mark.parametrize(("written", "features", "expected"), EXAMPLES)
def test_examples_of_projections(written, features, expected):
    """Read from YAML, worked out on features."""
    assert expected == project(written, features)


def test_projections_may_use_each_other_in_any_order():
    """They are worked out each after those that it reads."""
    found = project(WHOLE, {"n": 9.0, "m.score": 1.0, "b": True})

    assert {"risk": 1.0, "risk.band": "high", "risk.bands": ("low", "medium", "high"), "lane": "deep"} == {
        name: found[name] for name in ("risk", "risk.band", "risk.bands", "lane")
    }
    assert found["calm"] == pytest.approx(1 / (1 + math.exp(5)))


def test_a_share_is_a_softmax_over_the_members_that_are_known():
    """At the temperature that is written."""
    written = "p: {partition: {x: {score: {n: 1}}, y: {score: {n: 2}}, z: {when: {t: a}}}, temperature: 0.5}"
    share = project(written, {"n": 1.0})["p.share"]

    assert math.exp(4) / (math.exp(2) + math.exp(4)) == pytest.approx(share)


def test_projections_tell_what_they_give_and_read():
    """For rules that ask for them, and for signals that must be found out."""
    parsed = parse_projections(yaml.safe_load(WHOLE), KNOWN)

    assert {"n", "m.score", "b"} == parsed.features
    assert {
        "risk": Kind.NUMBER,
        "risk.band": Kind.TEXT,
        "risk.bands": Kind.TEXTS,
        "lane": Kind.TEXT,
        "lane.share": Kind.NUMBER,
        "calm": Kind.NUMBER,
    } == parsed.provides
    assert parse_condition({"risk.band": "low"}, {**KNOWN, **parsed.provides}).features == {"risk.band"}


def test_projections_tell_what_their_features_may_be():
    """Bands, members, and what lies between 0 and 1."""
    facts = parse_projections(yaml.safe_load(WHOLE), KNOWN).facts

    assert {"lane.share": (0.0, 1.0), "calm": (0.0, 1.0)} == facts.ranges
    assert {"lane"} == facts.certain
    assert {"low", "medium", "high", "none"} == facts.choices["risk.band"]
    assert {"fast", "deep", "guard"} == facts.choices["lane"]


WRONG = [
    ("[]", (), "needs a mapping from names to projections"),
    ("n: {score: {n: 1}}", ("n",), "signal's feature 'n' already"),
    ("m: {partition: {x: {when: {}}}, bands: {a: 1}}", ("m", "bands"), "unknown option"),
    ("a.b: {score: {n: 1}}", ("a.b",), "a projection's name has letters"),
    ("all: {score: {n: 1}}", ("all",), "none of all, any, not"),
    ("r: 3", ("r",), "needs either `score` or `partition`"),
    ("r: {score: {n: 1}, partition: {x: {when: {}}}}", ("r",), "needs either"),
    ("r: {score: {}}", ("r", "score"), "at least one"),
    ("r: {score: {nn: 1}}", ("r", "score", "nn"), "unknown feature; did you mean 'n'?"),
    ("r: {score: {t: 1}}", ("r", "score", "t"), "is a text: a score adds numbers"),
    ("r: {score: {l: 1}}", ("r", "score", "l"), "is a list of texts"),
    ("r: {score: {n: x}}", ("r", "score", "n"), "needs a number"),
    ("r: {score: {n: {wieght: 1}}}", ("r", "score", "n", "wieght"), "did you mean 'weight'?"),
    ("r: {score: {n: {weight: .inf}}}", ("r", "score", "n", "weight"), "finite"),
    ("r: {score: {n: {at_least: 2, at_most: 1}}}", ("r", "score", "n", "at_least"), "is above `at_most`"),
    ("r: {score: {b: {default: 1}}}", ("r", "score", "b", "default"), "needs true or false"),
    ("r: {score: {n: 1}, ofset: 1}", ("r", "ofset"), "did you mean 'offset'?"),
    ("r: {score: {n: 1}, offset: x}", ("r", "offset"), "needs a number"),
    ("r: {score: {n: 1}, sigmoid: 3}", ("r", "sigmoid"), "needs a mapping of options"),
    ("r: {score: {n: 1}, sigmoid: {slope: 0}}", ("r", "sigmoid", "slope"), "may not be 0"),
    ("r: {score: {n: 1}, bands: {}}", ("r", "bands"), "at least one"),
    ("r: {score: {n: 1}, bands: {none: 1}}", ("r", "bands", "none"), "below all bands"),
    ("r: {score: {n: 1}, bands: {a: 1, b: 1}}", ("r", "bands"), "two bands that begin at the same score"),
    ("p: {partition: {}}", ("p", "partition"), "at least one"),
    ("p: {partition: {x: {}}}", ("p", "partition", "x"), "needs either `score` or `when`"),
    ("p: {partition: {x: {when: {tt: a}}}}", ("p", "partition", "x", "when", "tt"), "unknown feature"),
    ("p: {partition: {x: {when: {}, offset: 1}}}", ("p", "partition", "x", "offset"), "unknown option"),
    ("p: {partition: {x: {score: {n: a}}}}", ("p", "partition", "x", "score", "n"), "needs a number"),
    ("p: {partition: {x: {when: {}}}, temperature: 0}", ("p", "temperature"), "must be above 0"),
    ("p: {partition: {x: {when: {}}}, otherwise: y}", ("p", "otherwise"), "is none of the members x"),
    ("r: {score: {r: 1}}", ("r",), "reads itself: r reads r"),
    ("p: {partition: {x: {when: {r.band: a}}}}\nr: {score: {p.share: 1}, bands: {a: 0}}", ("p",), "p reads r reads p"),
]


@pytest.mark.parametrize(("written", "place", "message"), WRONG)
def test_what_is_wrong_with_a_projection_is_said_with_its_place(written, place, message):
    """The place leads to the option, the message says what is needed."""
    with pytest.raises(ConditionError) as caught:
        parse_projections(yaml.safe_load(written), KNOWN)

    assert place == caught.value.place
    assert message in caught.value.message


def test_a_wildcard_counts_as_taken():
    """A projection may not hide what a signal could give."""
    with pytest.raises(ConditionError, match=r"x\.band"):
        parse_projections({"x": {"score": {"n": 1}, "bands": {"a": 0}}}, {"n": Kind.NUMBER, "x.*": Kind.TEXT})


@given(st.randoms(use_true_random=False))
def test_projecting_twice_is_projecting_once(rng):
    """Features that were projected already are found again as they were."""
    parsed = parse_projections(yaml.safe_load(WHOLE), KNOWN)
    once = apply(parsed, draw_features(rng))

    assert repr(once) == repr(apply(parsed, once))


@given(st.randoms(use_true_random=False))
def test_a_partition_has_one_member_and_its_share_is_the_largest(rng):
    """Whatever is known; with `otherwise`, always."""
    parsed = parse_projections(yaml.safe_load(WHOLE), KNOWN)
    found = apply(parsed, draw_features(rng))

    assert found["lane"] in {"fast", "deep", "guard"}
    assert 1 / 3 <= found.get("lane.share", 1.0) <= 1


def test_projecting_changes_nothing_that_was_there():
    """Neither the mapping that is given nor what it holds."""
    rng = random.Random(0)
    features = draw_features(rng)
    before = dict(features)
    found = apply(parse_projections(yaml.safe_load(WHOLE), KNOWN), features)

    assert before == features
    assert features.items() <= found.items()
