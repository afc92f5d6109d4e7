"""The course of a request, driven by failures of every kind."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backend import Backend
from gateway.course import LONGEST_PAUSE_S, Course
from gateway.endpoints.endpoint import Condition
from gateway.endpoints.fleet import Fleet
from gateway.failures import TABLE, Step
from providers.errors import (
    AnswerBroken,
    ConnectFailed,
    ConnectionLost,
    ContextTooLong,
    KeyRefused,
    Overloaded,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamRejected,
)
from routers.types import Candidate
from tests.gateway.worlds import endpoint

KINDS = sorted(TABLE, key=lambda kind: kind.__name__)


class World:
    """Models with endpoints and keys; `a` is the choice, the others stand behind it."""

    def __init__(self, shape=None, windows=None):
        self.shape = shape or {"a": {"a@x": 1}, "b": {"b@x": 1}}
        self.fleet = Fleet()
        self.now = 100.0
        endpoints = {
            model: tuple(
                endpoint(name, *(f"k{n}" for n in range(keys)), provider=name.partition("@")[2])
                for name, keys in places.items()
            )
            for model, places in self.shape.items()
        }
        self.fleet.take(endpoints, {one.name: Condition() for places in endpoints.values() for one in places})
        candidates = [Candidate(model, context_window=(windows or {}).get(model)) for model in self.shape]
        self.backends = {one.model: Backend(one, endpoints[one.model], None) for one in candidates}
        self.ladder = candidates

    def course(self, repeats=1, seed=0):
        return Course(self.ladder, self.backends, self.fleet, random.Random(seed), repeats)

    def drive(self, failures, *, repeats=1, left_s=60.0, seed=0):
        """Return the stops that a request makes; `failures` says how the call at each one ends, None is an answer."""
        course, stops, began = self.course(repeats, seed), [], self.now
        stop = course.first(self.now, left_s)
        while stop is not None:
            if stop.wait_s:
                self.now += stop.wait_s
                stop = course.look_again(stop, self.now, left_s - (self.now - began))
                continue
            stops.append(stop)
            error = failures(stop, len(stops))
            if error is None:
                return stops
            self.fleet.failed(stop.endpoint, stop.key, error, self.now)
            stop = course.after(stop, error, self.now, left_s - (self.now - began))
        return stops


def always(kind, retry_after_s=None):
    def failure(_stop, _number):
        error = kind("x")
        error.retry_after_s = retry_after_s
        return error

    return failure


def told(stops):
    return [(stop.endpoint.name, stop.step.value) for stop in stops]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (ConnectFailed, ["a candidate", "a endpoint", "b candidate", "a again"]),
        (UpstreamError, ["a candidate", "a endpoint", "b candidate", "a again"]),
        (AnswerBroken, ["a candidate", "a same", "a endpoint", "a same", "b candidate", "b same", "a again"]),
        (ProviderTimeout, ["a candidate", "a endpoint", "b candidate"]),
        (UpstreamRejected, ["a candidate"]),
        (ContextTooLong, ["a candidate"]),
    ],
)
def test_each_kind_of_failure_has_its_way(kind, path):
    """Endpoints before candidates, everybody before the same again, and nobody where the request is at fault."""
    world = World({"a": {"a@x": 1, "a@y": 1}, "b": {"b@x": 1}}, windows={"a": 10, "b": 10})
    stops = world.drive(always(kind))
    found = [f"{stop.candidate.model} {stop.step.value}" for stop in stops]

    assert path[:-1] == found[:-1]
    assert path[-1].split()[-1] == found[-1].split()[-1]


@pytest.mark.parametrize("kind", [RateLimited, KeyRefused, QuotaExhausted])
def test_keys_are_taken_in_turn(kind):
    """Each once, and then another candidate."""
    world = World({"a": {"a@x": 3}, "b": {"b@y": 1}})
    stops = world.drive(lambda stop, _: kind("x") if stop.candidate.model == "a" else None)

    assert ["candidate", "key", "key", "candidate"] == [stop.step.value for stop in stops]
    assert {"k0", "k1", "k2"} == {stop.key for stop in stops[:3]}
    assert "b@y" == stops[3].endpoint.name


def test_only_larger_windows_are_asked_about_a_prompt_that_is_too_long():
    """One of unknown size may be."""
    world = World({model: {model: 1} for model in "abcd"}, windows={"a": 10, "b": 10, "c": 20, "d": None})
    stops = world.drive(lambda stop, _: ContextTooLong("x") if stop.candidate.model != "d" else None)

    assert [("a", "candidate"), ("c", "larger"), ("d", "larger")] == told(stops)


def test_nobody_is_asked_before_it_wants_to_be():
    """Neither by this request nor by the next, also where nobody else is left: it waits if that is short."""
    world = World({"a": {"a@x": 1}})
    began = world.now
    stops = world.drive(lambda _, number: always(Overloaded, 3)(None, 0) if number == 1 else None)

    assert [("a@x", "candidate"), ("a@x", "again")] == told(stops)
    assert 3 <= world.now - began <= 3.5


@pytest.mark.parametrize("kind", [Overloaded, RateLimited])
def test_a_long_wait_is_the_clients(kind):
    """Nobody is asked, and the client is told how long."""
    world = World({"a": {"a@x": 1}})
    assert 1 == len(world.drive(always(kind, 20)))
    course = world.course()
    assert course.first(world.now, 60) is None
    assert (pytest.approx(20, rel=0.11), True) == course.shortest_wait(world.now)


def test_an_open_breaker_lets_nothing_through():
    """While another lives it is asked; else the request waits, and a long rest ends it."""
    world = World()
    for _ in range(5):
        world.fleet.failed(world.backends["a"].endpoints[0], "", ConnectFailed("x"), world.now)
    assert ["b@x"] == [stop.endpoint.name for stop in world.drive(lambda *_: None)]
    alone = World({"a": {"a@x": 1}})
    for _ in range(7):
        alone.fleet.failed(alone.backends["a"].endpoints[0], "", ConnectFailed("x"), alone.now)
        alone.now += 40
    alone.fleet.failed(alone.backends["a"].endpoints[0], "", ConnectFailed("x"), alone.now)
    assert [] == alone.drive(lambda *_: None)
    assert (pytest.approx(30, rel=0.11), False) == alone.course().shortest_wait(alone.now)


def test_a_place_that_fails_for_all_meanwhile_is_not_waited_for():
    """A connection may be lost by chance; where it turns out that none is to be had there, somebody else is asked."""
    world = World()
    course = world.course()
    first = course.first(world.now, 60)
    again = course.after(first, ConnectionLost("x"), world.now, 60)
    assert (Step.SAME, True) == (again.step, again.wait_s > 0)
    for _ in range(5):
        world.fleet.failed(first.endpoint, first.key, ConnectFailed("x"), world.now)
    other = course.look_again(again, world.now + again.wait_s, 60)

    assert ("b@x", Step.CANDIDATE, 0) == (other.endpoint.name, other.step, other.wait_s)


def test_no_pause_comes_before_somebody_else():
    """Time passes only when all have failed."""
    world = World({model: {model: 1} for model in "abcde"})
    began = world.now
    world.drive(lambda stop, _: UpstreamError("x") if stop.candidate.model != "e" else None)

    assert began == world.now


@pytest.mark.parametrize("repeats", [0, 1, 3])
def test_the_same_is_asked_again_as_often_as_it_says(repeats):
    """With longer and longer pauses."""
    world = World({"a": {"a@x": 1}})

    assert 1 + repeats == len(world.drive(always(UpstreamError), repeats=repeats))


@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.dictionaries(st.sampled_from("xyz"), st.integers(1, 2), min_size=1, max_size=2),
        min_size=1,
    ),
    st.lists(st.tuples(st.sampled_from([*KINDS, None]), st.sampled_from([None, 0.0, 0.3, 4.0, 90.0])), max_size=40),
    st.integers(0, 3),
    st.integers(0, 99),
)
def test_every_request_ends(places, endings, repeats, seed):
    """By an answer or by being given up, after few calls and a bounded wait; and no rest is ever cut short."""
    world = World({model: {f"{model}@{name}": keys for name, keys in names.items()} for model, names in places.items()})
    began = world.now

    def failure(stop, number):
        assert 0 == world.fleet.blocked_s(stop.endpoint, stop.key, world.now)
        if number > len(endings):
            return None
        kind, retry_after_s = endings[number - 1]
        return None if kind is None else always(kind, retry_after_s)(None, 0)

    stops = world.drive(failure, repeats=repeats, seed=seed)
    at_most = sum(keys for names in places.values() for keys in names.values())

    assert len(stops) <= 2 * at_most + repeats
    assert world.now - began <= LONGEST_PAUSE_S + 1e-6
    for before, after in pairwise(stops):
        same = (before.endpoint.name, before.key) == (after.endpoint.name, after.key)
        assert same == (after.step in (Step.SAME, Step.AGAIN)) or after.step is Step.AGAIN
