from __future__ import annotations

import pytest

from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.constraints import Constraints
from gateway.policy import Policy, Stickiness
from gateway.route import Refusal, Route
from routers.fixed import Fixed
from routers.random_choice import RandomChoice
from tests.gateway.config.written import GATEWAY, P, Q, build


def effects(policy: Policy):
    return {rule.name: rule.payload.leads_to for rule in policy.rules.rules}


def names(route) -> tuple[str, ...]:
    return tuple(candidate.model for candidate in route.pool)


def test_a_policy_is_what_its_file_says(tmp_path):
    """Pool, router, limits of the gateway, dial, stickiness, class, and the signals that its rules read."""
    policy = build(tmp_path).policies.policies["p"]
    route = policy.route

    assert (("small", "large"), "small", None, 20, None) == (
        names(route),
        route.router.model,
        route.fallback,
        route.timeouts.total_s,
        route.attempts,
    )
    assert Constraints(max_cost_usd=0.5) == route.bounds
    assert ((0.1, 0.9), Stickiness(tool_loop=False), "open") == (policy.dial, policy.stickiness, policy.data_class)
    assert {"language": "en"} == policy.defaults
    assert {"length", "context", "agent"} == policy.signals


def test_rules_are_asked_by_priority_and_lead_where_they_say(tmp_path):
    """To a route of their own, to another policy, or to a refusal."""
    policies = build(tmp_path).policies.policies
    leads_to = effects(policies["p"])

    assert ["other", "code", "never"] == [*leads_to]
    assert leads_to["other"] is policies["q"]
    assert Refusal("No pictures.") == leads_to["never"]
    assert ["shut"] == [rule.payload.tag for rule in policies["p"].rules.rules if rule.payload.tag]


def test_a_rule_inherits_what_it_does_not_say(tmp_path):
    """The policy's router and limits; a fallback only with the pool that it was written for."""
    code = effects(build(tmp_path).policies.policies["p"])["code"]

    assert isinstance(code, Route)
    assert (("small",), 20, None) == (names(code), code.timeouts.total_s, code.fallback)
    assert isinstance(code.router, Fixed)
    assert ({"temperature": 0, "stop": None}, {"x-team": "a"}) == (code.changes.parameters, code.changes.headers)


def test_a_rule_has_its_own_limits_router_and_fallback(tmp_path):
    """What it says replaces what the policy says, whole: limits of a rule are no mixture."""
    policy = build(tmp_path).policies.policies["q"]
    deep = effects(policy)["deep"]

    assert (RandomChoice, 2, Constraints(max_latency_s=3)) == (
        type(policy.route.router),
        policy.route.attempts,
        policy.route.bounds,
    )
    assert ("large", (), 1, None, Constraints()) == (
        deep.router.model,
        deep.fallback,
        deep.timeouts.ttft_s,
        deep.attempts,
        deep.bounds,
    )


def test_a_models_own_name_is_under_the_gateways_limits(tmp_path):
    """All of them: the time, and what an answer may cost."""
    route = build(tmp_path).policies.resolve("large").policy.route

    assert (20, Constraints(max_cost_usd=0.5)) == (route.timeouts.total_s, route.bounds)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dial: {min: 0.1, max: 0.9}", "dial: {min: 0.9, max: 0.1}", "p.yaml:22: dial: Value error, min 0.9 is above max 0.1"),
        ("dial: {min: 0.1, max: 0.9}", "dial: {max: 2}", "p.yaml:22: dial.max"),
        ("{tool_loop: false}", "{idle_s: 0}", "p.yaml:21: stickiness.idle_s"),
        ("{tool_loop: false}", "{tool: false}", "p.yaml:21: stickiness.tool: unknown option"),
        ("name: q\n", "name: p\n", "q.yaml:1: name: 'p' is the name of another policy already"),
        ("pool: [small, large]", "pool: [small, tiny]", "p.yaml:2: pool.1: 'tiny' is not in models"),
        ("pool: [small, large]", "pool: [small, large, small]", "p.yaml:2: pool.2: 'small' is there already"),
        ("pool: [small, large]", "pool: [large]", "p.yaml:3: router: 'small' is not in the pool"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_policy_is_told_with_its_line(tmp_path, old, new, said):
    """A user finds the place without searching."""
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, old, new)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("deny_models: [large]", "deny_models: [small, lrge]", "gateway.yaml:10: callers.alice.deny_models.1: 'lrge' is not in models; did you mean 'large'?"),
        ("allow_models: [small]", "allow_models: [p]", "gateway.yaml:11: callers.bob.allow_models.0: 'p' is not in models"),
        ("key: sk-b", "key: sk-a", "gateway.yaml:11: callers.bob.key: is the key of callers.alice too"),
        ("limits: {max_cost_usd: 0.5", "server: {api_keys: [sk-a]}\nlimits: {max_cost_usd: 0.5", "gateway.yaml:10: callers.alice.key: is the key of server.api_keys too"),
        ("key: sk-b", "key: ''", "gateway.yaml:11: callers.bob.key"),
        ("key: sk-b", "key: 12345", "gateway.yaml:11: callers.bob.key: Input should be a valid string"),
        ("key: sk-b", "rol: x, key: sk-b", "gateway.yaml:11: callers.bob.rol: unknown option; did you mean 'role'?"),
    ],
)  # fmt: skip
def test_a_mistake_about_a_caller_is_told_with_its_line(tmp_path, old, new, said):
    """A model that is denied by a misspelt name would not be denied at all; no key is ever shown."""
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, old, new)

    assert said in str(caught.value)
    assert not {"sk-a", "sk-b", "12345"} & set(str(caught.value).replace(",", " ").replace("'", " ").split())


def test_the_digest_changes_with_the_policies_that_rules_lead_to(tmp_path):
    """The log tells one version of a policy from another, whichever part of it has changed."""
    before = build(tmp_path).policies.policies
    after = build(tmp_path, "turns: {above: 3}", "turns: {above: 4}").policies.policies

    assert before["p"].digest != after["p"].digest
    assert before["q"].digest != after["q"].digest
    assert before["p"].digest == build(tmp_path).policies.policies["p"].digest


def test_each_rules_router_has_a_folder_of_its_own(tmp_path):
    """What one learns is not the other's."""
    for name, text in (("gateway.yaml", GATEWAY), ("p.yaml", P), ("q.yaml", Q)):
        (tmp_path / name).write_text(text)
    files = read_files(tmp_path / "gateway.yaml", {})
    routers = [*files.policy("q").routers()]

    assert [("q", "q"), ("q/deep", "q@deep")] == [(router.name, router.state.name) for router in routers]
    assert routers[1] == files.policy("q").router_named("deep")
    with pytest.raises(ConfigError, match=r"--rule: no rule 'dep' of policy 'q' has a router; did you mean 'deep'\?"):
        files.policy("q").router_named("dep")
