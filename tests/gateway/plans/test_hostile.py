"""Properties of every plan, whatever its models answer: it stays within its bounds, and all that it took is counted."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.account import Account
from gateway.errors import GatewayError
from gateway.plans.bounds import Bounds
from providers.errors import ProviderError
from providers.sse import event_data
from routers.plans.around import Around
from routers.registry import component, components
from tests.gateway.plans.hostile import FAILURES, TEXTS, USAGES, Hostile
from tests.gateway.plans.stages import PRICES, plans, stage
from tests.poured import pieces_of

PLANS = plans()
kinds = st.sampled_from([*TEXTS, *FAILURES])
scripts = st.lists(st.tuples(kinds, st.sampled_from(USAGES)), min_size=1, max_size=8)
some_bounds = st.builds(
    Bounds, st.integers(1, 10), st.none() | st.floats(0.0001, 0.5).map(lambda usd: Decimal(f"{usd:.6f}"))
)
pools = st.sets(st.sampled_from(sorted(PRICES)), min_size=1)
bodies = st.fixed_dictionaries(
    {"stream": st.booleans()},
    optional={"max_tokens": st.integers(1, 3000), "temperature": st.just(1), "stop": st.just(["x"])},
)


async def played(hostile, router, bounds, body):
    """Carry a plan out and read its answer to the end; return what is left, and the answer's body, None for none."""
    there = stage(hostile, bounds=bounds, **body)
    account = Account(there.dispatcher.made, there.terms.demand.prompt_tokens)
    try:
        answer = account.answer = await there.run(router)
    except GatewayError:
        return there, account, None
    try:
        pieces = await pieces_of(answer.reply)
    except ProviderError:
        pieces = None  # it broke off while it was relayed: the client is told
    await answer.reply.aclose()
    answer.end()
    return there, account, pieces


def is_answer(pieces, *, stream):
    """Tell whether a client that asked for it so can read an answer."""
    if not stream:
        return bool(json.loads(b"".join(pieces))["choices"])
    data = [event_data(piece) for piece in pieces]
    return data[-1] == b"[DONE]" and all(isinstance(json.loads(one), dict) for one in data[:-1] if one)


@settings(max_examples=150)
@example("orchestrator", [("plain", "told"), ("400", "told")], Bounds(3), set(PRICES), {"stream": True})
@given(st.sampled_from(sorted(PLANS)), scripts, some_bounds, pools, bodies)
def test_no_plan_passes_its_bounds(name, script, bounds, pool, body):
    """Neither in calls nor in money, which counts also what broke off; and it asks nobody who may not be asked."""
    hostile = Hostile(script, PRICES)
    there, account, pieces = asyncio.run(played(hostile, PLANS[name], bounds, {**body, "pool": pool}))

    assert hostile.calls.keys() <= pool
    assert len(there.dispatcher.made) <= bounds.max_calls
    assert hostile.answered <= bounds.max_calls
    assert hostile.billed_usd <= (Decimal("Infinity") if bounds.max_cost_usd is None else bounds.max_cost_usd)
    assert 0 == there.in_flight
    assert pieces is None or is_answer(pieces, stream=body["stream"])
    told = all(usage == "told" for _, usage in script) and not {kind for kind, _ in script} & set(FAILURES)
    if told and pieces is not None:
        assert hostile.billed_usd == account.close().usd


def test_every_plan_is_among_them():
    """One that is registered later is added here, too."""
    names = {name for name, place in components("router").items() if place.startswith("routers.plans.")}

    assert names <= {name.partition(" ")[0] for name in PLANS}
    assert all(issubclass(component("router", name), Around) for name in names)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_no_plan_takes_longer_than_it_may(name):
    """Models that say nothing are hung up on in time."""
    hostile = Hostile([("plain", "told")], PRICES, silent_s=5)

    async def timed():
        began = asyncio.get_running_loop().time()
        there, _, pieces = await played(hostile, PLANS[name], Bounds(), {"total_s": 0.3})
        assert pieces is None
        assert 0 == there.in_flight
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(timed()) < 1
