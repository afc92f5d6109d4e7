from __future__ import annotations

from random import Random

import pytest
import yaml

from gateway.config.files import read_files
from gateway.config.policies import build_policies
from gateway.learning.following import Following
from gateway.learning.run import Places, Run
from gateway.learning.snapshots import LABEL, Snapshots
from gateway.learning.subjects import rules_of, subjects_of
from gateway.metrics import Metrics
from gateway.store.memory import MemoryStore
from routers.types import Context
from tests.gateway.learning.lessons import decision, in_memory, outcome, rating

ROUTER = {"type": "ema", "feature": None, "epsilon": 0.0}
RULES = [
    {"name": "own", "when": {"prompt_tokens": {"above": 5}}, "router": ROUTER},
    {"name": "less", "when": {"prompt_tokens": {"above": 4}}, "pool": ["small", "large"]},
    {"name": "on", "when": {"prompt_tokens": {"above": 2}}, "policy": "other"},
]


@pytest.fixture
def files(tmp_path):
    policies = {
        "auto": {"router": ROUTER, "rules": RULES},
        "other": {"router": ROUTER},
        "plain": {"router": {"type": "random"}},
    }
    for name, policy in policies.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, **policy}))
    models = {name: {"provider": "here"} for name in ("small", "large")}
    gateway = {"providers": {"here": {"vendor": "vllm"}}, "models": models}
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump({**gateway, "policies": [f"{name}.yaml" for name in policies]}))
    return read_files(path, {})


@pytest.fixture
def world(files, tmp_path):
    """Return a log, a learner of it, what follows it, and the policies as they were built."""
    log, book = MemoryStore(), in_memory()
    snapshots, rules = Snapshots(tmp_path / "learned"), rules_of(files)
    subjects = subjects_of(files, rules)
    built, metrics = build_policies(files, None), Metrics()
    yield (
        log,
        Run(Places(log, book, snapshots, None), subjects, rules),
        Following(snapshots, subjects, built, metrics),
        built,
        metrics,
    )
    book.close()


def favourite(route):
    return next(route.router.plan(Context("", 1), route.pool, Random(0))).candidates[0].model


def teach(log, model, numbers, **changes):
    log.append(
        [event for n in numbers for event in (decision(n, **changes), outcome(n, model), rating(f"{n}", n, 1.0))]
    )


def test_what_was_learned_replaces_the_router_and_nothing_else(world):
    """Of the policy and of the rules that share it; what was built stays as it was, for requests under way."""
    log, run, following, built, _ = world
    assert None is following.poll()
    teach(log, "small", range(20))
    run.turn(0.0)
    learned = following.poll()
    auto, before = learned.policies["auto"], built.policies["auto"]
    less = next(rule.payload.leads_to for rule in auto.rules.rules if rule.name == "less")
    own = next(rule.payload.leads_to for rule in auto.rules.rules if rule.name == "own")

    assert ["small", "small", "large"] == [favourite(route) for route in (auto.route, less, own)]
    assert "large" == favourite(before.route)
    assert auto.route.router is less.router
    assert auto.digest != before.digest
    assert learned.policies["plain"] == built.policies["plain"]
    assert learned.policies["other"].digest == built.policies["other"].digest
    assert None is following.poll()


def test_a_policy_that_leads_to_another_tells_what_that_has_learned(world):
    """Its digest changes with it, and its rule leads to the same policy as the name does."""
    log, run, following, built, _ = world
    teach(log, "small", range(20), policy="auto", rule="on")
    run.turn(0.0)
    learned = following.poll()
    on = next(rule.payload.leads_to for rule in learned.policies["auto"].rules.rules if rule.name == "on")

    assert on is learned.policies["other"]
    assert "small" == favourite(on.route)
    assert learned.policies["auto"].digest != built.policies["auto"].digest


def test_a_rules_own_router_learns_by_itself(world):
    """From the decisions of its rule."""
    log, run, following, _, metrics = world
    teach(log, "small", range(20), rule="own")
    run.turn(0.0)
    auto = following.poll().policies["auto"]
    own = next(rule.payload.leads_to for rule in auto.rules.rules if rule.name == "own")

    assert ["large", "small"] == [favourite(auto.route), favourite(own)]
    assert 20 == metrics.learned_rows.labels("auto/own")._value.get()


def test_a_snapshot_that_cannot_be_read_leaves_the_last_one(world, tmp_path):
    """It is told once; the next one is taken."""
    log, run, following, _, metrics = world
    failures = metrics.learning_failures.labels("snapshot")._value
    teach(log, "small", range(20))
    run.turn(0.0)
    following.poll()
    for number, damage in enumerate(("state.npz", "state.json", LABEL), 1):
        teach(log, "small", [20 + number])
        run.turn(0.0)
        (tmp_path / "learned" / "auto" / str(1 + number) / damage).write_bytes(b"damaged")
        assert [None, None] == [following.poll(), following.poll()]
        assert number == failures.get()
    teach(log, "small", [30])
    run.turn(0.0)

    assert following.poll() is not None
    assert 5 == metrics.learned_version.labels("auto")._value.get()


def test_a_snapshot_of_another_configuration_waits(world, files, tmp_path):
    """The learner has not seen yet that something has changed."""
    log, run, _, built, metrics = world
    teach(log, "small", range(20))
    run.turn(0.0)
    (tmp_path / "auto.yaml").write_text(yaml.safe_dump({"name": "auto", "router": {**ROUTER, "shrinkage": 2.0}}))
    changed = subjects_of(read_files(files.path, {}), rules_of(files))

    assert None is Following(Snapshots(tmp_path / "learned"), changed, built, metrics).poll()


def test_nothing_new_is_not_written_again(world, tmp_path):
    """However often it is looked at."""
    log, run, _, _, _ = world
    teach(log, "small", range(20))
    for _ in range(3):
        run.turn(0.0)
    assert [1] == Snapshots(tmp_path / "learned").versions("auto")
