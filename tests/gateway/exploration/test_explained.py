from io import StringIO

import pytest
from rich.console import Console

from gateway.cli.explained import explained
from gateway.explanation import explain
from gateway.exploration.rules import ExplorationRules
from routers.estimating import EstimatingRouter
from routers.random_choice import RandomChoice
from routers.rules.softmax import Softmax
from routers.types import Candidate
from tests.gateway.worlds import Known, ask, decider, policy, world

POOL = (Candidate("a"), Candidate("b"))


async def shown(rules, router):
    there = world()
    routed = await decider(policy("p", POOL, router, exploration=rules)).decide(ask(), there)
    await there.exploration.aclose()
    console = Console(file=StringIO(), width=120)
    for part in explained(explain(routed, trace=True), 1000.0):
        console.print(part)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (ExplorationRules(), "exploration on, no bound on money; best a"),
        (ExplorationRules(enabled=False), "exploration off (policy); best a"),
        (ExplorationRules(max_usd_per_day=2.5), "exploration off (cost_unknown); best a"),
    ],
)
async def test_it_says_whether_it_explores_and_what_is_left(rules, said):
    """As the request would be decided."""
    assert said in await shown(rules, EstimatingRouter(Known(a=0.9, b=0.1), Softmax(0.5), 1.0))


async def test_nothing_is_said_of_a_router_that_does_not_explore():
    """There is nothing to say."""
    assert "exploration" not in await shown(ExplorationRules(), RandomChoice())
