"""What gates were fitted to, kept and found again."""

from __future__ import annotations

import numpy as np
import pytest

from routers.calibration.calibration import Graded
from routers.checks.cases import outcomes
from routers.gates.calibrated import Calibrated
from routers.gates.combined import AllOf, Combined
from routers.gates.expected import Expected
from routers.gates.fitted import fitted_parts, gate_state, restore_gate
from routers.gates.logprob import Logprob
from routers.gates.wellformed import Wellformed
from routers.registry import build_router
from routers.state import read_manifest
from routers.types import StateError

RNG = np.random.default_rng(0)
SCORES = RNG.random((300, 2))
REWARDS = (RNG.random(300) < SCORES[:, 1]).astype(np.float64)
MODELS = ["small", "large"] * 150
START = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0}}
WEIGHED = {"type": "combined", "gates": [{"type": "expected"}, {"type": "logprob"}]}


def nested():
    """Return a gate that has two to be fitted, one of them inside the other."""
    return AllOf([Wellformed(), Combined([Expected(), Calibrated(Logprob())])])


def fitted():
    gate = nested()
    weighed = gate.gates[1]
    weighed.fit(SCORES, MODELS, REWARDS)
    weighed.gates[1].fit(Graded(SCORES[:, 1], REWARDS, MODELS, ["sums"] * 300))
    return gate


def cascade(kind="cascade", gate=WEIGHED):
    return build_router({"type": kind, "gate": gate, "router": START})


def test_every_part_keeps_what_it_was_fitted_to():
    """Each at its place, whether it stands alone or inside another."""
    kept, other = fitted(), nested()
    restore_gate(other, gate_state(kept))
    chances = [gate.gates[1].combination.chances(SCORES, MODELS) for gate in (kept, other)]
    curves = [
        gate.gates[1].gates[1].calibration.chances(SCORES[:, 1], MODELS, ["sums"] * 300) for gate in (kept, other)
    ]

    np.testing.assert_array_equal(*chances)
    np.testing.assert_array_equal(*curves)
    assert ["gate.allof.1.combined", "gate.allof.1.combined.1.calibrated"] == [
        place for place, _ in fitted_parts(other)
    ]


def test_a_gate_that_was_not_fitted_has_no_state():
    """So a plan's state is its router's, as long as nothing else was learned."""
    assert {} == gate_state(nested())


@pytest.mark.parametrize("kind", ["cascade", "cascade_routing"])
def test_a_plan_keeps_its_router_and_its_gate(tmp_path, kind):
    """Both are as they were when they are loaded."""
    kept, other = cascade(kind), cascade(kind)
    kept.learn(outcomes(200))
    kept.gate.fit(SCORES, MODELS, REWARDS)
    kept.save(tmp_path, encoder="e", metadata={"table_sha256": "s"})
    other.load(tmp_path)

    np.testing.assert_array_equal(kept.gate.combination.weights, other.gate.combination.weights)
    assert kept.router.costs.models == other.router.costs.models
    manifest = read_manifest(tmp_path)
    assert ("e", "s") == (manifest.encoder, manifest.metadata["table_sha256"])


def test_a_plan_takes_its_routers_own_state_as_well(tmp_path):
    """What was trained before there was a gate to be fitted is not lost."""
    before = build_router(START)
    before.learn(outcomes(200))
    before.save(tmp_path)
    plan = cascade()
    plan.load(tmp_path)

    assert before.costs.models == plan.router.costs.models
    assert plan.gate.is_fitted is False


@pytest.mark.parametrize(
    "gate",
    [
        {"type": "logprob"},
        {"type": "combined", "gates": [{"type": "expected"}, {"type": "logprob"}, {"type": "wellformed"}]},
    ],
)
def test_what_was_fitted_to_one_gate_is_not_another_ones(tmp_path, gate):
    """The message says what to do."""
    kept = cascade()
    kept.learn(outcomes(200))
    kept.gate.fit(SCORES, MODELS, REWARDS)
    kept.save(tmp_path)

    with pytest.raises(StateError, match=r"was fitted with another gate .*run `pointsman train`"):
        cascade(gate=gate).load(tmp_path)
