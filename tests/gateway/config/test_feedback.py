import pytest
from pydantic import ValidationError

from gateway.config.feedback import feedback_rules, reward_rules, trust_rules
from gateway.config.feedback_models import FeedbackConfig
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.learning.rewards import TRUST, RewardRules
from gateway.learning.trust import TrustRules

SECRETS = ["a-secret-of-the-operator", "a-secret-from-before"]


def test_the_defaults_are_those_of_the_rules():
    """What is written nowhere is what the rules say themselves."""
    config = FeedbackConfig()
    rules = feedback_rules(config)

    assert (RewardRules(), TrustRules()) == (reward_rules(config), trust_rules(config))
    assert (None, False, "grader", RewardRules()) == (
        rules.signer,
        rules.require_token,
        rules.grader_role,
        rules.rewards,
    )
    assert dict(TRUST) == dict(config.sources)


def test_what_is_written_is_in_the_rules():
    """Each option has its place."""
    config = FeedbackConfig.model_validate(
        {
            "secret": SECRETS,
            "require_token": True,
            "grader_role": "judge",
            "sources": {"user": 0.5, "judge:a": 1},
            "strangers": 0,
            "labels": {"rude": 0.1},
            "failure": 0,
            "caller_share": 0.1,
            "caller_allowance": 7,
        }
    )
    rules = feedback_rules(config)

    assert RewardRules({"user": 0.5, "judge:a": 1.0}, 0.0, {"rude": 0.1}, 0.0) == reward_rules(config) == rules.rewards
    assert TrustRules(0.1, 7.0) == trust_rules(config)
    assert (True, "judge") == (rules.require_token, rules.grader_role)
    assert tuple(SECRETS) == config.secrets
    assert rules.signer is not None


def test_secrets_are_not_shown():
    """Neither in a representation nor in JSON."""
    config = FeedbackConfig.model_validate({"secret": SECRETS})

    assert not any(secret in text for secret in SECRETS for text in (repr(config), config.model_dump_json()))


@pytest.mark.parametrize(
    "written",
    [
        {"secret": "short"},
        {"secret": ["a-secret-of-the-operator", "short"]},
        {"sources": {"user": 1.5}},
        {"sources": {"": 1}},
        {"sources": {":user": 1}},
        {"labels": {"rude": -1}},
        {"labels": {"": 1}},
        {"failure": 2},
        {"caller_share": 1.2},
        {"caller_allowance": -1},
        {"strangers": "some"},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_meant_is_refused(written):
    """At start-up, before anything is learned from it."""
    with pytest.raises(ValidationError):
        FeedbackConfig.model_validate(written)


def test_a_secret_that_is_too_short_is_told_without_repeating_it(tmp_path):
    """By file and line, also where another one in the list is good."""
    path = tmp_path / "gateway.yaml"
    feedback = "feedback: {secret: [a-secret-of-the-operator, short-secret]}\n"
    path.write_text("providers: {here: {vendor: vllm}}\nmodels: {m: {provider: here}}\n" + feedback)

    with pytest.raises(ConfigError, match=r"gateway\.yaml:3") as error:
        read_files(path, {})

    assert not any(secret in str(error.value) for secret in ("a-secret-of-the-operator", "short-secret"))
