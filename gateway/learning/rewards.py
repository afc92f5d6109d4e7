"""What an answer was worth, by what was said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.events import Feedback
    from gateway.store.base import LoggedEvent

#: How far each source is trusted, unless the configuration says otherwise.
TRUST: Final[Mapping[str, float]] = {"user": 1.0, "grader": 1.0, "judge": 0.5, "implicit": 0.2}
#: Any other source.
STRANGERS_TRUST: Final = 0.5


@dataclass(frozen=True, slots=True)
class RewardRules:
    """How feedback becomes a reward: the trust in each source, in [0, 1], and what labels are worth.

    `failure` is the reward of an answer that its endpoint broke off or that came to nothing; None: such an answer says
    nothing of how good a model's answers are.
    """

    sources: Mapping[str, float] = field(default_factory=lambda: dict(TRUST))
    strangers: float = STRANGERS_TRUST
    labels: Mapping[str, float] = field(default_factory=dict)
    failure: float | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward in [0, 1], and how far it is trusted: in (0, 1]."""

    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Voice:
    """What one caller says of an answer, all his words together: a value in [0, 1], and how far it is trusted."""

    caller: str
    value: float
    weight: float


def reward_of(event: LoggedEvent, rules: RewardRules) -> Reward | None:
    """Return what an answer was worth: the mean of what is said of it, weighed by the trust in who says so.

    Its weight is that of the most trusted voice: ten implicit signs are not worth more than one rating. None where
    nobody has said anything, which is not zero.
    """
    return mixed(voices_of(event, rules))


def mixed(voices: Sequence[Voice]) -> Reward | None:
    """Return what voices say together; None of none."""
    if not voices:
        return None
    total = sum(voice.weight for voice in voices)
    value = sum(voice.value * voice.weight for voice in voices) / total
    return Reward(value, max(voice.weight for voice in voices))


def voices_of(event: LoggedEvent, rules: RewardRules) -> tuple[Voice, ...]:
    """Return what each caller says of the answer that was served, by caller.

    However often he speaks, a caller is one voice, as far trusted as the most trusted of his words. An answer that came
    to nothing speaks for itself where the rules say so, on the account of whoever asked for it.
    """
    if event.outcome is None or event.outcome.served_by is None:
        return ()
    said: dict[str, list[Reward]] = {}
    for one in last_words(event.feedback):
        value, weight = worth(one, event, rules), trust(one, rules)
        if value is not None and weight > 0:
            said.setdefault(one.caller, []).append(Reward(value, weight))
    if not said and rules.failure is not None and event.outcome.error not in (None, "client_left"):
        said[event.decision.caller] = [Reward(rules.failure, 1.0)]
    return tuple(_voice(caller, said[caller]) for caller in sorted(said))


def _voice(caller: str, words: Sequence[Reward]) -> Voice:
    total = sum(word.weight for word in words)
    value = sum(word.value * word.weight for word in words) / total
    return Voice(caller, value, max(word.weight for word in words))


def last_words(feedback: Sequence[Feedback]) -> tuple[Feedback, ...]:
    """Return feedback, oldest first, without what was said again later: who changes his mind is taken at his last word.

    Words of one source of one caller are the same if they are of one kind: for a label and what was seen, of one name;
    for a preference, between the same two models.
    """
    last = {(one.caller, one.source, one.kind, one.name, frozenset({one.model, one.other})): one.id for one in feedback}
    kept = set(last.values())
    return tuple(one for one in feedback if one.id in kept)


def trust(feedback: Feedback, rules: RewardRules) -> float:
    """Return how far a piece of feedback is trusted, by its source."""
    return trust_in(feedback.source, rules)


def trust_in(source: str, rules: RewardRules) -> float:
    """Return how far a source is trusted: `user:42` as it is listed, else as `user`, else as a stranger."""
    kind, _, _ = source.partition(":")
    return rules.sources.get(source, rules.sources.get(kind, rules.strangers))


def worth(feedback: Feedback, event: LoggedEvent, rules: RewardRules) -> float | None:
    """Return what a piece of feedback says of the answer that was served, in [0, 1]; None where it says nothing."""
    if feedback.kind == "label":
        return rules.labels.get(feedback.name or "", feedback.value)
    if feedback.kind == "preference":
        served = event.outcome.served_by if event.outcome else None
        if feedback.value is None or feedback.model == feedback.other:
            return None
        return {feedback.model: feedback.value, feedback.other: 1 - feedback.value}.get(served)
    return feedback.value
