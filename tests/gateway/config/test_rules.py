from __future__ import annotations

import pytest

from gateway.config.loader import ConfigError
from tests.gateway.config.written import build


def message(folder, old, new) -> str:
    """Return what is said of a configuration in which one text is replaced."""
    with pytest.raises(ConfigError) as caught:
        build(folder, old, new)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("when: {text: {contains: def}}", "when: {txt: {contains: def}}", "p.yaml:9: rules.0.when.txt: unknown feature; did you mean 'text'?"),
        ("{contains: def}", "{contain: def}", "p.yaml:9: rules.0.when.text"),
        ("{above: 10}", "{above: ten}", "p.yaml:15: rules.1.when.prompt_tokens"),
        ("{above: 10}", "{contains: x}", "p.yaml:15: rules.1.when.prompt_tokens"),
        ("{images: true}", "{risk: {above: x}}", "p.yaml:19: rules.2.when.risk"),
        ("defaults: {language: en}", "defaults: {langauge: en}", "p.yaml:4: defaults.langauge: unknown feature"),
        ("defaults: {language: en}", "defaults: {prompt_tokens: other}", "p.yaml:4: defaults.prompt_tokens"),
        ("defaults: {language: en}", "defaults: {risk: 1}", "p.yaml:4: defaults.risk: unknown feature"),
        ("{score: {agent.step:", "{score: {agent.stop:", "p.yaml:6: projections.risk"),
        ("pool: [small]", "pool: [large]", "p.yaml:10: rules.0.pool: 'small' is not in the pool; known: large"),
        ("pool: [small]", "pool: [small, small]", "p.yaml:10: rules.0.pool.1: 'small' is there already"),
        ("pool: [small]", "pool: [smal]", "p.yaml:10: rules.0.pool.0: 'smal' is not in models; did you mean 'small'?"),
        ("pool: [small]", "pool: []", "p.yaml:10: rules.0.pool"),
        ("pool: [small]", "fallback: [small, lrge]", "p.yaml:10: rules.0.fallback.1: 'lrge' is not in the pool"),
        ("router: {type: fixed, model: large}, fallback: []", "fallback: [large, small, large]", "q.yaml:6: rules.0.fallback.2: 'large' is there already"),
        ("pool: [small]", "pool: [small]\n    fallback: [large]", "p.yaml:11: rules.0.fallback.0: 'large' is not in the pool"),
        ("pool: [small]", "router: {type: fixed, model: tiny}", "p.yaml:10: rules.0.router: 'tiny' is not in the pool"),
        ("pool: [small]", "router: {type: fixd}", "p.yaml:10: rules.0.router.type: unknown router 'fixd'; did you mean 'fixed'?"),
        ("policy: q", "policy: r", "p.yaml:16: rules.1.policy: no policy 'r'; known: p, q"),
        ("policy: q", "policy: p", "p.yaml:16: rules.1.policy: policies lead to each other in a circle: p -> p"),
        ("router: {type: fixed, model: large}, fallback: [], limits: {ttft_s: 1}", "policy: p", "q.yaml:6: rules.0.policy: policies lead to each other in a circle: p -> q -> p"),
        ("policy: q", "policy: q\n    effort: low", "p.yaml:13: rules.1: Value error, a rule with 'policy' has no use for effort"),
        ("policy: q", "policy: q\n    refuse: No.", "p.yaml:13: rules.1: Value error, a rule refuses, or leads to another policy: not both"),
        ("refuse: No pictures.", "refuse: No pictures.\n    pool: [small]", "p.yaml:17: rules.2: Value error, a rule with 'refuse' has no use for pool"),
        ("refuse: No pictures.", "refuse: ''", "p.yaml:20: rules.2.refuse"),
        ("temperature: 0", "model: large", "p.yaml:8: rules.0: Value error, parameters may not set model"),
        ("temperature: 0", "pointsman: {}", "p.yaml:8: rules.0: Value error, parameters may not set pointsman"),
        ("temperature: 0", "temperature: .nan", "p.yaml:11: rules.0.parameters: Value error, the value of 'temperature' is not JSON"),
        ("temperature: 0", "user: 2026-01-01", "p.yaml:11: rules.0.parameters: Value error, the value of 'user' is not JSON"),
        ("{X-Team: a}", "{X Team: a}", "p.yaml:12: rules.0.headers: Value error, 'X Team' is no header that a rule may set"),
        ("{X-Team: a}", "{Content-Length: '3'}", "p.yaml:12: rules.0.headers: Value error, 'Content-Length' is no header that a rule may set"),
        ("{X-Team: a}", '{X-Team: "a\\nb"}', "p.yaml:12: rules.0.headers: Value error, the value of 'X-Team' holds what no header can"),
        ("{X-Team: a}", "{X-Team: ä}", "p.yaml:12: rules.0.headers: Value error, the value of 'X-Team' holds what no header can"),
        ("name: never", "name: code", "p.yaml:17: rules.2.name: 'code' is the name of another rule already"),
        ("name: never", "name: 'no spaces'", "p.yaml:17: rules.2.name"),
        ("tag: shut", "tagg: shut", "p.yaml:18: rules.2.tagg: unknown option; did you mean 'tag'?"),
        ("ttft_s: 1", "ttft_s: 0", "q.yaml:6: rules.0.limits.ttft_s"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_told_with_its_line(tmp_path, old, new, said):
    """A user finds the place without searching."""
    assert said in message(tmp_path, old, new)


def test_effort_is_one_of_those_that_there_are(tmp_path):
    """The message lists them."""
    said = message(tmp_path, "headers: {X-Team: a}", "effort: hgh")

    assert "p.yaml:12: rules.0.effort" in said
    assert "'minimal'" in said
