from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.concurrency import LEAST, UNLIMITED, ConcurrencyLimit


def simulated(capacity: int, seconds: int) -> ConcurrencyLimit:
    """Return the limit after so many seconds of full use of an endpoint that takes `capacity` at once."""
    limit = ConcurrencyLimit()
    for second in range(seconds):
        in_flight = int(limit.limit)
        if in_flight > capacity:
            limit.overloaded(in_flight, float(second))
        else:
            for _ in range(in_flight):
                limit.succeeded(in_flight)
    return limit


def test_it_finds_what_an_endpoint_takes():
    """From far above, within a minute, and stays near."""
    limits = [simulated(60, seconds).limit for seconds in range(60, 120)]

    assert 30 < min(limits)
    assert 60 < sum(limits) / len(limits) * 1.4


def test_one_limit_that_does_not_adapt_stays():
    """At what was set."""
    limit = ConcurrencyLimit(most=5, adapts=False)
    limit.overloaded(5, 0)

    assert (True, False) == (limit.has_room(4), limit.has_room(5))


def test_overloads_of_the_same_second_count_once():
    """They are of requests that were sent before it shrank."""
    limit = ConcurrencyLimit(most=100)
    for n in range(50):
        limit.overloaded(100, n / 100)

    assert 70 == limit.limit


def test_an_error_at_a_quiet_moment_leaves_room():
    """And room grows quickly again: by one for each answer."""
    limit = ConcurrencyLimit()
    limit.overloaded(1, 0)
    assert LEAST == limit.limit
    for _ in range(100):
        limit.succeeded(int(limit.limit))
    assert 100 < limit.limit


def test_it_does_not_grow_unused():
    """What is not tried is not known."""
    limit = ConcurrencyLimit()
    limit.overloaded(10, 0)
    for _ in range(100):
        limit.succeeded(1)

    assert LEAST == limit.limit


def test_new_bounds_keep_what_was_learned():
    """Within them."""
    limit = ConcurrencyLimit()
    limit.overloaded(100, 0)
    limit.bound(ConcurrencyLimit(most=50))
    assert 50 == limit.limit
    limit.bound(ConcurrencyLimit(most=500))
    assert 50 == limit.limit


@given(st.floats(1, UNLIMITED), st.lists(st.tuples(st.booleans(), st.integers(0, 2000), st.floats(0, 5))))
def test_it_stays_within_its_bounds(most, events):
    """Whatever happens."""
    limit, now = ConcurrencyLimit(most=most), 0.0
    for overload, in_flight, seconds in events:
        now += seconds
        if overload:
            limit.overloaded(in_flight, now)
        else:
            limit.succeeded(in_flight)
        assert min(LEAST, most) <= limit.limit <= most
