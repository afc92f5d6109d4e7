from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import yaml

from gateway.config.files import read_files
from gateway.config.sides import open_side, stale_features
from gateway.redeciding.difference import REFUSED, Average, Pair, difference, moved_mass, pairs_of
from gateway.redeciding.logged_request import LoggedRequest
from gateway.redeciding.redecide import reads_text, redecide
from gateway.redeciding.redecided import Choice, Rejected, Untold
from gateway.store.base import LoggedEvent
from gateway.store.checks import build_decision
from routers.registry import build_router

if TYPE_CHECKING:
    from pathlib import Path

PRICE = {"input": 1, "output": 2}
MODELS = {
    "small": {"provider": "up", "price": PRICE, "context_window": 8000},
    "large": {"provider": "up", "price": {"input": 10, "output": 20}, "context_window": 100_000},
}
FIXED = {"router": {"type": "fixed", "model": "small"}}
#: What a log has of every request.
BASE = {"prompt_tokens": 1000.0, "length.exact": False, "needs": (), "turns": 1.0, "session": "s"}
TRACE = {"signal_ms": {"length": 0.1, "needs": 0.1, "context": 0.1, "session": 0.1}, "missed": [], "removed": {}}


def write(folder: Path, policies, **sections) -> Path:
    """Write a gateway; return its file."""
    folder.mkdir(exist_ok=True)
    for name, policy in policies.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, **policy}, sort_keys=False))
    gateway = {
        "providers": {"up": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
        "models": MODELS,
        "policies": [f"{name}.yaml" for name in policies],
        **sections,
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(gateway, sort_keys=False))
    return path


def side(folder: Path, *rules, sections=None, name=None, **policy):
    """Open a configuration whose policy `auto` has these rules."""
    path = write(folder, {"auto": {"rules": list(rules), **FIXED, **policy}}, **(sections or {}))
    return open_side(read_files(path, {}), name)


def logged(number=1, *, features=None, trace=None, **changes):
    """Build a decision as it is logged."""
    trace = {**TRACE, **(trace or {})}
    changes = {"embedding": None, "text": None, "propensities": {"small": 1.0, "large": 0.0}, **changes}
    return build_decision(number, features={**BASE, **(features or {})}, trace=trace, **changes)


def again(decision, by):
    return redecide(LoggedRequest(decision), by)


def test_a_logged_request_is_decided_again_by_its_features(tmp_path):
    """The rule, the distribution over who may answer, and what it may cost."""
    by = side(tmp_path, {"name": "long", "when": {"prompt_tokens": {"above": 500}}, "pool": ["large", "small"]})
    found = again(logged(features={"completion_tokens_limit": 100.0}), by)

    assert Choice("long", {"large": 0.0, "small": 1.0}, {}, {}, {"large": pytest.approx(0.012), "small": pytest.approx(0.0012)}) == found  # fmt: skip


def test_who_cannot_take_a_request_is_left_out(tmp_path):
    """By its length, by what it needs, and by what a key had denied."""
    models = {**MODELS, "small": {**MODELS["small"], "capabilities": ["tools"]}}
    by = side(tmp_path, sections={"models": models}, router={"type": "random"})
    features = [{"prompt_tokens": 50_000.0}, {"needs": ("vision",)}, {"needs": ("tools",)}]

    assert [{"large": 1.0}, {"large": 1.0}, {"small": 0.5, "large": 0.5}] == [
        dict(again(logged(features=one), by).propensities) for one in features
    ]
    assert {"small": 1.0} == again(logged(trace={"removed": {"large": "denied: the caller or its key denies it"}}), by).propensities  # fmt: skip


def test_a_class_is_given_again_by_what_was_found(tmp_path):
    """Personal data that nobody looked for cannot be told; a claim that was logged still holds."""
    models = {**MODELS, "large": {**MODELS["large"], "clearance": "restricted"}}
    classes = {"by_pii": {"email": "confidential"}}
    by = side(tmp_path, sections={"models": models, "data_classes": classes}, router={"type": "random"})
    seen = {"pii": ("email",), "pii.unread": (), "pii.truncated": False}
    claimed = {"data_class": {"name": "restricted", "because": ["claimed"]}}

    assert {"large": 1.0} == again(logged(features=seen), by).propensities
    assert {"large": 1.0} == again(logged(features={**seen, "pii": ()}, trace=claimed), by).propensities
    assert {"small": 0.5, "large": 0.5} == again(logged(features={**seen, "pii": ()}), by).propensities
    assert Untold(frozenset({"pii"})) == again(logged(), by)


def test_a_refusal_has_the_rule_and_a_code(tmp_path):
    """Of a rule, of nobody being left, of a name that is none."""
    rules = [
        {"name": "no", "when": {"turns": {"above": 5}}, "refuse": "No."},
        {"name": "big", "when": {"prompt_tokens": {"above": 500_000}}, "pool": ["large"], "router": {"type": "random"}},
    ]
    by = side(tmp_path, *rules)

    assert [
        Rejected("no", "rejected_by_policy"),
        Rejected("big", "context_length_exceeded"),
        Rejected(None, "model_not_found"),
        Rejected(None, "invalid_dial"),
    ] == [
        again(decision, by)
        for decision in (
            logged(features={"turns": 9.0}),
            logged(features={"prompt_tokens": 900_000.0}),
            logged(requested_model="gone", policy="gone"),
            logged(requested_model="auto:0.5"),
        )
    ]


def test_what_nobody_looked_for_is_never_guessed(tmp_path):
    """Not even by a default, which stands in for what was not found."""
    hard = {"name": "hard", "when": {"difficulty": {"above": 0.5}}, "pool": ["large"], "router": {"type": "random"}}
    by = side(tmp_path, hard, defaults={"difficulty": 1})

    assert Untold(frozenset({"difficulty"})) == again(logged(), by)
    assert "hard" == again(logged(trace={"missed": ["difficulty"]}), by).rule
    assert again(logged(features={"difficulty": 0.1}), by).rule is None


def test_a_projection_of_what_nobody_looked_for_is_not_guessed_either(tmp_path):
    """The feature that is lacking is named, not the projection."""
    projections = {"risk": {"score": {"difficulty": {"weight": 1, "default": 0}}}}
    by = side(tmp_path, {"name": "r", "when": {"risk": {"above": 0.5}}, "tag": "x"}, projections=projections)

    assert Untold(frozenset({"difficulty"})) == again(logged(), by)


def test_rules_that_do_not_matter_keep_nothing_from_being_told(tmp_path):
    """An earlier rule matches, or the condition is false whatever the feature is."""
    rules = [
        {"name": "first", "when": {"turns": 1}, "tag": "x"},
        {"name": "hard", "when": {"difficulty": {"above": 0.5}}, "tag": "y"},
    ]
    many = {"name": "hard", "when": {"difficulty": {"above": 0.5}, "turns": 7}, "tag": "y"}

    assert "first" == again(logged(), side(tmp_path, *rules)).rule
    assert again(logged(), side(tmp_path, many)).rule is None


def test_rules_that_ask_for_the_text_need_it(tmp_path):
    """It is in the log only if the configuration stores it."""
    by = side(tmp_path, {"name": "sql", "when": {"text": {"contains": "SELECT"}}, "tag": "x"})

    assert [Untold(frozenset({"text"})), "sql"] == [
        again(logged(), by),
        again(logged(text="SELECT 1"), by).rule,
    ]


def test_a_plan_of_several_calls_is_known_as_one(tmp_path):
    """What is decided again is whom it asks first."""
    by = side(tmp_path, router={"type": "self_consistency", "router": {"type": "fixed", "model": "small"}})
    found = again(logged(), by)

    assert (True, {"small": 1.0, "large": 0.0}) == (found.planned, found.propensities)
    assert again(logged(), side(tmp_path, **FIXED)).planned is False


def test_a_router_needs_the_embedding_and_one_that_reads_words_the_text(tmp_path):
    """An embedding that missed its deadline is what the router would have had."""
    knn = {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}}
    by = side(tmp_path, router=knn)
    words = {"type": "estimating", "estimator": {"type": "wording", "estimator": {"type": "knn"}}, "rule": {"type": "greedy"}}  # fmt: skip
    within = {**words, "estimator": {"type": "ensemble", "members": [words["estimator"], {"type": "constant"}]}}
    plan = {"type": "self_consistency", "router": words}

    assert Untold(frozenset({"embedding"})) == again(logged(), by)
    assert isinstance(again(logged(trace={"missed": ["embedding"]}), by), Choice)
    assert isinstance(again(logged(embedding=b"\x00\x00\x80?" * 384), by), Choice)
    assert [False, True, True, True] == [reads_text(build_router(spec)) for spec in (knn, words, within, plan)]


