"""Whatever a request or an answer holds, nobody but the configured endpoints is called."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml

from gateway.app import create_app
from gateway.application import Gateway
from providers.local import LocalModel, LocalServer
from tests.upstream import completion, running
from tests.wire import playing, whole

HELLO = [{"role": "user", "content": "hi"}]
ANSWER = whole(json.dumps(completion("m")).encode())


@pytest.fixture
def trap():
    """Serve what must never be called; whoever connects is noted."""
    with playing({}) as wire:
        yield wire
        assert [] == wire.heads


def start(folder, url: str):
    """Serve a gateway before one endpoint."""
    config = {
        "providers": {"up": {"vendor": "openai-compatible", "base_url": url, "api_key": "k"}},
        "models": {"m": {"provider": "up"}},
        "store": {"type": "memory"},
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    return running(create_app(Gateway(folder / "gateway.yaml", {})))


def parts_of(url: str) -> list[dict[str, object]]:
    """Return parts of a message that name an address."""
    return [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "image_url", "image_url": url},
        {"type": "input_audio", "input_audio": {"data": url, "format": "wav"}},
        {"type": "file", "file": {"file_data": url, "file_id": url, "filename": url}},
        {"type": "text", "text": f"see {url}"},
    ]


def test_addresses_in_a_request_are_not_followed(trap, tmp_path):
    """They go to the endpoint as they came; what it does with them is its own business."""
    url = f"{trap.url}/cat.png"
    members = {
        "base_url": trap.url,
        "api_base": trap.url,
        "endpoint": trap.url,
        "proxy": trap.url,
        "metadata": {"callback_url": url},
        "tools": [{"type": "mcp", "server_url": trap.url}],
        "web_search_options": {"url": url},
        "extra_body": {"base_url": trap.url},
        "user": url,
    }
    headers = {
        "x-base-url": trap.url,
        "x-forwarded-host": urlsplit(trap.url).netloc,
        "forwarded": f"host={urlsplit(trap.url).netloc}",
        "x-original-url": url,
        "openai-base-url": trap.url,
        "referer": url,
    }
    body = {"model": "m", "messages": [{"role": "user", "content": parts_of(url)}], **members}
    with playing({"m": ANSWER}) as upstream, start(tmp_path, upstream.url) as address:
        answer = httpx2.post(f"{address}/v1/chat/completions", json=body, headers=headers)

        assert 200 == answer.status_code
        assert 1 == upstream.calls["m"]
        assert not any(name in upstream.heads[0].lower() for name in (b"forwarded", b"referer", b"x-base-url"))


@pytest.mark.parametrize(
    "target", ["/v1/chat/completions", "http://{trap}/v1/chat/completions", "//{trap}/v1/chat/completions"]
)
def test_the_target_and_the_host_of_a_request_lead_nowhere_else(trap, tmp_path, target):
    """Not a `Host` header, nor a target with an authority, as proxies get them."""
    elsewhere = urlsplit(trap.url).netloc
    body = json.dumps({"model": "m", "messages": HELLO}).encode()
    with playing({"m": ANSWER}) as upstream, start(tmp_path, upstream.url) as address:
        where = urlsplit(address)
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            lines = [f"POST {target.format(trap=elsewhere)} HTTP/1.1", f"host: {elsewhere}", "connection: close"]
            head = "\r\n".join([*lines, f"content-length: {len(body)}", "", ""])
            connection.sendall(head.encode() + body)
            told = b"".join(iter(lambda: connection.recv(65_536), b""))

        assert told[9:12] in (b"200", b"404")
        assert elsewhere.encode() not in b"".join(upstream.heads)


def test_no_tunnel_is_made(trap, tmp_path):
    """The gateway is no proxy."""
    elsewhere = urlsplit(trap.url).netloc
    with start(tmp_path, trap.url) as address:
        where = urlsplit(address)
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.sendall(
                f"CONNECT {elsewhere} HTTP/1.1\r\nhost: {elsewhere}\r\nconnection: close\r\n\r\n".encode()
            )
            connection.settimeout(2)
            told = connection.recv(65_536)

    assert not told.startswith(b"HTTP/1.1 2")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(trap, tmp_path, status):
    """An endpoint that points elsewhere is misconfigured; prompts and keys stay here."""
    moved = whole(b"", status=f"{status} Moved\r\nlocation: {trap.url}/chat/completions")
    with playing({"m": moved}) as upstream, start(tmp_path, upstream.url) as address:
        answer = httpx2.post(f"{address}/v1/chat/completions", json={"model": "m", "messages": HELLO})

        assert (502, "false") == (answer.status_code, answer.headers["x-should-retry"])
        assert trap.url not in answer.text + str(answer.headers)
        assert 1 == upstream.calls["m"]


def test_proxies_of_the_environment_are_not_used(trap, tmp_path, monkeypatch):
    """A variable that some other program wants must not send prompts and keys to a host that nobody configured."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, trap.url.removesuffix("/v1"))
        monkeypatch.setenv(name.upper(), trap.url.removesuffix("/v1"))
    # Addresses of this machine are exempt by default: this one is spelt unlike those.
    with playing({"m": ANSWER}, host="127.0.0.2") as upstream, start(tmp_path, upstream.url) as address:
        with httpx2.Client(trust_env=False) as client:
            answer = client.post(f"{address}/v1/chat/completions", json={"model": "m", "messages": HELLO})

        assert 200 == answer.status_code
        assert 1 == upstream.calls["m"]


@pytest.mark.local
async def test_local_models_fetch_nothing(trap):
    """llama.cpp's server could fetch images; ours have no eyes and no ears, and refuse before they look."""
    server = LocalServer(LocalModel("smollm2-135m-instruct", parallel=1))
    try:
        url = f"{await server.start()}/chat/completions"
        async with httpx2.AsyncClient(timeout=60, headers={"connection": "close"}, trust_env=False) as client:
            for part in parts_of(f"{trap.url}/cat.png")[:4]:
                body = {"model": "any", "messages": [{"role": "user", "content": [part]}], "max_tokens": 1}
                assert (await client.post(url, json=body)).is_error
    finally:
        await server.aclose()
