"""The budget of a session holds, whatever its steps cost, however many are under way, and whoever takes them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bill import Bills, estimate
from gateway.errors import BudgetExceeded
from gateway.policy import Stickiness
from gateway.quotas.errors import QuotaExceeded
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.quotas import Quotas
from gateway.quotas.shared import shared_ledger
from gateway.sharing.link import Link
from gateway.signals.step import Step as StepSignal
from gateway.store.money import from_nanos
from gateway.tasks.task import TaskRules
from routers.agent import Agent
from routers.types import Candidate, Price
from tests.gateway.worlds import ask, decider, policy, tool_loop, world
from tests.redis_server import redis_server

POOL = (
    Candidate("small", Price(Decimal(1), Decimal(2))),
    Candidate("large", Price(Decimal(10), Decimal(20))),
)
WORLDS = count()


@dataclass(frozen=True)
class Step:
    """A step: which replica takes it, what it asks for, and which share of what it may cost it does cost.

    None: what it cost is unknown. It may fail, and cost nothing; it may end before the next begins, or later.
    """

    replica: int
    tokens: int
    hard: bool
    share: float | None
    fails: bool
    waits: int


STEPS = st.lists(
    st.builds(
        Step,
        replica=st.integers(0, 1),
        tokens=st.sampled_from([1, 100, 1000, 4000]),
        hard=st.booleans(),
        share=st.none() | st.floats(0, 1),
        fails=st.booleans(),
        waits=st.integers(0, 5),
    ),
    max_size=25,
)


@dataclass
class Book:
    """What really was spent, and what is promised to steps under way, in nano-dollars."""

    budget: int
    spent: int = 0
    promised: int = 0
    most: int = 0
    passed: int = 0
    refused: list[str] = field(default_factory=list)

    def admit(self, worst: int) -> None:
        self.promised += worst
        self.most = max(self.most, self.spent + self.promised)
        self.passed += 1

    def end(self, worst: int, cost: int) -> None:
        self.promised -= worst
        self.spent += cost


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """Serve a Redis that nobody stops."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


def deciding(usd):
    rules = TaskRules(usd, step_tokens=500)
    loose = Stickiness(tool_loop=False, session=False)
    return decider(policy(pool=POOL, router=Agent("small", "large"), stickiness=loose, task=rules), more=[StepSignal()])


async def admitted(decides, there, bills, step):
    """Decide on a step and reserve what it may take, as the gateway does; None where nothing lets it pass."""
    messages = {} if step.hard else {"messages": tool_loop()}
    asked = ask(max_tokens=step.tokens, headers={"x-session-id": "s"}, **messages)
    while True:
        routed = await decides.decide(asked, there)
        chosen = routed.call.candidates[0]
        try:
            return chosen, routed, await bills.open(routed.holder, chosen, routed.demand)
        except QuotaExceeded as error:
            if chosen.model in asked.spent:
                raise
            asked = replace(asked, spent={**asked.spent, chosen.model: f"{error.reason}: {error}"})


async def take(decides, there, step, book):
    """Take one step."""
    bills = Bills(there.quotas)
    try:
        chosen, routed, bill = await admitted(decides, there, bills, step)
    except (BudgetExceeded, QuotaExceeded) as error:
        book.refused.append(error.code)
        return
    worst = estimate(chosen, routed.demand).nano_usd
    book.admit(worst)
    for _ in range(step.waits):
        await asyncio.sleep(0)
    cost = 0 if step.fails else worst if step.share is None else int(worst * step.share)
    # What has been settled is free for others before we hear of it, so it is written down first.
    book.end(worst, cost)
    if step.fails:
        bill.release()
    else:
        bill.settle(None, None if step.share is None else from_nanos(cost))
    await bills.aclose()


async def run(ledgers, steps, usd, at_once):
    """Take the steps, so many at a time, and check what the ledgers have in the end."""
    decides = deciding(usd)
    theres = [replace(world(), quotas=Quotas((), ledger, longest_s=60)) for ledger in ledgers]
    book = Book(int(usd * 1_000_000_000))
    for start in range(0, len(steps), at_once):
        batch = steps[start : start + at_once]
        await asyncio.gather(*(take(decides, theres[step.replica], step, book) for step in batch))
    return book


def check(book):
    assert book.most <= book.budget
    assert book.spent <= book.budget
    assert 0 == book.promised
    assert set(book.refused) <= {"budget_exceeded"}


async def run_shared(url, steps, usd, at_once):
    """Take the steps by two replicas, over one Redis."""
    prefix = f"task-{next(WORLDS)}:"
    links = [Link(url, prefix=prefix, timeout_s=10) for _ in range(2)]
    try:
        ledgers = [shared_ledger(link, replica=f"r{n}", away="closed") for n, link in enumerate(links)]
        return await run(ledgers, steps, usd, at_once)
    finally:
        for link in links:
            await link.aclose()


BUDGETS = st.sampled_from([Decimal("0.0001"), Decimal("0.01"), Decimal("0.05"), Decimal("0.3")])


@settings(max_examples=40)
@given(STEPS, BUDGETS, st.integers(1, 12))
def test_two_replicas_never_let_a_session_spend_more_than_its_budget(redis, steps, usd, at_once):
    """Over a real Redis: what is spent, and what steps under way may still take, together never come to more."""
    check(asyncio.run(run_shared(redis.url, steps, usd, at_once)))


@settings(max_examples=40)
@given(STEPS, BUDGETS, st.integers(1, 12))
def test_one_process_alone_does_not_either(steps, usd, at_once):
    """With a ledger in memory, which both sides share."""
    ledger = MemoryLedger()

    check(asyncio.run(run([ledger, ledger], steps, usd, at_once)))


@pytest.mark.parametrize("at_once", [1, 6])
def test_the_budget_is_used_all_the_same(redis, at_once):
    """A guard that lets nobody pass would keep any budget: many cheap steps pass, until too little is left."""
    steps = [Step(n % 2, 1000, hard=False, share=1.0, fails=False, waits=n % 3) for n in range(60)]
    book = asyncio.run(run_shared(redis.url, steps, Decimal("0.05"), at_once))

    check(book)
    assert 20 <= book.passed < 60
    assert book.spent > 0.95 * book.budget
