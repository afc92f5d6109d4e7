import pytest

from gateway.endpoints.concurrency import ConcurrencyLimit
from gateway.endpoints.endpoint import Condition, KeyRest
from gateway.endpoints.fleet import Fleet
from gateway.endpoints.gate import Gate
from gateway.endpoints.retry_budget import MOST, RESERVE, RetryBudget
from providers.errors import (
    ConnectFailed,
    ContextTooLong,
    KeyRefused,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    UpstreamRejected,
)
from routers.types import Candidate
from tests.gateway.worlds import endpoint


def fleet_of(*endpoints, **more) -> Fleet:
    fleet = Fleet()
    models = {one.name: (one,) for one in endpoints}
    fleet.take({**models, **more}, {one.name: Condition() for one in endpoints})
    return fleet


def names(tiers) -> list[list[str]]:
    return [[one.model for one in tier] for tier in tiers]


def saying(error: ProviderError, retry_after_s: float | None) -> ProviderError:
    error.retry_after_s = retry_after_s
    return error


@pytest.mark.parametrize(
    ("error", "one_key_s", "other_key_s", "elsewhere_s"),
    [
        (ConnectFailed("x"), 0.5, 0.5, 0),
        (saying(Overloaded("x"), 7), 7, 7, 0),
        (RateLimited("x"), 1, 0, 0),
        (saying(RateLimited("x"), 7), 7, 0, 0),
        (KeyRefused("x"), 30, 0, 0),
        (QuotaExhausted("x"), 300, 0, 0),
        (ContextTooLong("x"), 0, 0, 0),
        (UpstreamRejected("x"), 0, 0, 0),
    ],
)
def test_what_failed_is_spared(error, one_key_s, other_key_s, elsewhere_s):
    """An endpoint with all its keys, a key at one endpoint, or nothing."""
    a, b = endpoint("a", "k1", "k2"), endpoint("b", "k1", "k2")
    fleet = fleet_of(a, b)
    fleet.failed(a, "k1", error, 0)

    blocked = [fleet.blocked_s(one, key, 0) for one, key in [(a, "k1"), (a, "k2"), (b, "k1")]]
    assert [one_key_s, other_key_s, elsewhere_s] == blocked


def test_a_model_with_one_good_endpoint_is_awake():
    """One with none is not, and one of which nothing is known is."""
    a, b, c = endpoint("a"), endpoint("b"), endpoint("c")
    fleet = fleet_of(a, b, c, two=(a, b))
    fleet.failed(a, "", ConnectFailed("x"), 0)
    candidates = [Candidate(name) for name in ("a", "two", "unknown")]

    assert [["two", "unknown"], ["a", "two", "unknown"]] == names(fleet.tiers(candidates, 0))
    assert [["a"]] == names(fleet.tiers(candidates[:1], 0))


def test_a_model_without_room_is_left_out():
    """Before a router chooses: quality gives way before availability."""
    fleet = fleet_of(endpoint("a"), endpoint("b"))
    fleet.take(
        {"a": (endpoint("a"),), "b": (endpoint("b"),)},
        {"a": Condition(gate=Gate(ConcurrencyLimit(most=1))), "b": Condition()},
    )
    fleet.condition("a").gate.enter()
    both = [Candidate("a"), Candidate("b")]
    assert [["b"], ["a", "b"]] == names(fleet.tiers(both, 0))
    fleet.condition("a").gate.leave()
    assert [["a", "b"]] == names(fleet.tiers(both, 0))


def test_a_new_configuration_keeps_what_is_known():
    """Of endpoints that stay, with their new limits; others are forgotten."""
    a, b = endpoint("a"), endpoint("b")
    fleet = fleet_of(a, b)
    fleet.failed(a, "", ConnectFailed("x"), 0)
    fleet.failed(b, "", ConnectFailed("x"), 0)
    fleet.take({"a": (a,)}, {"a": Condition(gate=Gate(ConcurrencyLimit(most=3), queue=7))})
    fleet.take({"a": (a,), "b": (b,)}, {"a": Condition(gate=Gate(ConcurrencyLimit(most=3), queue=7)), "b": Condition()})

    assert [0.5, 0] == [fleet.blocked_s(one, "", 0) for one in (a, b)]
    assert (3, 7) == (fleet.condition("a").gate.limit.limit, fleet.condition("a").gate.queue)


def test_repetitions_are_a_share_of_the_requests():
    """And a few each second, for those who ask rarely."""
    budget = RetryBudget()
    spent = sum(budget.spend(0) for _ in range(100))
    assert RESERVE == spent
    for _ in range(51):
        budget.requested()
    assert RESERVE == sum(budget.spend(0) for _ in range(100))
    assert budget.spend(0.1)
    assert not budget.spend(0.1)
    for _ in range(10_000):
        budget.requested()
    assert MOST == sum(budget.spend(0.2) for _ in range(1000))


def test_a_key_that_is_limited_again_and_again_rests_longer():
    """Whatever it asks for, from the third time in a row on; those of the same moment are one, and an answer ends it."""
    a = endpoint("a", "k")
    fleet, now, lengths = fleet_of(a), 0.0, []
    for _ in range(7):
        for _ in range(5):
            fleet.failed(a, "k", saying(RateLimited("x"), 0.1), now)
        lengths.append(round(fleet.blocked_s(a, "k", now), 6))
        now = fleet.key_rests_until(a, "k") + 0.01
    assert [0.1, 0.1, 0.5, 1, 2, 4, 8] == lengths
    fleet.answered(a, "k", 1.0, now)
    fleet.failed(a, "k", saying(RateLimited("x"), 0.1), now)
    assert pytest.approx(0.1) == fleet.blocked_s(a, "k", now)


def test_an_endpoint_is_free_where_it_has_room_and_nothing_rests():
    """Not where its breaker is open, where one of its keys is spared, or where no more are let in."""
    rests, spares, full, free = Condition(), Condition(), Condition(gate=Gate(ConcurrencyLimit(most=1))), Condition()
    rests.breaker.failed(100.0, at_once=True)
    spares.keys["k"] = KeyRest(until=200.0)
    full.gate.enter()

    assert [False, False, False, True] == [one.is_free(100.0) for one in (rests, spares, full, free)]
