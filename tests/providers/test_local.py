"""Local models: real ones, in processes of their own, that are watched."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx2
import pytest

from providers.local import LocalError, LocalModel, LocalServer
from providers.weights import PACKAGED_WEIGHTS

SMOLLM2 = "smollm2-135m-instruct"
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def client():
    """Open a connection for each request, for llama.cpp closes them after a stream."""
    async with httpx2.AsyncClient(timeout=60, headers={"connection": "close"}) as client:
        yield client


@pytest.fixture
async def server():
    """Serve SmolLM2."""
    server = LocalServer(LocalModel(SMOLLM2, parallel=2))
    await server.start()
    yield server
    await server.aclose()


def question(text="What is the capital of Italy?", **members):
    """Return a chat completion request."""
    return {"model": "any", "messages": [{"role": "user", "content": text}], "temperature": 0, **members}


async def until(condition, within_s):
    """Wait until the condition holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.02)


def is_running(pid):
    """Tell whether a process runs; one that ended and was not yet asked for its status does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_answers_bear_the_name_of_the_weights():
    """The name says which weights they are, and no path leaks."""
    assert [SMOLLM2, "tiny"] == [LocalModel(SMOLLM2).alias, LocalModel("/var/models/tiny.gguf").alias]


def test_packaged_template_and_stops_apply_unless_replaced():
    """A base model gets its completion template; the user's own wins."""
    own = LocalModel("gemma3-270m", chat_template="{{ messages }}", stop=("END",)).settings(Path("x"), 0)
    packaged = LocalModel("gemma3-270m").settings(Path("x"), 0)

    assert ("{{ messages }}", ["END"]) == (own["chat_template"], own["stop"])
    assert packaged["chat_template"].endswith("{{ 'Answer:' if add_generation_prompt }}")
    assert list(PACKAGED_WEIGHTS["gemma3-270m"].stop) == packaged["stop"]


def test_weights_by_path_keep_their_own_template():
    """A GGUF file of the user's is served with the template in it."""
    settings = LocalModel("/var/models/tiny.gguf").settings(Path("x"), 0)

    assert (None, []) == (settings["chat_template"], settings["stop"])


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


@pytest.mark.local
@pytest.mark.parametrize("weights", sorted(PACKAGED_WEIGHTS))
async def test_tools_make_the_round_trip_and_schemas_hold(client, weights):
    """Each packaged model calls a function with fitting arguments, reads its result, and keeps to a JSON schema."""
    server = LocalServer(LocalModel(weights, parallel=1))
    url = f"{await server.start()}/chat/completions"
    ask = {"role": "user", "content": "What is the weather in Paris?"}

    async def answer(*messages, **members):
        body = {"model": "any", "messages": messages, "temperature": 0, "max_tokens": 64, **members}
        return (await client.post(url, json=body)).json()["choices"][0]["message"]

    called = await answer(ask, tools=TOOLS)
    (call,) = called["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny, 25 degrees"}
    told = await answer(ask, called, result, tools=TOOLS)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    extract = {"role": "user", "content": "Extract the city as JSON: We met in Paris last summer."}
    structured = await answer(
        extract, response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    )
    await server.aclose()

    assert ("get_weather", {"city": "Paris"}) == (call["function"]["name"], json.loads(call["function"]["arguments"]))
    assert "Paris" in told["content"]
    assert isinstance(json.loads(structured["content"])["city"], str)


async def test_missing_weights_fail_before_any_process_starts(tmp_path):
    """A path without a file is told at once."""
    server = LocalServer(LocalModel(str(tmp_path / "none.gguf")))

    with pytest.raises(LocalError, match=r"none\.gguf' are neither a file nor one of"):
        await server.start()

    assert server.pid is None


@pytest.mark.local
async def test_start_failure_tells_what_the_process_said(tmp_path):
    """A file that is no model: the error holds llama.cpp's own words, and no process is left."""
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF, but not really")
    server = LocalServer(LocalModel(str(path)))

    with pytest.raises(LocalError, match=r"(?s)'broken' did not start: .*status 1; it said:.*failed to load model"):
        await server.start()

    assert server.pid is None


@pytest.mark.local
async def test_start_has_a_time_limit():
    """A model that takes too long to load is given up."""
    server = LocalServer(LocalModel(SMOLLM2), start_timeout_s=0.01)

    with pytest.raises(LocalError, match=r"did not start within 0\.01 s"):
        await server.start()


