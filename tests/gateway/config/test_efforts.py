from __future__ import annotations

from typing import get_args

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.config.caching import identities
from gateway.config.endpoints import build_backends, health_checks
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.reasoning_models import ReasoningStyle
from providers.adapters.openai import OpenAIAdapter
from providers.provider import Provider
from providers.reasoning import STYLES
from providers.types import Target
from routers.types import Candidate

GATEWAY = """\
providers:
  here: {vendor: openai, api_key: k}
  there: {vendor: mistral, api_key: k}
models:
  gpt-5:
    {provider: here, price: {input: 1, output: 2}, context_window: 9000, clearance: secret}
  small: {provider: here, capabilities: [tools]}
  both:
    endpoints:
      - {provider: here, name: both-a}
      - {provider: there}
data_classes: {names: [open, secret]}
policies: [p.yaml]
"""
P = """\
name: p
pool: [gpt-5@low, gpt-5@high]
router: {type: random}
fallback: [gpt-5@low]
rules:
  - {name: first, when: {turns: {above: 3}}, pool: [small]}
"""


def read(folder, old="", new=""):
    texts = {"gateway.yaml": GATEWAY, "p.yaml": P}
    assert not old or 1 == sum(text.count(old) for text in texts.values())
    for name, text in texts.items():
        (folder / name).write_text(text.replace(old, new) if old else text)
    return read_files(folder / "gateway.yaml", {})


def message(folder, old, new):
    with pytest.raises(ConfigError) as raised:
        read(folder, old, new)
    return str(raised.value)


def backends(config):
    providers = {
        name: Provider(name, base_url="http://x", headers={}, adapter=OpenAIAdapter(), transport=None)
        for name in config.providers
    }
    return build_backends(config, providers)


def test_each_effort_that_is_named_is_a_model(tmp_path):
    """It has its model's price, window and clearance, and is reached at its endpoints."""
    config = read(tmp_path).config
    model, low = (backends(config)[name] for name in ("gpt-5", "gpt-5@low"))

    assert ["gpt-5", "small", "both", "gpt-5@low", "gpt-5@high"] == list(config.models)
    assert ("gpt-5", "small", "both") == config.offered
    assert Candidate("gpt-5@low", model.candidate.price, 9000) == low.candidate
    assert ["gpt-5@here"] == [endpoint.name for endpoint in low.endpoints]
    assert [Target("gpt-5", "low")] == [endpoint.target for endpoint in low.endpoints]


@pytest.mark.parametrize(
    ("effort", "target"),
    [
        ("off", Target("both", reasoning=False)),
        ("high", Target("both", "high")),
        ("none,max_tokens:7", Target("both", reasoning=False, max_tokens=7)),
    ],
)
def test_every_endpoint_is_told(tmp_path, effort, target):
    """By the name that the model has there."""
    config = read(tmp_path, "pool: [small]", f"pool: ['both@{effort}']").config
    first, second = backends(config)[f"both@{effort}"].endpoints

    assert (target, "both-a") == (second.target, first.target.name)
    assert (target.effort, target.reasoning) == (first.target.effort, first.target.reasoning)