def test_the_time_is_told_anew(tmp_path):
    """When a request came is in the log, and windows are the new configuration's."""
    signals = {"time": {"windows": {"noon": {"opens": "12:00", "closes": "13:00"}}}}
    by = side(tmp_path, {"name": "noon", "when": {"time.windows": "noon"}, "tag": "x"}, sections={"signals": signals})

    assert "noon" == again(logged(), by).rule


def test_a_rule_may_lead_to_another_policy(tmp_path):
    """Its rules go on, and its class holds."""
    auto = {"rules": [{"name": "to", "when": {"turns": 1}, "policy": "inner"}], **FIXED}
    inner = {"rules": [{"name": "in", "when": {"prompt_tokens": {"above": 1}}, "tag": "x"}], **FIXED}
    by = open_side(read_files(write(tmp_path, {"auto": auto, "inner": inner}), {}), None)

    assert "to/in" == again(logged(), by).rule


def test_another_policy_may_be_asked_in_place_of_one(tmp_path):
    """The dial stays where the request had it."""
    dialled = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy"}}
    path = write(tmp_path, {"auto": FIXED, "next": {"router": dialled}})
    by = open_side(read_files(path, {}), "next")

    assert isinstance(again(logged(requested_model="auto:0.5"), by), Choice)


DIALLED = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "softmax", "temperature": 0.3}}


