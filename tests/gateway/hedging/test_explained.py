from io import StringIO

import pytest
from rich.console import Console

from gateway.cli.explained import explained
from gateway.explanation import explain
from gateway.hedging.rules import HedgeRules
from routers.fixed import Fixed
from routers.gates.wellformed import Wellformed
from routers.plans.cascade import Cascade
from routers.random_choice import RandomChoice
from routers.types import Candidate
from tests.gateway.worlds import ask, decider, policy, world

POOL = (Candidate("a"), Candidate("b"))


async def decided(router=None, **more):
    return await decider(policy("p", POOL, router or RandomChoice(), **more)).decide(ask(), world())


async def shown(**more):
    console = Console(file=StringIO(), width=200)
    for part in explained(explain(await decided(**more), trace=True), 1000.0):
        console.print(part)
    return console.file.getvalue()


async def test_a_policy_that_hedges_says_so():
    """How slow the first has to be, and how often and for how much a second is asked."""
    told = await shown(hedge=HedgeRules(99.0, 0.02, 1.5))

    assert "slower than in 99 % of its answers, for at most 0.02 of the requests and 1.5 USD a day" in told
    assert "hedged" not in await shown()


@pytest.mark.parametrize(("router", "buffered"), [(RandomChoice(), False), (Cascade(Wellformed(), Fixed("a")), True)])
async def test_a_plan_that_looks_first_says_so(router, buffered):
    """As JSON and for people."""
    assert buffered is explain(await decided(router), trace=False)["buffered"]
    assert buffered is ("buffered: the plan looks at answers" in await shown(router=router))
    assert buffered is ("a plan of several calls: asks a first" in await shown(router=router))