@pytest.mark.local
async def test_answers_and_reports_usage(server, client):
    """A whole answer has text, usage and a reason for its end, and bears the weights' name."""
    response = await client.post(
        f"{server.base_url}/chat/completions", json=question("What is the capital of Japan?", max_tokens=24)
    )

    body = response.json()
    assert (200, SMOLLM2) == (response.status_code, body["model"])
    assert "Tokyo" in body["choices"][0]["message"]["content"]
    assert {"prompt_tokens", "completion_tokens"} <= body["usage"].keys()
    assert server.base_url.startswith("http://127.0.0.1:")


@pytest.mark.local
async def test_streams_and_ends_with_usage(server, client):
    """A stream comes in chunks; the last before the end holds the usage."""
    request = question(max_tokens=8, stream=True, stream_options={"include_usage": True})

    text = (await client.post(f"{server.base_url}/chat/completions", json=request)).text

    events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    usage = json.loads(events[-2])
    assert "[DONE]" == events[-1]
    assert ([], 8) == (usage["choices"], usage["usage"]["completion_tokens"])


@pytest.mark.local
async def test_refuses_too_long_prompt(server, client):
    """A prompt beyond the context is the request's fault, and recognisably so."""
    response = await client.post(f"{server.base_url}/chat/completions", json=question("word " * 3000))

    assert (400, "exceed_context_size_error") == (response.status_code, response.json()["error"]["type"])


@pytest.mark.local
async def test_keeps_to_a_json_schema(server, client):
    """A response format constrains the answer."""
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string", "maxLength": 20}},
        "required": ["capital"],
        "additionalProperties": False,
    }
    request = question(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}})

    response = await client.post(f"{server.base_url}/chat/completions", json=request)

    assert ["capital"] == list(json.loads(response.json()["choices"][0]["message"]["content"]))


@pytest.mark.local
async def test_serves_no_page_and_no_state_of_the_slots(server, client):
    """Nothing is offered that a gateway does not need."""
    root = server.base_url.removesuffix("/v1")

    statuses = [(await client.get(root + path)).status_code for path in ("/", "/slots", "/metrics")]

    assert [404, 501, 501] == statuses


@pytest.mark.local
async def test_process_that_is_killed_comes_back_at_the_same_address(server, client, caplog):
    """The model answers again where it did, from another process, and both events are logged."""
    url, pid = f"{server.base_url}/chat/completions", server.pid
    with caplog.at_level("INFO", "providers.local"):
        os.kill(pid, signal.SIGKILL)
        await until(lambda: server.pid not in (None, pid), within_s=20)

        response = await client.post(url, json=question(max_tokens=2))

    assert 200 == response.status_code
    assert ["local_model.died", "local_model.restarted"] == [record.message for record in caplog.records]


@pytest.mark.local
async def test_closing_ends_the_process():
    """After it was closed nothing runs, and closing again does no harm."""
    server = LocalServer(LocalModel(SMOLLM2))
    await server.start()
    pid = server.pid

    await server.aclose()
    await server.aclose()

    assert (None, False) == (server.pid, is_running(pid))


@pytest.mark.local
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the states of processes from /proc")
async def test_process_ends_when_its_parent_is_killed():
    """A gateway that is killed leaves no model behind, even in the middle of an answer."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("local_parent.py")), SMOLLM2),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    pid, base_url = (await parent.stdout.readline()).decode().split()
    async with httpx2.AsyncClient(timeout=30) as client:
        request = question("Tell me a long story.", stream=True, ignore_eos=True)
        async with client.stream("POST", f"{base_url}/chat/completions", json=request) as response:
            await anext(response.aiter_bytes())
            parent.kill()
            await parent.wait()
            await until(lambda: not is_running(pid), within_s=2)

    assert not is_running(pid)


@pytest.mark.local
async def test_base_model_answers_and_stops_even_with_stops_of_the_client(tmp_path, client):
    """Its template makes the base model answer, and end the answer itself where the request has its own stops."""
    server = LocalServer(LocalModel("gemma3-270m"), cache_folder=tmp_path)
    await server.start()
    request = question("Which category fits best: sports or cooking?\nThe goalkeeper saved a penalty.", stop=["@"])

    response = await client.post(f"{server.base_url}/chat/completions", json=request)
    await server.aclose()

    choice = response.json()["choices"][0]
    assert ("sports", "stop") == (choice["message"]["content"].strip(), choice["finish_reason"])