def chances_of(by, why="constant*softmax w=0.7", **decided):
    """Return the chance of the dearer model, None where it cannot be told."""
    found = again(logged(why=why, **decided), by)
    return found.propensities["large"] if isinstance(found, Choice) else found


def test_the_dial_is_where_the_request_had_turned_it(tmp_path):
    """It counts before the one in the name; in the same place both come to the same."""
    by = side(tmp_path, router=DIALLED)
    turned = chances_of(by, trace={"dial": 1.0}, why="constant*softmax w=1")

    assert turned == chances_of(by, trace={"dial": 1.0}, requested_model="auto:cheap")
    assert turned == chances_of(by, trace={"dial": None}, requested_model="auto:best")
    assert turned > chances_of(by, trace={"dial": None}) > chances_of(by, trace={"dial": 0.2})


def test_a_dial_that_the_policy_does_not_allow_is_refused_again(tmp_path):
    """All policies on the way bound it, as they do when requests are served."""
    outer = {"rules": [{"name": "to", "when": {"turns": 1}, "policy": "inner"}], **FIXED, "dial": {"max": 0.5}}
    by = open_side(read_files(write(tmp_path, {"auto": outer, "inner": {"router": DIALLED}}), {}), None)

    assert Rejected("to", "invalid_dial") == again(logged(trace={"dial": 0.9}), by)
    assert isinstance(again(logged(trace={"dial": 0.4}), by), Choice)


