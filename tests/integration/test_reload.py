"""A changed configuration is taken while requests are served; a bad one changes nothing."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from gateway.reload import watch_files
from routers.registry import build_router
from tests.conftest import write_config
from tests.processes import started, until

POLICY = {"pool": ["good", "other"], "router": {"type": "fixed", "model": "good"}}
ASK = {"model": "p", "messages": [{"role": "user", "content": "Say hello."}]}


@asynccontextmanager
async def opened(path):
    """Open a gateway and a client of its application, on this event loop."""
    gateway = Gateway(path, {})
    await gateway.open()
    transport = httpx2.ASGITransport(create_app(gateway))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        gateway.client = client
        yield gateway
    await gateway.aclose()


@pytest.fixture
async def gateway(tmp_path, upstream):
    """Return an open gateway and a client of its application."""
    async with opened(write_config(tmp_path, upstream.url, {"p": POLICY})) as gateway:
        yield gateway


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


@asynccontextmanager
async def watched(gateway):
    """Have the gateway's files watched."""
    watcher = asyncio.ensure_future(watch_files(gateway))
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)


async def comes_to_be_served_by(gateway, model):
    """Tell whether a model comes to serve within five seconds."""
    for _ in range(100):
        if await served_by(gateway) == model:
            return True
        await asyncio.sleep(0.05)
    return False


async def comes_to_be_refused(caplog, word):
    """Tell whether a configuration comes to be refused within five seconds for a reason that has the word."""
    for _ in range(100):
        if any(word in getattr(record, "reason", "") for record in caplog.records):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_changed_file_is_noticed(gateway):
    """Saving a policy is enough."""
    async with watched(gateway):
        change(gateway, "model: good", "model: other")
        assert await comes_to_be_served_by(gateway, "other")


async def test_a_changed_file_is_noticed_wherever_it_lies(tmp_path, upstream):
    """Nothing is left out that lies below folders in which editors and package managers keep theirs."""
    folder = tmp_path / "node_modules" / ".venv"
    folder.mkdir(parents=True)
    async with opened(write_config(folder, upstream.url, {"p": POLICY})) as gateway, watched(gateway):
        change(gateway, "model: good", "model: other")
        assert await comes_to_be_served_by(gateway, "other")


def mounted(folder, written):
    """Lay out files as the kubelet mounts a ConfigMap: links to `..data`, itself a link; return the gateway's."""
    (folder / "..data").symlink_to(written.relative_to(folder))
    for path in written.iterdir():
        (folder / path.name).symlink_to(f"..data/{path.name}")
    return folder / "gateway.yaml"


def update(folder, name, old, new, *, leave):
    """Update a mounted ConfigMap: write all to another folder, swap `..data`, and remove the folder before."""
    before = (folder / "..data").resolve()
    shutil.copytree(before, folder / name)
    policy = folder / name / "p.yaml"
    policy.write_text(policy.read_text().replace(old, new))
    (folder / "..data_tmp").symlink_to(name)
    (folder / "..data_tmp").rename(folder / "..data")
    if not leave:
        shutil.rmtree(before)


@pytest.mark.parametrize("leave", [False, True])
async def test_each_update_of_a_config_map_is_taken(tmp_path, upstream, caplog, leave):
    """Of a bad one nothing is, and the one after it is; whether the folder before is gone at once or not."""
    (tmp_path / "..1").mkdir()
    write_config(tmp_path / "..1", upstream.url, {"p": POLICY}, store={"path": str(tmp_path / "log.db")})
    async with opened(mounted(tmp_path, tmp_path / "..1")) as gateway, watched(gateway):
        assert "good" == await served_by(gateway)
        update(tmp_path, "..2", "model: good", "model: other", leave=leave)
        assert await comes_to_be_served_by(gateway, "other")
        update(tmp_path, "..3", "model: other", "model: good", leave=leave)
        assert await comes_to_be_served_by(gateway, "good")
        update(tmp_path, "..4", "model: good", "modle: other", leave=leave)
        assert await comes_to_be_refused(caplog, "modle")
        assert "good" == await served_by(gateway)
        update(tmp_path, "..5", "modle: other", "model: other", leave=leave)
        assert await comes_to_be_served_by(gateway, "other")


def test_the_command_takes_each_update_of_a_config_map(tmp_path, upstream):
    """`pointsman serve` follows the links anew."""
    (tmp_path / "..1").mkdir()
    write_config(tmp_path / "..1", upstream.url, {"p": POLICY}, store={"path": str(tmp_path / "log.db")})
    with started(mounted(tmp_path, tmp_path / "..1")) as process:

        def served_by(model):
            answer = httpx2.post(f"{process.url}/v1/chat/completions", json=ASK)
            return answer.headers["x-pointsman-model"] == model

        assert served_by("good")
        update(tmp_path, "..2", "model: good", "model: other", leave=False)
        until(lambda: served_by("other"))
        update(tmp_path, "..3", "model: other", "model: good", leave=False)
        until(lambda: served_by("good"))


async def test_learned_state_is_noticed_whose_folders_are_not_there_yet(tmp_path, upstream):
    """Not even the one above the state's own."""
    policy = {"pool": ["good", "other"], "router": {"type": "ema"}, "state": "learned/by/ema"}
    async with opened(write_config(tmp_path, upstream.url, {"p": policy})) as gateway, watched(gateway):
        before = gateway.runtime
        (tmp_path / "learned").mkdir()
        await asyncio.sleep(0.5)
        build_router({"type": "ema"}).save(tmp_path / "learned" / "by" / "ema")
        for _ in range(100):
            if gateway.runtime is not before:
                break
            await asyncio.sleep(0.05)
        assert gateway.runtime is not before
