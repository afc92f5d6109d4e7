from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.quotas.pacing import HIGHEST, STEPS, paced
from gateway.quotas.windows import DAY_MS, Window

NOVEMBER = Window(1_793_491_200_000, 1_793_491_200_000 + 30 * DAY_MS)
STEP_MS = 30 * DAY_MS // STEPS
SLOT_MS = 600_000
#: What a model is good for, and what a thousand tokens of its answers cost, in nano-dollars.
MODELS = ((0.6, 400_000), (1.6, 3_000_000), (2.8, 20_000_000))
#: What an answer that is right is worth.
WORTH = 500_000_000


@dataclass
class Month:
    """What came of a month: quality in all, and what was spent each day."""

    quality: float = 0.0
    days: list[int] = field(default_factory=lambda: [0] * 30)

    @property
    def spent(self):
        return sum(self.days)


def traffic(seed):
    """Return requests as (time, difficulty, thousands of tokens): by day more than by night, with bursts, few at weekends."""
    rng = random.Random(seed)
    requests = []
    for day in range(30):
        bursts = [(rng.uniform(0, 24), rng.uniform(0.2, 1), rng.uniform(3, 10)) for _ in range(rng.randint(0, 2))]
        for slot in range(144):
            hour = slot / 6
            rate = 5 * (0.6 if day % 7 >= 5 else 1.0) * (1 + 0.8 * math.sin((hour - 9) / 24 * 2 * math.pi))
            rate *= math.prod(times for begins, lasts, times in bursts if begins <= hour < begins + lasts)
            began_ms = NOVEMBER.start_ms + day * DAY_MS + slot * SLOT_MS
            number = max(round(rng.gauss(rate, math.sqrt(rate))), 0)
            requests += [
                (began_ms + rng.randrange(SLOT_MS), rng.gauss(0, 1), rng.lognormvariate(0, 0.5)) for _ in range(number)
            ]
    return sorted(requests)


def served(requests, budget, price_at):
    """Answer each request by whoever gives most for the price of money, as long as the budget lasts."""
    month = Month()
    for now_ms, difficulty, size in requests:
        price = price_at(month.spent, now_ms)
        qualities = [1 / (1 + math.exp(1.2 * difficulty - skill)) for skill, _ in MODELS]
        costs = [int(size * cost) for _, cost in MODELS]
        best = max(range(len(MODELS)), key=lambda m: qualities[m] - price * costs[m] / WORTH)
        if month.spent + costs[best] <= budget:
            month.quality += qualities[best]
            month.days[(now_ms - NOVEMBER.start_ms) // DAY_MS] += costs[best]
    return month


def pacer(budget):
    pace = None

    def price_at(spent, now_ms):
        nonlocal pace
        pace = paced(pace, NOVEMBER, budget, spent, now_ms)
        return pace.price

    return price_at


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_month_is_spent_evenly_and_better_than_greedily(seed):
    """With money for two fifths of what would be spent: every day has its share, and no constant price does better."""
    requests = traffic(seed)
    budget = served(requests, 10**18, lambda *_: 1.0).spent * 2 // 5
    greedy = served(requests, budget, lambda *_: 1.0)
    best = max((served(requests, budget, lambda *_, p=p: p) for p in (3.0, 5.0, 7.0)), key=lambda month: month.quality)
    even = served(requests, budget, pacer(budget))

    shares = [day * 30 / budget for day in even.days]
    assert even.spent > 0.99 * budget
    assert max(abs(share - 1) for share in shares) < 0.25
    assert sum(abs(share - 1) for share in shares) / 30 < 0.06
    assert 0 == greedy.days[-1]
    assert even.quality > 2 * greedy.quality
    assert even.quality > 0.98 * best.quality


def test_who_spends_less_than_is_there_pays_the_plain_price():
    """The price never falls below 1: the policy says what is worth its money."""
    price_at = pacer(10**9)

    assert [1.0] * 100 == [price_at(n, NOVEMBER.start_ms + n * STEP_MS) for n in range(100)]


def test_spending_at_the_target_leaves_the_price_as_it_is():
    """Above it the price rises, below it falls."""
    budget, half = 1_000_000, NOVEMBER.start_ms + 15 * DAY_MS
    begun = paced(None, NOVEMBER, budget, 500_000, half)
    raised = paced(begun, NOVEMBER, budget, 500_000 + 400_000, half + 36 * STEP_MS)
    share = 100_000 * 36 // (STEPS // 2 - 72)
    held = paced(raised, NOVEMBER, budget, 900_000 + share, half + 72 * STEP_MS)
    fallen = paced(held, NOVEMBER, budget, 900_000 + share, half + 108 * STEP_MS)

    assert raised.price > begun.price
    assert raised.price == pytest.approx(held.price, rel=0.02)
    assert fallen.price < held.price


def test_a_new_window_begins_with_the_last_price():
    """What was spent in the former one does not count."""
    price_at = paced(None, NOVEMBER, 100, 0, NOVEMBER.start_ms)
    dear = paced(price_at, NOVEMBER, 100, 90, NOVEMBER.start_ms + 12 * STEP_MS)
    december = Window(NOVEMBER.end_ms, NOVEMBER.end_ms + 31 * DAY_MS)
    begun = paced(dear, december, 100, 1, december.start_ms + 1)

    assert 1 < dear.price == begun.price
    assert (december, december.start_ms, 0) == (begun.window, begun.at_ms, begun.spent)


@given(
    st.lists(st.tuples(st.integers(0, 10 * STEP_MS), st.integers(-(10**6), 10**15)), max_size=30),
    st.integers(1, 10**15),
)
def test_the_price_is_bounded_and_the_same_each_time(steps, budget):
    """Whatever is spent, also more than there is, or less than before."""

    def run():
        pace, now_ms, spent = None, NOVEMBER.start_ms, 0
        for wait_ms, amount in steps:
            now_ms, spent = now_ms + wait_ms, max(spent + amount, 0)
            pace = paced(pace, NOVEMBER, budget, spent, now_ms)
            assert 1.0 <= pace.price <= HIGHEST
        return pace

    assert run() == run()
