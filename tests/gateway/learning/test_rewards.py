from datetime import timedelta

import pytest

from gateway.events import Feedback
from gateway.learning.rewards import Reward, RewardRules, Voice, last_words, reward_of, trust_in, voices_of
from gateway.store.base import LoggedEvent
from gateway.store.checks import NOON, build_decision, build_feedback, build_outcome

RULES = RewardRules()


def rated(*feedback: Feedback, **outcome: object) -> LoggedEvent:
    """Return an answer of `large` with feedback on it."""
    return LoggedEvent(build_decision(1), build_outcome(1, **outcome), feedback)


def score(value, number=0, **changes):
    """Build a score, `number` seconds after noon."""
    plain = {"kind": "score", "model": None, "other": None, "source": "user", "caller": "a"}
    return build_feedback(
        f"f{number}", 1, **{**plain, "value": value, "at": NOON + timedelta(seconds=number), **changes}
    )


def test_a_score_is_the_reward():
    """One voice counts as it is."""
    assert Reward(0.25, 1.0) == reward_of(rated(score(0.25)), RULES)


def test_sources_weigh_by_their_trust():
    """A judge counts half, and the whole is trusted as the most trusted voice."""
    event = rated(score(1.0, 1), score(0.0, 2, source="judge:gpt", caller="b"))

    assert Reward(1 / 1.5, 1.0) == reward_of(event, RULES)


def test_many_signs_are_no_rating():
    """Ten implicit signs are trusted as one."""
    signs = [score(0.2, n, kind="implicit", name=f"sign-{n}", source="implicit") for n in range(10)]
    reward = reward_of(rated(*signs), RULES)

    assert (pytest.approx(0.2), 0.2) == (reward.value, reward.weight)


def test_a_caller_is_one_voice():
    """Who speaks often of one answer weighs no more in it than who speaks once."""
    often = [score(0.0, n, kind=kind, name=kind) for n, kind in enumerate(["score", "binary", "implicit"])]
    event = rated(*often, score(1.0, 9, caller="b"))

    assert Reward(0.5, 1.0) == reward_of(event, RULES)
    assert (Voice("a", 0.0, 1.0), Voice("b", 1.0, 1.0)) == voices_of(event, RULES)


def test_the_last_word_counts():
    """Who changes his mind is taken at his last word; what he says otherwise stays."""
    first, label, last = score(0.0, 1), score(None, 2, kind="label", name="rude"), score(1.0, 3)

    assert (label, last) == last_words([first, label, last])
    assert Reward(1.0, 1.0) == reward_of(rated(first, label, last), RULES)


@pytest.mark.parametrize(
    "changes", [{"caller": "b"}, {"source": "user:2"}, {"kind": "binary"}, {"kind": "label", "name": "rude"}]
)
def test_other_words_stay_beside_it(changes):
    """What another says, or says of something else, replaces nothing."""
    both = [score(0.0, 1), score(1.0, 2, **changes)]

    assert tuple(both) == last_words(both)


def test_preferences_between_other_models_stay_beside_each_other():
    """Each pair has its own last word, whichever of the two is named first."""
    one, turned, other = (
        score(1.0, n, kind="preference", model=model, other=rival)
        for n, (model, rival) in enumerate([("large", "small"), ("small", "large"), ("large", "tiny")])
    )

    assert (turned, other) == last_words([one, turned, other])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("large", "small", 1.0), 1.0),
        (("small", "large", 1.0), 0.0),
        (("small", "large", 0.75), 0.25),
        (("small", "tiny", 1.0), None),
        (("large", "small", None), None),
        (("large", "large", 1.0), None),
    ],
)
def test_a_preference_is_about_who_served(said, expected):
    """Preferred is good, the other is bad, and of a third nothing is said."""
    model, other, value = said
    reward = reward_of(rated(score(value, kind="preference", model=model, other=other)), RULES)

    assert expected == (None if reward is None else reward.value)


def test_a_label_is_worth_what_the_configuration_says():
    """Now, or else what it said when the label came; a label of no worth says nothing."""
    rules = RewardRules(labels={"rude": 0.1})
    rude, old, unknown = (
        score(value, kind="label", name=name) for name, value in [("rude", 0.9), ("old", 0.4), ("unknown", None)]
    )

    rewards = [reward_of(rated(label), rules) for label in (rude, old, unknown)]
    assert [Reward(0.1, 1.0), Reward(0.4, 1.0), None] == rewards


@pytest.mark.parametrize(
    ("source", "expected"), [("user", 1.0), ("user:42", 1.0), ("judge:a", 0.3), ("judge", 0.5), ("elf", 0.5)]
)
def test_trust_goes_by_the_whole_source_then_by_its_kind(source, expected):
    """What is listed by its full name counts before its kind; who is not listed is a stranger."""
    rules = RewardRules(sources={"user": 1.0, "judge": 0.5, "judge:a": 0.3})

    assert expected == trust_in(source, rules)


def test_who_is_not_trusted_says_nothing():
    """A source of no trust is no voice, so that nothing is divided by nothing."""
    assert reward_of(rated(score(1.0)), RewardRules(sources={"user": 0.0})) is None


@pytest.mark.parametrize(
    ("outcome", "failure", "expected"),
    [
        ({"error": "upstream_error"}, 0.0, Reward(0.0, 1.0)),
        ({"error": "upstream_error"}, None, None),
        ({"error": "client_left", "status": 499}, 0.0, None),
        ({}, 0.0, None),
        ({"served_by": None, "error": "upstream_error"}, 0.0, None),
    ],
)
def test_a_failed_answer_speaks_for_itself_where_it_is_to(outcome, failure, expected):
    """Where nobody has rated it, and nobody but the model is to blame."""
    assert expected == reward_of(rated(**outcome), RewardRules(failure=failure))


def test_what_nobody_rated_is_unknown():
    """No feedback is not zero; no outcome is nothing to rate yet."""
    assert reward_of(rated(), RULES) is None
    assert reward_of(LoggedEvent(build_decision(1), None, (score(1.0),)), RULES) is None
