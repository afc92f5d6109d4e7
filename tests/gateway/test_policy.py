from __future__ import annotations

import pytest

from gateway.dial import turned
from gateway.errors import ModelNotFound, RequestError
from gateway.policy import Policies, Policy
from gateway.route import Route
from providers.types import Timeouts
from routers.registry import build_router
from routers.types import Candidate, Router

POOL = (Candidate("small"), Candidate("org/large"))
LEARNED = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy"}}


def build_policies() -> Policies:
    routers = {"auto": LEARNED, "split": {"type": "random"}}
    policies = {
        name: Policy(name, "", Route(POOL, build_router(spec), None, Timeouts()), "") for name, spec in routers.items()
    }
    return Policies(policies, {candidate.model: candidate for candidate in POOL}, Timeouts(total_s=7))


def router_of(name: str) -> Router:
    """Return the router of a name, with the dial where the name has it."""
    resolved = build_policies().resolve(name)
    return turned(resolved.policy.route.router, resolved.quality_weight, resolved.policy, resolved.policy.dial)


@pytest.mark.parametrize(
    ("name", "weight"),
    [("auto", 0.7), ("auto:cheap", 0), ("auto:best", 1), ("auto:0.3", 0.3), ("auto:1", 1), ("auto:.5", 0.5)],
)
def test_the_dial_is_part_of_the_name(name, weight):
    """The policy stays the same; only its router looks at quality otherwise."""
    resolved = build_policies().resolve(name)

    assert ("auto", weight) == (resolved.policy.name, router_of(name).quality_weight)


def test_a_models_own_name_is_that_model():
    """One candidate, no fallback, the gateway's own limits."""
    policy = build_policies().resolve("org/large").policy

    assert ((POOL[1],), (), 7) == (policy.pool, policy.route.fallback, policy.route.timeouts.total_s)


@pytest.mark.parametrize("name", ["nothing", "nothing:0.3", "", "AUTO", "small:0.3"])
def test_other_names_are_unknown(name):
    """The error lists what is known."""
    with pytest.raises(ModelNotFound, match="org/large"):
        build_policies().resolve(name)


@pytest.mark.parametrize("name", ["auto:", "auto:2", "auto:-1", "auto:nan", "auto:1e-1", "auto:dear", "split:0.3"])
def test_a_dial_that_is_none_is_refused(name):
    """Also where the policy has no dial."""
    with pytest.raises(RequestError, match="dial"):
        router_of(name)
