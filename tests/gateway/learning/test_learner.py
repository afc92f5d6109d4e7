from __future__ import annotations

import contextlib
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.learning.book import Book
from gateway.learning.learner import Learner
from gateway.learning.rewards import RewardRules
from gateway.learning.subjects import Rules
from gateway.learning.trust import TrustRules
from gateway.store.base import Selection
from gateway.store.memory import MemoryStore
from gateway.store.samples import NOON, build_planned_outcome
from gateway.store.sqlite import SQLiteStore
from routers.registry import build_router
from tests.gateway.learning.lessons import RULES, decision, in_memory, learn_all, outcome, pupil, rating, share_of

UNCAPPED = Rules(RewardRules(), TrustRules(share=1.0))


@pytest.fixture
def log():
    return MemoryStore()


@pytest.fixture
def book():
    opened = in_memory()
    yield opened
    opened.close()


def mean_of(share, model):
    """Return the mean reward of a model in the domain of the tests, by what was learned alone."""
    router = pupil().router
    router.absorb(share.sums, share.latest / 1e6)
    cells = router.estimator._online
    count, total = cells.at([model], "code", 2)[:, 0]
    return total / count


def test_what_was_rated_is_learned(log, book):
    """Of each answer the reward counts for the model that gave it, and an answer that nobody rated is not a zero."""
    log.append([decision(1), outcome(1, "small"), rating("a", 1, 0.25)])
    log.append([decision(2), outcome(2, "large"), rating("b", 2, 0.75)])
    log.append([decision(3), outcome(3, "small")])

    share = learn_all(log, book).progress("auto").share

    assert (3, 0.25, 0.75) == (share.rows, round(mean_of(share, "small"), 6), round(mean_of(share, "large"), 6))


def test_the_credit_is_the_fallbacks_where_a_fallback_answered(log, book):
    """Its chance of being drawn is not that of answering, so that it has none; one that was drawn has its own."""
    seen = []
    router = pupil().router

    class Spying:
        def sums(self, observations):
            seen.append(observations)
            return router.sums(observations)

    log.append([decision(1, chosen="small"), outcome(1, "large"), rating("a", 1, 1.0)])
    log.append([decision(2, chosen="small"), outcome(2, "stranger"), rating("b", 2, 1.0)])
    log.append([decision(3, chosen="large"), outcome(3, "large"), rating("c", 3, 1.0)])
    learn_all(log, book, replace(pupil(), router=Spying()))

    assert ["large", "stranger", "large"] == list(seen[0].actions)
    np.testing.assert_array_equal([np.nan, np.nan, 0.1], seen[0].propensities)


def test_a_fallbacks_reward_counts_but_not_by_the_chance_of_a_draw(log, book):
    """Exp3 goes by draws alone; averages take it in."""
    log.append([decision(1, chosen="small"), outcome(1, "large"), rating("a", 1, 1.0)])
    exp3 = build_router({"type": "exp3"})
    counted = learn_all(log, book).progress("auto").share
    weighed = learn_all(log, in_memory(), replace(pupil(), router=exp3)).progress("auto").share
    exp3.absorb(weighed.sums, weighed.latest / 1e6)

    assert 1.0 == mean_of(counted, "large")
    assert 0.0 == exp3.estimator.observed


@pytest.mark.parametrize("served", ["small", "large"])
def test_a_plan_of_several_calls_teaches_nothing_of_single_models(log, book, served):
    """Whether it went on or not: who answered was chosen by what was answered."""
    begun = decision(1, chosen="small", trace={"plan": {"asks": ["small"]}})
    log.append([begun, build_planned_outcome(1, served_by=served), rating("a", 1, 1.0)])
    log.append([decision(2), outcome(2, "small"), rating("b", 2, 0.25)])

    share = learn_all(log, book).progress("auto").share

    assert (1, 0.25) == (share.rows, round(mean_of(share, "small"), 6))