def test_answers_at_different_efforts_are_different(tmp_path):
    """None is given again for another."""
    found = identities(read(tmp_path).config)

    assert len(found) == len(set(found.values()))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pool: [gpt-5@low", "pool: [gpt-5@hgih", "p.yaml:2: pool.0: 'gpt-5@hgih' is not in models; 'hgih' is no effort: write one of off, none"),
        ("pool: [gpt-5@low", "pool: [gpt@low", "p.yaml:2: pool.0: 'gpt@low' is not in models; did you mean"),
        ("pool: [gpt-5@low", "pool: [gpt-5@low,max_tokens:5", "p.yaml:2: pool.1: 'max_tokens:5' is not in models; within [...] a name with a comma needs quotes"),
        ("pool: [gpt-5@low, gpt-5@high]", "pool: [gpt-5@low, gpt-5@off, gpt-5@none]", "p.yaml:2: pool.2: 'gpt-5@none' and 'gpt-5@off' are the same"),
        ("fallback: [gpt-5@low]", "fallback: [gpt-5@off]", "p.yaml:4: fallback.0: 'gpt-5@off' is not in the pool"),
        ("pool: [small]", "pool: [small@low]", "p.yaml:6: rules.0.pool.0: 'small@low': the capabilities of 'small' lack reasoning_effort: add it there, or name 'small' alone"),
        ("pool: [small]", "pool: [both@low]", "p.yaml:6: rules.0.pool.0: 'both@low': the provider 'there' cannot be told the effort 'low'; it takes high, none."),
        ("pool: [small]", "pool: [gpt-5@budget:99]", "p.yaml:6: rules.0.pool.0: 'gpt-5@budget:99': the provider 'here' cannot be told a budget of tokens; it takes high, low, max"),
        ("pool: [small]", "pool: [gpt-5@max_tokens:9000]", "'gpt-5@max_tokens:9000': 9000 tokens leave no room for a prompt in its context_window of 9000"),
        ("clearance: secret", "clearance: secret, efforts: [deep]", "gateway.yaml:6: models.gpt-5.efforts.0: Value error, 'deep' is no effort"),
        ("clearance: secret", "clearance: secret, efforts: ['budget:5']", "gateway.yaml:6: models.gpt-5.efforts.0: 'gpt-5@budget:5': the provider 'here' cannot be told a budget"),
        ("small: {", "small@low: {", "gateway.yaml:7: models.small@low: is how the model 'small' at the effort 'low' is written: choose another name"),
        ("pool: [small]}", "effort: low}", "p.yaml:6: rules.0.effort: 'gpt-5@low' has an effort of its own: name 'gpt-5' in the rule's pool, or leave effort out"),
        ("vendor: openai, api_key: k", "vendor: openai, api_key: k, reasoning: deepsek", "gateway.yaml:2: providers.here.reasoning"),
        ("vendor: openai, api_key: k", "vendor: openai, api_key: k, reasoning: {deep: {a: 1}}", "gateway.yaml:2: providers.here.reasoning: Value error, 'deep' is no effort: write none"),
        ("vendor: openai, api_key: k", "vendor: openai, api_key: k, reasoning: {low: {model: x}}", "'low' may not set model"),
        ("vendor: openai, api_key: k", "vendor: openai, api_key: k, reasoning: {low: {a: 2020-01-01}}", "the members of 'low' are not JSON"),
        ("vendor: openai, api_key: k", "vendor: openai, api_key: k, reasoning: {low: {a: 1}}", "the provider 'here' cannot be told the effort 'high'; it takes low."),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(tmp_path, old, new, said):
    """With file and line, and what to do about it."""
    assert said in message(tmp_path, old, new)


def test_a_limit_alone_needs_no_reasoning(tmp_path):
    """Any model can be told how long its answer may be."""
    assert "small@max_tokens:50" in read(tmp_path, "pool: [small]", "pool: ['small@max_tokens:50']").config.models


def test_an_endpoint_is_asked_once_how_it_is(tmp_path):
    """For its model and all of its efforts: one failure is one failure."""
    config = read(tmp_path, "vendor: openai, api_key: k", "vendor: openai, api_key: k, health_check: {}").config
    (check,) = health_checks(config, backends(config))

    assert ["gpt-5@here", "small@here", "both@here"] == [endpoint.name for endpoint in check.endpoints]


def test_a_model_is_come_to_at_any_of_its_efforts(tmp_path):
    """The check warns of models that no policy can come to: of those alone."""
    read(tmp_path)
    shown = CliRunner().invoke(app, ["check", str(tmp_path / "gateway.yaml")]).output
    unreached = [line for line in shown.splitlines() if "no policy can come to" in line]

    assert ["models.both"] == [line.split(": ")[1] for line in unreached]


def test_users_may_name_every_style():
    """And no other."""
    assert set(STYLES) == set(get_args(ReasoningStyle))