@pytest.mark.parametrize(
    ("why", "pressure", "told"),
    [
        ("constant*softmax w=0.7", None, True),
        ("constant*softmax w=1", None, False),
        ("constant*softmax w=0.538462", {"price_of_money": 2.0}, True),
        ("constant*softmax w=0.7", {"price_of_money": 2.0}, False),
        ("session", None, True),
    ],
)
def test_a_log_without_the_dial_tells_no_other_than_its_reasons_show(tmp_path, why, pressure, told):
    """Logs of earlier versions have it in the reason alone, as dear as money was."""
    found = again(logged(why=why, trace={"pressure": pressure}), side(tmp_path, router=DIALLED))

    assert told == isinstance(found, Choice)
    assert told or Untold(frozenset({"the dial that was asked for"})) == found
    assert isinstance(again(logged(why=why, trace={"pressure": pressure}), side(tmp_path)), Choice)


def test_a_log_with_the_dial_tells_of_a_policy_that_has_it_elsewhere(tmp_path):
    """That nobody had turned it is known: the policy's own may have been any."""
    by = side(tmp_path, router={**DIALLED, "quality_weight": 0.4})

    assert isinstance(again(logged(why="constant*softmax w=0.7", trace={"dial": None}), by), Choice)


@pytest.mark.parametrize(
    ("because", "exploration", "explored"),
    [
        (None, {}, True),
        (None, {"max_usd_per_day": 1.0}, True),
        (None, {"enabled": False}, False),
        ("caller", {}, False),
        ("request", {"max_usd_per_day": 1.0}, False),
        ("budget", {"max_usd_per_day": 1.0}, False),
        ("cost_unknown", {"max_usd_per_day": 1.0}, False),
        ("budget", {}, True),
        ("policy", {}, True),
    ],
)
def test_who_was_not_explored_with_is_not_again(tmp_path, because, exploration, explored):
    """Whoever did not want it, by no policy; whose money was spent, by none with a cap; a policy's own wish is its own."""
    by = side(tmp_path, router=DIALLED, exploration=exploration)
    found = again(logged(trace={"dial": None, "exploration": {"on": because is None, "because": because}}), by)

    assert explored == (1.0 not in found.propensities.values())


def test_features_of_changed_settings_are_stale(tmp_path):
    """Lists of words, classes, headers that were not shown, another encoder."""
    signals = {
        "keywords": {"a": {"any": ["x"]}},
        "metadata": {"headers": ["x-a", "X-B"]},
        "domain": {"classes": {"a": {"description": "x"}, "b": {"description": "y"}}},
    }
    old = read_files(write(tmp_path / "old", {"auto": FIXED}, signals={"metadata": {"headers": ["x-b"]}}), {}).config
    new = read_files(write(tmp_path / "new", {"auto": FIXED}, signals=signals), {}).config

    stale = stale_features(old, new)
    assert {"keywords", "header.x-a", "domain", "domain.ood"} <= stale
    assert frozenset() == stale_features(new, new)
    assert not stale & {"header.x-b", "embedding", "difficulty"}


def test_a_stale_feature_cannot_be_told_by_the_log(tmp_path):
    """The list of words of the same name may have other words now."""
    path = write(
        tmp_path,
        {"auto": {"rules": [{"name": "k", "when": {"keywords": "a"}, "tag": "x"}], **FIXED}},
        signals={"keywords": {"a": {"any": ["x"]}}},
    )
    by = open_side(read_files(path, {}), None, frozenset({"keywords"}))

    assert Untold(frozenset({"keywords"})) == again(logged(features={"keywords": ("a",)}), by)


def choice(rule=None, rewards=None, costs=None, prices=None, **chances):
    return Choice(rule, chances, rewards or {}, costs or {}, prices or {})


def pair(old, new, number=1, logged=None):
    return Pair(f"d{number}", logged or {"a": 1.0}, old, new)


def test_what_moves_is_the_total_variation():
    """From nothing to all."""
    assert [0.0, 0.25, 1.0] == [
        moved_mass({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}),
        moved_mass({"a": 0.5, "b": 0.5}, {"a": 0.75, "b": 0.25}),
        moved_mass({"a": 1.0}, {"b": 1.0}),
    ]


