"""Turns what is written about feedback into the rules by which it is taken, and learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.feedback.rights import FeedbackRules
from gateway.feedback.tokens import Signer
from gateway.learning.rewards import RewardRules
from gateway.learning.trust import TrustRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.feedback_models import FeedbackConfig
    from gateway.config.loader import Document


def reward_rules(config: FeedbackConfig) -> RewardRules:
    """Return how feedback becomes a reward."""
    return RewardRules(dict(config.sources), config.strangers, dict(config.labels), config.failure)


def trust_rules(config: FeedbackConfig) -> TrustRules:
    """Return how far one caller may move what is learned."""
    return TrustRules(config.caller_share, config.caller_allowance)


def feedback_rules(config: FeedbackConfig) -> FeedbackRules:
    """Return by which rules feedback is taken."""
    return FeedbackRules(
        signer=Signer(config.secrets) if config.secrets else None,
        require_token=config.require_token,
        grader_role=config.grader_role,
        rewards=reward_rules(config),
    )


def wrong_feedback(config: FeedbackConfig, document: Document) -> Iterator[str]:
    """Yield a line for what cannot be meant: tokens that are required and never given."""
    if config.require_token and not config.secrets:
        problem = "no answer has a token: set feedback.secret, for example to ${FEEDBACK_SECRET}"
        yield document.at(("feedback", "require_token"), problem)
