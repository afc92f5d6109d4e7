"""A changed configuration is taken while requests are served; a bad one changes nothing."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from gateway.reload import watch_files
from tests.conftest import write_config

POLICY = {"pool": ["good", "other"], "router": {"type": "fixed", "model": "good"}}
ASK = {"model": "p", "messages": [{"role": "user", "content": "Say hello."}]}


@pytest.fixture
async def gateway(tmp_path, upstream):
    """Return an open gateway and a client of its application, on this event loop."""
    gateway = Gateway(write_config(tmp_path, upstream.url, {"p": POLICY}), {})
    await gateway.open()
    transport = httpx2.ASGITransport(create_app(gateway))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        gateway.client = client
        yield gateway
    await gateway.aclose()


async def served_by(gateway) -> str:
    response = await gateway.client.post("/v1/chat/completions", json=ASK)
    return response.headers["x-pointsman-model"]


def change(gateway, old: str, new: str) -> None:
    path = gateway.path.parent / "p.yaml"
    path.write_text(path.read_text().replace(old, new))


async def test_a_good_change_is_taken(gateway):
    """The next request is served by the new policy."""
    assert "good" == await served_by(gateway)
    change(gateway, "model: good", "model: other")

    assert await gateway.reload()
    assert "other" == await served_by(gateway)


@pytest.mark.parametrize(
    ("old", "new"), [("model: good", "modle: good"), ("name: p", "name: good"), ("pool:", "pool: [")]
)
async def test_a_bad_change_leaves_the_last_good_one_serving(gateway, caplog, old, new):
    """The log names file and line, and a metric turns to 0."""
    change(gateway, old, new)

    assert not await gateway.reload()
    assert "good" == await served_by(gateway)
    assert "p.yaml:" in caplog.records[-1].reason
    assert 0 == gateway.metrics.registry.get_sample_value("pointsman_config_last_reload_successful")


async def test_a_bad_change_that_is_taken_back_is_forgotten(gateway):
    """The metric turns to 1 again, though there is nothing new to take."""
    change(gateway, "model: good", "modle: good")
    await gateway.reload()
    change(gateway, "modle: good", "model: good")

    assert await gateway.reload()
    assert 1 == gateway.metrics.registry.get_sample_value("pointsman_config_last_reload_successful")


async def test_what_cannot_change_while_running_is_refused(gateway):
    """Another store would split the log."""
    gateway.path.write_text(gateway.path.read_text().replace("log.db", "other.db"))

    assert not await gateway.reload()


async def test_a_request_under_way_keeps_what_it_began_with(gateway):
    """The old runtime closes only when its last request has ended."""
    change(gateway, "model: good", "model: other")
    with gateway.runtime.in_use() as old:
        await gateway.reload()
        await asyncio.sleep(0)
        assert old is not gateway.runtime
        assert not old._idle.is_set()


async def test_a_changed_file_is_noticed(gateway):
    """Saving a policy is enough."""
    watcher = asyncio.ensure_future(watch_files(gateway))
    await asyncio.sleep(0.5)
    change(gateway, "model: good", "model: other")
    for _ in range(100):
        if await served_by(gateway) == "other":
            break
        await asyncio.sleep(0.05)
    assert "other" == await served_by(gateway)
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)
