from __future__ import annotations

import pytest
import yaml

from gateway.config.files import read_files
from gateway.config.listening import implicit_rules, judging_rules, limit_members
from gateway.config.loader import ConfigError
from gateway.implicit.rules import ImplicitRules

PRICE = {"input": 1, "output": 2}
MODELS = {"small": {"provider": "up", "price": PRICE}, "large": {"provider": "up", "price": PRICE}}
PROVIDERS = {
    "up": {"vendor": "openai-compatible", "base_url": "http://up/v1"},
    "theirs": {"vendor": "openai-compatible", "base_url": "http://up/v1", "forward_authorization": True},
    "openai": {"vendor": "openai", "api_key": "k"},
}


def read(folder, **sections):
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump({"providers": PROVIDERS, "models": MODELS, **sections}))
    return read_files(path, {})


def test_what_nothing_is_said_of(tmp_path):
    """Signs are looked for, by the rules' own defaults, and nothing is judged."""
    config = read(tmp_path).config

    assert (True, None) == (config.implicit.enabled, config.judging)
    assert ImplicitRules() == implicit_rules(config.implicit)


def test_a_judge_may_be_one_or_several(tmp_path):
    """The first is asked first; what is said of judging becomes its rules."""
    one = judging_rules(read(tmp_path, judging={"judge": "large"}).config.judging)
    several = {"judge": ["large", "small"], "shares": {"small": 0.5}, "weigh": "uncertainty", "max_usd_per_day": "0.10"}
    more = judging_rules(read(tmp_path, judging=several).config.judging)

    assert (("large",), 0.01) == (one.judges, one.share_of("small"))
    assert (("large", "small"), 0.5, "uncertainty", "0.10") == (
        *(more.judges, more.share_of("small"), more.weighing),
        str(more.max_usd),
    )


def test_how_a_judges_answer_is_limited(tmp_path):
    """By the member that its vendor knows."""
    models = {**MODELS, "gpt-5": {"provider": "openai"}}

    assert {"small": "max_tokens", "large": "max_tokens", "gpt-5": "max_completion_tokens"} == limit_members(
        read(tmp_path, models=models).config
    )


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"judging": {"judge": "lager"}}, "judging.judge: 'lager' is not in models; did you mean 'large'"),
        ({"judging": {"judge": ["small", "gone"]}}, "judging.judge.1: 'gone' is not in models"),
        ({"judging": {"judge": "small", "shares": {"gone": 0.1}}}, "no policy or model 'gone'"),
        ({"judging": {"judge": "small", "families": {"gone": "x"}}}, "'gone' is not in models"),
        ({"judging": {"judge": "small", "share": 1.5}}, "less than or equal to 1"),
        (
            {"judging": {"judge": "free"}, "models": {**MODELS, "free": {"provider": "up"}}},
            "the price of 'free' is unknown",
        ),
        (
            {"judging": {"judge": "own"}, "models": {**MODELS, "own": {"provider": "theirs", "price": PRICE}}},
            "each caller's own authorization",
        ),
        ({"implicit": {"except_policies": ["gone"]}}, "no policy or model 'gone'"),
        ({"implicit": {"except_callers": ["gone"]}}, "no caller 'gone'"),
        ({"implicit": {"signals": {"retry": 2}}}, "less than or equal to 1"),
        ({"implicit": {"key": "short"}}, "at least 16"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path, sections, said):
    """At start-up, with the file, the line and the place."""
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, **sections)

    assert said in str(refused.value)
    assert "gateway.yaml:" in str(refused.value)
    assert "short" not in str(refused.value)
