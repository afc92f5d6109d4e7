"""Requests that let others come as far as they did, and are given up meanwhile."""

import asyncio
import collections
from contextlib import suppress

import httpx2

from gateway.app import create_app
from gateway.application import Gateway
from gateway.turn import turn
from tests.conftest import write_config

AUTO = {"auto": {"pool": ["good"], "router": {"type": "random"}}}
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}


async def test_tasks_take_their_steps_together():
    """Each waits until the others have come as far."""
    steps = []

    async def take(name):
        for step in range(3):
            steps.append((step, name))
            await turn()

    await asyncio.gather(*(take(name) for name in "abc"))

    assert [(step, name) for step in range(3) for name in "abc"] == steps


async def test_whenever_a_request_is_given_up_it_has_one_outcome(tmp_path, upstream):
    """Or was not decided: at any turn of the loop before its endpoint is asked, and after it has answered."""
    gateway = Gateway(write_config(tmp_path, upstream.url, AUTO), {})
    await gateway.open()
    transport = httpx2.ASGITransport(create_app(gateway))
    errors = collections.Counter()
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert 200 == (await client.post("/v1/chat/completions", json=ASK)).status_code
        for turns in (*range(40), *range(40, 400, 9)):
            asking = asyncio.ensure_future(client.post("/v1/chat/completions", json=ASK))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
    await gateway.recorder.flushed()
    for entry in gateway.log.joined():
        assert entry.outcome is not None
        errors[entry.outcome.error] += 1
    endpoint = gateway.runtime.backends["good"].endpoints[0]
    under_way = gateway.pipeline._world.fleet.condition(endpoint.name).gate.in_flight
    await gateway.aclose()

    assert {"gateway_stopped", None} == set(errors)
    assert 0 == under_way
