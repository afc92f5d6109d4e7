import logging
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.promises.watch import Watch
from tests.gateway.promises.evidence import promise, request


@pytest.fixture
def promising():
    return promise()


def watching(promising, least=1.0):
    return Watch("careful", promising.pledge, promising, least)


def heard(watch, promising, count, rate, start=0, **more):
    """Let a watch hear requests of which a share was answered worse, each decided by the promise as it stands."""
    rng = random.Random(start)
    for number in range(start, start + count):
        watch.hear(request(number + 1, promising, worse=rng.random() < rate, **more))


def test_a_promise_that_is_kept_goes_on(promising):
    """Half of what was promised gives no alarm."""
    watch, before = watching(promising), promising.pledge
    heard(watch, promising, 2000, rate=0.05)

    assert before == promising.pledge
    assert (False, 2000) == (watch.alarm, watch.monitor.n)
    assert watch.monitor.bound < 0.05


def test_one_that_is_not_kept_is_made_stricter_and_says_so(promising, caplog):
    """The log names the bound and the settings; what comes next is evidence of the stricter one alone."""
    watch, before = watching(promising), promising.pledge.setting
    with caplog.at_level(logging.WARNING, "pointsman"):
        heard(watch, promising, 60, rate=0.5)
    said = caplog.records[0]

    assert "promise.drifted" == said.message
    assert (before, "careful", 0.1) == (said.before, said.policy, said.alpha)
    assert said.bound >= 0.1
    assert watch.alarm is True
    assert promising.pledge.setting is None or promising.pledge.setting < before
    assert promising.pledge == watch.pledge


def test_in_the_end_the_reference_alone_answers(promising):
    """Then nothing is left to be watched."""
    watch = watching(promising)
    heard(watch, promising, 3000, rate=1.0)

    assert promising.pledge.setting is None
    assert 0 == watch.monitor.n


def test_nothing_is_counted_twice(promising):
    """A change of a request comes again with all that is known of it."""
    watch = watching(promising)
    for _ in range(5):
        watch.hear(request(1, promising, worse=False))

    assert 1 == watch.monitor.n


@pytest.mark.parametrize("decided", [{"why": "fixed"}, {"policy": "other"}])
def test_what_was_decided_otherwise_is_no_evidence(promising, decided):
    """Another policy's requests, and those under another setting."""
    watch = watching(promising)
    watch.hear(request(1, promising, worse=True, **decided))

    assert 0 == watch.monitor.n


def test_rarely_judged_answers_are_weighed_against_the_references(promising):
    """Nine in ten requests are the reference's, all known; of the rest a tenth is judged, and all of it is worse."""
    watch = watching(promising, least=0.1)
    for number in range(3000):
        ours = number % 10 == 0
        if not ours:
            watch.hear(request(number + 1, promising, served="large"))
        elif number % 100 == 0:
            watch.hear(request(number + 1, promising, worse=True, sampled=0.1))

    assert watch.monitor.bound <= 0.1
    assert watch.alarm is False


PROVED = promise()
ORIGIN = PROVED.pledge


@given(st.lists(st.tuples(st.integers(1, 60), st.sampled_from([None, True, False]), st.floats(0.2, 1.0)), max_size=120))
def test_whatever_is_heard_a_setting_never_becomes_bolder(said):
    """In any order, with requests that come again, at any chances; and an alarm and a stricter setting come together."""
    PROVED.pledge = ORIGIN
    watch = Watch("careful", ORIGIN, PROVED, 0.2)
    settings = [ORIGIN.setting]
    for number, worse, sampled in said:
        served = "large" if worse is None else "small"
        watch.hear(request(number, PROVED, served=served, worse=worse, sampled=sampled))
        settings.append(-1 if PROVED.pledge.setting is None else PROVED.pledge.setting)

    assert settings == sorted(settings, reverse=True)
    assert watch.alarm is (PROVED.pledge != ORIGIN)
    assert watch.monitor.n <= len({number for number, _, _ in said})
