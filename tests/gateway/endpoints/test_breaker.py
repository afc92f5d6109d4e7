import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.breaker import FEW, IN_A_ROW, LONGEST_REST_S, LONGEST_WAIT_S, PROBE_S, Breaker


def opened(times: int = 1, now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.failed(now, at_once=True)
        now = breaker.rests_until
    return breaker


def test_a_few_failures_are_forgiven():
    """Only the third in a row opens it."""
    breaker = Breaker()
    admitted = []
    for _ in range(IN_A_ROW):
        breaker.failed(0)
        admitted.append(breaker.admits(0))

    assert [True, True, False] == admitted


def test_a_failure_that_costs_everybody_time_opens_it_at_once():
    """Nobody else is to wait for a connection that is refused."""
    assert not opened().admits(0.49)
    assert opened().admits(0.5)


def test_an_answer_ends_a_row():
    """Two failures, an answer, two failures: nothing happens."""
    breaker = Breaker()
    for good in (False, False, True, False, False):
        breaker.succeeded(0) if good else breaker.failed(0)

    assert breaker.admits(0)


def test_every_other_request_failing_opens_it():
    """Though there is no row of failures."""
    breaker = Breaker()
    for n in range(int(FEW)):
        breaker.succeeded(n / 100) if n % 2 else breaker.failed(n / 100)
    breaker.failed(0.2)

    assert not breaker.admits(0.2)


def test_rests_double_up_to_the_longest():
    """Half a second first, half a minute at last."""
    lengths = []
    breaker, now = Breaker(), 0.0
    for _ in range(9):
        breaker.failed(now, at_once=True)
        lengths.append(breaker.rests_until - now)
        now = breaker.rests_until

    assert [0.5, 1, 2, 4, 8, 16, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S] == lengths


def test_failures_of_the_same_moment_count_once():
    """Requests that were under way together do not make the rest longer."""
    breaker = Breaker()
    for _ in range(50):
        breaker.failed(0, at_once=True)

    assert (0.5, 1) == (breaker.rests_until, breaker.opened)


def test_half_open_one_passes_at_a_time():
    """It is a probe; others come when it has come back, and all once it has succeeded."""
    breaker = opened()
    assert breaker.admits(1)
    breaker.began()
    assert (False, PROBE_S) == (breaker.admits(1), breaker.blocked_s(1))
    breaker.abandoned()
    assert breaker.admits(1)
    breaker.began()
    breaker.succeeded(1)
    assert breaker.closed
    breaker.began()
    assert breaker.admits(1)


def test_a_probe_that_fails_opens_it_for_longer():
    """One failure is enough then."""
    breaker = opened()
    breaker.began()
    breaker.failed(1)

    assert [False, True] == [breaker.admits(1.9), breaker.admits(2)]


@pytest.mark.parametrize(("asked_s", "kept_s"), [(7, 7), (1e9, LONGEST_WAIT_S)])
def test_it_waits_as_long_as_it_was_asked_to(asked_s, kept_s):
    """An answer that comes in between changes nothing about that."""
    breaker = Breaker()
    breaker.told_to_wait(0, asked_s)
    breaker.told_to_wait(0, 1)
    breaker.succeeded(0)

    assert kept_s == breaker.blocked_s(0)


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "dead", "gone", "began"]), st.floats(0, 40))))
def test_it_is_never_closed_for_good(events):
    """Whatever happens, after the longest rest a request passes, unless a probe is under way."""
    breaker, now = Breaker(), 0.0
    for event, seconds in events:
        now += seconds
        if event == "ok":
            breaker.succeeded(now)
        elif event == "began":
            breaker.began()
        elif event == "gone":
            breaker.abandoned()
        else:
            breaker.failed(now, at_once=event == "dead")
    breaker.abandoned()

    assert breaker.admits(now + LONGEST_REST_S)
