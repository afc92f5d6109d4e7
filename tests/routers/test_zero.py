import math
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.checks import check_router
from routers.types import Candidate, Context, Dialled, Outcomes, Price, StateError
from routers.weighted import Weighted
from routers.zero import Zero

CONTEXT = Context("", prompt_tokens=10)


def knowing(w, **models):
    """Return a router that learned a cost and a reward of each model, and the pool."""
    zero = Zero(w)
    cells = np.array([list(models.values())], np.float32).reshape(1, -1, 2)
    gap = np.full((1, len(models)), np.nan, np.float32)
    zero.learn(Outcomes(tuple(models), np.zeros((1, 2), np.float32), cells[..., 1], cells[..., 0], gap))
    return zero, [Candidate(model) for model in models]


def shares(zero, pool):
    """Return the models that have a chance, with it."""
    call = next(zero.plan(CONTEXT, pool, Random(0)))
    return {model: p for model, p in call.propensities.items() if p}


@pytest.mark.parametrize("w", [0.0, 0.4, 1.0])
def test_passes_the_battery(w):
    """As every router must."""
    check_router(lambda: Zero(w))


@pytest.mark.parametrize(
    ("w", "expected"),
    [
        (0.0, {"small": 1.0}),
        (0.125, {"small": 0.5, "medium": 0.5}),
        (0.25, {"medium": 1.0}),
        (0.5, {"medium": 2 / 3, "large": 1 / 3}),
        (1.0, {"large": 1.0}),
    ],
)
def test_dial_goes_along_the_hull_by_cost(w, expected):
    """From 1 USD to 5: at a quarter of the way, 2 USD, stands the medium one."""
    assert pytest.approx(expected) == shares(*knowing(w, small=(1, 0.25), medium=(2, 0.75), large=(5, 1.0)))


def test_model_below_the_hull_is_not_taken():
    """Mixing its neighbours is better at its cost; nor is one that costs more than the best."""
    models = {"a": (1, 0.2), "below": (2, 0.3), "b": (3, 0.8), "dearer": (4, 0.8), "worse": (9, 0.1)}

    assert {"a": 0.5, "b": 0.5} == pytest.approx(shares(*knowing(0.5, **models)))
    assert {"b": 1.0} == shares(*knowing(1.0, **models))


def test_cheapest_of_equals_is_the_best_and_best_of_equals_the_cheapest():
    """Both ends of the dial."""
    models = {"a": (1, 0.2), "b": (1, 0.5), "c": (2, 0.9), "d": (3, 0.9)}

    assert [{"b": 1.0}, {"c": 1.0}] == [shares(*knowing(w, **models)) for w in (0.0, 1.0)]


def test_request_makes_no_difference():
    """However long it is."""
    zero, pool = knowing(0.3, a=(1, 0.2), b=(2, 0.9))
    contexts = (CONTEXT, Context("", prompt_tokens=10_000, embedding=np.ones(2, np.float32)))

    one, other = (next(zero.plan(context, pool, Random(0))) for context in contexts)

    assert one == other


def test_price_of_today_counts():
    """A model whose price rose is dearer without fitting."""
    zero = Zero(0.0)
    rewards, tokens = np.array([[0.2, 0.9]], np.float32), np.array([[100, 100]], np.float32)
    zero.learn(Outcomes(("a", "b"), np.zeros((1, 2), np.float32), rewards, np.full_like(tokens, np.nan), tokens))
    low, high = (Price(input=Decimal(usd), output=Decimal(usd)) for usd in (1, 2))

    assert {"a": 1.0} == shares(zero, [Candidate("a", low), Candidate("b", high)])
    assert {"b": 1.0} == shares(zero, [Candidate("a", high), Candidate("b", low)])


def test_unknown_costs_are_said():
    """Nothing is learned: all are as good, and the first is taken."""
    call = next(Zero(0.5).plan(CONTEXT, [Candidate("b"), Candidate("a")], Random(0)))

    assert ("a", "zero w=0.5 cost=unknown") == (call.candidates[0].model, call.why)


EIGHTHS = st.integers(0, 8).map(lambda eighth: eighth / 8)
MODELS = st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=1, max_size=6)


@given(MODELS, EIGHTHS)
def test_expected_cost_is_where_the_dial_points(points, w):
    """Between the cheapest and the cheapest of the best; and no single model that costs no more is better."""
    zero, pool = knowing(w, **{f"m{i}": point for i, point in enumerate(points)})
    chances = shares(zero, pool)
    best = max(reward for _, reward in points)
    low, high = min(cost for cost, _ in points), min(cost for cost, reward in points if reward == best)

    cost, reward = (math.fsum(points[int(m[1:])][axis] * p for m, p in chances.items()) for axis in (0, 1))

    assert len(chances) <= 2
    assert pytest.approx((1 - w) * low + w * high) == cost
    assert reward >= max(r for c, r in points if c <= cost + 1e-12) - 1e-9


def test_view_has_its_own_dial():
    """And shares what was learned."""
    zero, pool = knowing(0.0, a=(1, 0.2), b=(2, 0.9))
    view = zero.with_quality_weight(1.0)

    assert isinstance(zero, Dialled)
    assert ({"a": 1.0}, {"b": 1.0}) == (shares(zero, pool), shares(view, pool))


def test_what_was_planned_before_is_forgotten_when_it_learns(tmp_path):
    """The hull is remembered, and is another one after `learn` and after `load`; views notice too."""
    zero, pool = knowing(1.0, a=(1, 0.2), b=(2, 0.9))
    view, other = zero.with_quality_weight(1.0), knowing(1.0, a=(1, 0.9), b=(2, 0.2))[0]
    before = shares(zero, pool)
    worse = np.array([[1.0, 0.0]] * 9, np.float32)

    zero.learn(Outcomes(("a", "b"), np.zeros((9, 2), np.float32), worse, np.full_like(worse, 1), worse * np.nan))
    learned = shares(zero, pool)
    other.save(tmp_path)
    reloaded, _ = knowing(1.0, a=(1, 0.2), b=(2, 0.9))
    shares(reloaded, pool)
    reloaded.load(tmp_path)

    assert ({"b": 1.0}, {"a": 1.0}) == (before, learned)
    assert {"a": 1.0} == shares(view, pool) == shares(reloaded, pool)


def test_remembers_no_end_of_pools():
    """Each pool has its own hull, however many there are."""
    zero, _ = knowing(1.0, a=(1, 0.2), b=(2, 0.9))
    pools = [[Candidate("a"), Candidate(f"new-{n}")] for n in range(200)]

    assert [{f"new-{n}": 1.0} for n in range(200)] == [shares(zero, pool) for pool in pools]
    assert len(zero._markets) <= 64


@pytest.mark.parametrize("w", [-0.1, 1.1, math.nan])
def test_refuses_a_dial_beyond_its_ends(w):
    """In the constructor and in a view."""
    with pytest.raises(ValueError, match=f"quality_weight={w}"):
        Zero(w)
    with pytest.raises(ValueError, match=f"quality_weight={w}"):
        Zero().with_quality_weight(w)


def test_refuses_an_empty_pool():
    """There is nothing to plan."""
    with pytest.raises(ValueError, match="no candidate"):
        shares(Zero(), [])


def test_refuses_state_of_another(tmp_path):
    """The message says whose it is."""
    Weighted({"a": 1}).save(tmp_path)

    with pytest.raises(StateError, match="'weighted', not 'zero'"):
        Zero().load(tmp_path)
