from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from gateway.config.files import read_files
from gateway.learning.rewards import RewardRules
from gateway.learning.subjects import Rules, decided_by, rules_of, subjects_of
from gateway.store.samples import build_decision

LEARNS = {"type": "ema", "feature": None}
FIXED = {"type": "random"}
RULES = Rules()


@pytest.fixture
def read(tmp_path):
    """Return a function that reads policies."""

    def written(**policies):
        for name, policy in policies.items():
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, **policy}))
        models = {name: {"provider": "here"} for name in ("small", "large")}
        gateway = {"providers": {"here": {"vendor": "vllm"}}, "models": models}
        path = tmp_path / "gateway.yaml"
        path.write_text(yaml.safe_dump({**gateway, "policies": [f"{name}.yaml" for name in policies]}))
        return read_files(path, {})

    return written


def names(files):
    return [(one.name, one.online) for one in subjects_of(files, RULES)]


def test_routers_that_learn_online_learn(read):
    """Others where their policy says so; none where it says that none does."""
    files = read(
        online={"router": LEARNS},
        table={"router": FIXED},
        asked={"router": FIXED, "learning": {"enabled": True}},
        still={"router": LEARNS, "learning": {"enabled": False}},
    )
    assert [("online", True), ("asked", False)] == names(files)


def test_a_decision_belongs_to_the_router_that_made_it(read):
    """A rule's own, the policy's, or that of the policy that a rule leads to."""
    rules = [
        {"name": "own", "when": {"prompt_tokens": {"above": 5}}, "router": LEARNS},
        {"name": "less", "when": {"prompt_tokens": {"above": 4}}, "pool": ["small"]},
        {"name": "no", "when": {"prompt_tokens": {"above": 3}}, "refuse": "No."},
        {"name": "on", "when": {"prompt_tokens": {"above": 2}}, "policy": "other"},
    ]
    other = {"router": LEARNS, "rules": [{"name": "deep", "when": {"prompt_tokens": {"above": 6}}, "router": LEARNS}]}
    files = read(auto={"router": LEARNS, "rules": rules}, other=other)
    owners = {way: one.name for one in subjects_of(files, RULES) for way in one.ways}

    assert {
        ("auto", None): "auto",
        ("auto", "own"): "auto/own",
        ("auto", "less"): "auto",
        ("auto", "on"): "other",
        ("auto", "on/deep"): "other/deep",
        ("other", None): "other",
        ("other", "deep"): "other/deep",
    } == owners


def test_a_candidates_decisions_are_its_own():
    """Those that it makes under the name of the policy whose place it is to take."""
    plain = build_decision(1, policy="auto", trace={})
    on_trial = replace(plain, trace={"promotion": {"version": "new@0123", "side": "candidate"}})
    live = replace(plain, trace={"promotion": {"version": "new@0123", "side": "live"}})
    failed = replace(plain, trace={"promotion": {"version": "new@0123", "side": "candidate", "failed": True}})

    assert ["auto", "new", "auto", "auto"] == [decided_by(one) for one in (plain, on_trial, live, failed)]


def test_the_digest_is_of_all_that_sums_depend_on(read):
    """Options, rules of rewards, which decisions count; not of what else the policy says."""

    def digest(by=RULES, **policy):
        return subjects_of(read(auto={"router": LEARNS, **policy}), by)[0].digest

    same = [digest(), digest(description="Another text."), digest(limits={"timeout_s": 5})]
    others = [
        digest(router={**LEARNS, "shrinkage": 2.0}),
        digest(replace(RULES, rewards=RewardRules(failure=0.0))),
        digest(rules=[{"name": "less", "when": {"prompt_tokens": {"above": 4}}, "pool": ["small"]}]),
    ]
    assert 1 == len(set(same))
    assert 4 == len({same[0], *others})


def test_rules_come_from_the_configuration(read):
    """As feedback's section has them."""
    assert RULES == rules_of(read(auto={"router": FIXED}))