def test_what_the_loser_of_a_race_took_is_not_the_winners(log, book):
    """A request that two were asked cost more than the answer, which is what is learned of its model."""
    seen = []
    router = pupil().router

    class Spying:
        def sums(self, observations):
            seen.append(observations)
            return router.sums(observations)

    log.append([decision(1), build_planned_outcome(1, cost_usd=Decimal("0.5"))])
    learn_all(log, book, replace(pupil(), router=Spying()))

    assert (["large"], 1.2e-5, 0.75) == (seen[0].actions, seen[0].costs_usd[0], seen[0].latencies_s[0])


def test_a_decision_without_an_embedding_counts(log, book):
    """As without text, which is seldom stored; what else is known of it is there."""
    seen = []
    router = pupil().router

    class Spying:
        def sums(self, observations):
            seen.append(observations)
            return router.sums(observations)

    log.append([decision(1, embedding=None, text=None), outcome(1, cost_usd=None, completion_tokens=None)])
    learn_all(log, book, replace(pupil(), router=Spying()))

    (context,) = seen[0].contexts
    assert (None, "", 3) == (context.embedding, context.text, context.prompt_tokens)
    assert np.isnan([seen[0].rewards[0], seen[0].costs_usd[0], seen[0].completion_tokens[0]]).all()


def test_decisions_of_others_are_not_counted(log, book):
    """Of a model that was asked by its own name, of another policy, of a rule that has its own router."""
    log.append([decision(1, policy="small"), outcome(1), decision(2, rule="own"), outcome(2)])
    log.append([decision(3, policy="other"), outcome(3), decision(4, rule="shared"), outcome(4)])

    learner = learn_all(log, book, pupil(ways=(("auto", None), ("auto", "shared"))))

    assert 1 == learner.progress("auto").share.rows


def test_an_answer_that_is_still_under_way_counts_when_it_has_come(log, book):
    """Also where feedback was there before, or nobody answered."""
    learner = learn_all(log, book)
    log.append([rating("a", 1, 0.5), decision(1), decision(2), outcome(2, None)])
    learner.step()
    assert 0 == learner.progress("auto").share.rows

    log.append([outcome(1)])
    learner.step()
    assert (1, 0.5) == (learner.progress("auto").share.rows, mean_of(learner.progress("auto").share, "small"))


def test_erased_feedback_leaves_nothing(log, book):
    """The sums are those of a log that never had it, bit for bit: also of a caller who had been turned down for it."""
    never = MemoryStore()
    for store in (log, never):
        store.append([event for n in range(1, 9) for event in (decision(n), outcome(n), rating(f"a{n}", n, 0.1))])
    learner = learn_all(log, book)
    before = learner.progress("auto").share

    log.append([rating(f"b{n}", n, 1.0, caller="loud") for n in range(1, 9)])
    learn_all(log, book)
    log.erase(Selection(caller="loud"), NOON)
    after = learn_all(log, book).progress("auto").share

    assert before.fingerprint() == after.fingerprint() == share_of(never).fingerprint()
    assert before.version < after.version


def test_who_says_too_much_is_turned_down(log, book):
    """A thousand words of one weigh no more than his share, and he is not turned down for what others say."""
    quiet, loud = range(1, 21), range(21, 121)
    log.append([event for n in (*quiet, *loud) for event in (decision(n), outcome(n))])
    log.append([rating(f"q{n}", n, 1.0, caller=f"caller-{n}") for n in quiet])
    log.append([rating(f"l{n}", n, 0.0, caller="loud") for n in loud])

    free = learn_all(log, book, rules=UNCAPPED).progress("auto").share
    held = learn_all(log, in_memory()).progress("auto").share

    # He may say 0.3 of all: 20 * 0.3 / 0.7 = 8.57 words, less by what the coarse notches take.
    assert 20 / 120 == pytest.approx(mean_of(free, "small"), abs=1e-6)
    assert 20 / 28.6 - 1e-3 <= mean_of(held, "small") <= 20 / 27.4


def test_another_digest_begins_anew(log, book):
    """What the sums depend on has changed."""
    log.append([decision(1), outcome(1), rating("a", 1)])
    learn_all(log, book)

    assert 1 == learn_all(log, book, pupil(digest="other")).progress("auto").share.rows
    assert 1 == learn_all(log, book).progress("auto").share.rows