def test_a_difference_counts_who_moves_and_by_which_rules():
    """The likeliest model, the probability, and the requests that are named."""
    found = difference(
        [
            pair(choice(a=1.0, b=0.0), choice("r", a=0.0, b=1.0), 1),
            pair(choice(a=0.75, b=0.25), choice("r", a=0.5, b=0.5), 2),
            pair(choice(a=1.0, b=0.0), choice(a=1.0, b=0.0), 3),
        ]
    )

    assert (3, 3, 2, [1.0, 0.25, 0.0]) == (found.requests, found.compared, found.reproduced, found.moved)
    assert {("a", "b"): 1} == found.moves
    assert {(None, "r"): [1.0, 0.25], (None, None): [0.0]} == found.by_rule
    assert ["d1", "d2"] == [move.decision_id for move in found.examples]


def test_costs_are_compared_by_one_measure():
    """The routers' own where both know all that counts, else the price; a model with no chance needs none."""
    found = difference(
        [
            pair(choice(costs={"a": 1.0}, a=1.0), choice(costs={"b": 3.0}, a=0.0, b=1.0)),
            pair(choice(costs={"a": 1.0}, prices={"a": 10.0}, a=1.0), choice(prices={"b": 30.0}, a=0.0, b=1.0)),
            pair(choice(costs={"a": 1.0}, a=1.0), choice(costs={"a": 1.0}, a=0.5, b=0.5)),
        ]
    )

    assert [2.0, 20.0] == found.costs_usd


def test_quality_is_what_the_new_side_expects():
    """Of both distributions; unknown where it knows nothing of a model that the old side may choose."""
    rewards = {"a": 0.5, "b": 0.75}
    found = difference(
        [
            pair(choice(a=1.0), choice(rewards=rewards, a=0.0, b=1.0)),
            pair(choice(c=1.0), choice(rewards=rewards, a=0.0, b=1.0)),
        ]
    )

    assert [0.25] == found.rewards


def test_refusals_appear_and_vanish():
    """They count as moved, and have neither cost nor quality."""
    found = difference(
        [
            pair(choice(a=1.0), Rejected("no", "rejected_by_policy")),
            pair(Rejected(None, "no_eligible_model"), choice("ok", a=1.0)),
            pair(Rejected("no", "x"), Rejected("no", "x")),
        ]
    )

    assert ({("no", "rejected_by_policy"): 1}, {(None, "no_eligible_model"): 1}) == (found.appeared, found.vanished)
    assert [1.0, 1.0, 0.0] == found.moved
    assert {("a", REFUSED): 1, (REFUSED, "a"): 1} == found.moves
    assert [] == found.costs_usd == found.rewards


def test_what_cannot_be_told_is_counted_apart():
    """By what is missing, once a request."""
    found = difference(
        [
            pair(choice(a=1.0), Untold(frozenset({"text", "pii"}))),
            pair(Untold(frozenset({"pii"})), Untold(frozenset({"pii"}))),
            pair(choice(a=1.0), choice(a=1.0)),
        ]
    )

    assert (3, 1, 2, {"pii": 2, "text": 1}) == (found.requests, found.compared, found.cannot_tell, found.untold)
    assert [0.0] == found.moved


def test_an_average_has_a_standard_error():
    """Of a single value there is none, of no value no average."""
    assert Average(2.0, math.sqrt(1 / 3), 3) == Average.of([1.0, 2.0, 3.0])
    assert (Average(1.0, None, 1), None) == (Average.of([1.0]), Average.of([]))


def test_a_log_is_compared_event_by_event(tmp_path):
    """As it is joined."""
    old, new = side(tmp_path / "old"), side(tmp_path / "new", router={"type": "fixed", "model": "large"})
    (one,) = pairs_of([LoggedEvent(logged(7), None, ())], old, new)

    assert 1.0 == difference([one]).moved[0]
    assert one.decision_id.endswith("7")
