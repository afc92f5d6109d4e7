"""Two that are asked the same, and a client that leaves just then."""

import asyncio
import json

import httpx2
import pytest

from gateway.hedging.hedges import Hedges
from gateway.hedging.race import NOTHING, Race
from gateway.hedging.rules import HedgeRules
from routers.types import Call
from tests.gateway.plans.stages import stage
from tests.upstream import completion

RULES = HedgeRules(max_share=1.0)


def begun(play):
    """Return a stage, and what hedges a request between its cheap and its middle model."""
    there = stage(play, pool=("cheap", "middle"))
    call = Call(there.terms.pool[:1], {"cheap": 1.0, "middle": 0.0}, "")
    hedging = Hedges().of("p", RULES)
    hedging.requested()
    race = Race(there.dispatcher, call, there.terms, there.chat, NOTHING, hedging)
    return there, asyncio.ensure_future(race.run(0.01))


@pytest.mark.parametrize("silent", [("cheap",), ("cheap", "middle")])
async def test_nobody_is_left_at_work_for_a_client_that_leaves(silent):
    """As the other one is being given up, be it for an answer that came or because the client had left already."""
    asked, both = [], asyncio.Event()

    async def play(request):
        model = json.loads(request.content)["model"]
        asked.append(model)
        if len(asked) == 2:
            both.set()
        try:
            if model in silent:
                await asyncio.sleep(30)
        except asyncio.CancelledError:
            running.cancel()
            raise
        return httpx2.Response(200, json=completion(model, "42"))

    there, running = begun(play)
    if "middle" in silent:
        await both.wait()
        running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for _ in range(10):
        await asyncio.sleep(0)

    assert (["cheap", "middle"], 0) == (asked, there.in_flight)
    assert {"cheap", "middle"} == {one.model for one in there.dispatcher.attempts}