def test_another_log_begins_anew(log, book):
    """As where a log was moved away, or put back from a copy; versions go on."""
    log.append([decision(n) for n in range(5)] + [outcome(n) for n in range(5)])
    first = learn_all(log, book).progress("auto").share
    other = MemoryStore()
    other.append([decision(1), outcome(1), rating("a", 1)])
    second = learn_all(other, book).progress("auto").share

    assert second.fingerprint() == share_of(other).fingerprint()
    assert second.version > first.version


def test_a_router_that_was_added_catches_up_alone(log, book):
    """What others have counted is not counted again."""
    log.append([event for n in range(6) for event in (decision(n), outcome(n), rating(f"{n}", n))])
    learn_all(log, book)
    late = pupil("late", ways=(("auto", None),))
    learner = learn_all(log, book, pupil(), late, limit=4)

    assert learner.progress("auto").share.same(learner.progress("late").share)
    assert learner.progress("auto").cursor == learner.progress("late").cursor


def test_a_failing_router_counts_nothing(log, book):
    """Neither the place in the log nor what was counted has moved, and the others learn: nothing is left out later."""

    class Failing:
        def sums(self, _observations):
            raise ValueError("no")

    log.append([decision(1), outcome(1), rating("a", 1)])
    learner = learn_all(log, book, replace(pupil(), router=Failing()), pupil("late"))
    assert {"auto": "no"} == learner.stuck
    assert [0, 1] == [learner.progress(name).share.rows for name in ("auto", "late")]

    assert share_of(log).fingerprint() == learn_all(log, book).progress("auto").share.fingerprint()


CALLERS = st.sampled_from(["", "one", "two", "trusted:grader"])
NUMBERS = st.integers(1, 6)
EVENTS = st.one_of(
    st.tuples(st.just("decide"), NUMBERS),
    st.tuples(st.just("answer"), NUMBERS, st.sampled_from(["small", "large"])),
    st.tuples(st.just("rate"), NUMBERS, st.integers(0, 8), CALLERS, st.sampled_from([0.0, 0.3, 1.0])),
    st.tuples(st.just("erase"), st.integers(0, 8)),
    st.tuples(st.just("learn"), st.integers(1, 5)),
    st.just(("begin again",)),
)


def append(log, event):
    match event:
        case ("decide", number):
            log.append([decision(number)])
        case ("answer", number, model):
            log.append([outcome(number, model)])
        case ("rate", number, feedback, caller, value):
            log.append([rating(f"{number}-{feedback}", number, value, caller)])
        case ("erase", feedback):
            for number in range(1, 7):
                log.erase(Selection(id=f"{number}-{feedback}"), NOON)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_however_it_was_read_the_same_is_learned(events):
    """In whatever pieces, however often it was begun again, whatever was deleted meanwhile."""
    log = MemoryStore()
    with contextlib.closing(in_memory()) as book:
        learner = Learner(log, book, [pupil()], RULES)
        for event in events:
            if event[0] == "learn":
                learner = Learner(log, book, [pupil()], RULES, event[1])
                learner.step()
                learner.recap("auto", learner.progress("auto").share.masses)
            elif event[0] == "begin again":
                learner = Learner(log, book, [pupil()], RULES)
            else:
                append(log, event)
        share = learn_all(log, book, limit=3).progress("auto").share

    assert share_of(log).fingerprint() == share.fingerprint()


def test_a_learner_goes_on_where_it_was_killed(tmp_path):
    """What a step had not written is done again; the file says the rest."""
    log = SQLiteStore.open(tmp_path / "log.db")
    log.append([event for n in range(8) for event in (decision(n), outcome(n), rating(f"{n}", n))])
    with contextlib.closing(Book.open(tmp_path / "learner")) as book:
        Learner(log, book, [pupil()], RULES, 5).step()
    with contextlib.closing(Book.open(tmp_path / "learner")) as book:
        learner = Learner(log, book, [pupil()], RULES, 5)
        assert 0 < learner.progress("auto").share.rows < 8
        share = learn_all(log, book).progress("auto").share

    assert share_of(log).fingerprint() == share.fingerprint()
    log.close()
