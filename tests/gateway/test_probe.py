from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from gateway.probe import URL, main, problem
from tests.pages import ROOT


def answered(serve):
    return serve({"auto": {"pool": ["good"], "router": {"type": "random"}}}).url


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/metrics"])
def test_a_gateway_that_answers_200_is_good(serve, path):
    """Nothing is said."""
    assert problem(answered(serve) + path) is None


def test_another_status_is_told(serve):
    """With the address, so that a log says who was asked."""
    url = answered(serve)

    assert f"{url}/nowhere: 404 Not Found" == problem(f"{url}/nowhere")
    assert f"probe: {url}/nowhere: 404 Not Found" == main([f"{url}/nowhere"])


def test_nobody_there_is_told():
    """A port that nobody listens at refuses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert "refused" in problem(f"http://127.0.0.1:{port}/readyz")


def test_silence_is_told_in_time():
    """A gateway that accepts and says nothing hangs."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/readyz"

        assert f"{url}: timed out" == problem(url, timeout_s=0.2)


def test_an_answer_that_is_none_is_told():
    """Whoever listens there speaks no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"220 mail\r\n")

        speaker = threading.Thread(target=speak)
        speaker.start()
        found = problem(f"http://127.0.0.1:{server.getsockname()[1]}/readyz")
        speaker.join()

    assert "220 mail" in found


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://127.0.0.1/readyz", f"'https://127.0.0.1/readyz' is no http:// address; the default is {URL}"),
        ("readyz", f"'readyz' is no http:// address; the default is {URL}"),
        ("http://127.0.0.1:port/", "'http://127.0.0.1:port/' is no address: "),
        ("http://[::1/", "'http://[::1/' is no address: "),
        ("http://127.0.0.1/a b", "http://127.0.0.1/a b: URL can't contain control characters"),
    ],
)
def test_a_wrong_address_is_told(url, said):
    """And nobody is asked."""
    assert problem(url).startswith(said)


def test_one_address_at_most():
    """A second one would be taken for asked."""
    assert f"probe: give one address, not 2; without any it is {URL}" == main([URL, URL])


def test_it_imports_nothing_heavy(serve):
    """It runs every few seconds: the standard library is all that it loads, and its status says what it found."""
    url = f"{answered(serve)}/readyz"
    code = f"""
import runpy, sys
before = {{name.partition(".")[0] for name in sys.modules}}
sys.argv = ["probe", {url!r}]
try:
    runpy.run_module("gateway.probe", run_name="__main__")
except SystemExit as ended:
    assert ended.code is None, ended.code
print(sorted({{name.partition(".")[0] for name in sys.modules}} - before - sys.stdlib_module_names))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    alone = subprocess.run(
        [sys.executable, "-m", "gateway.probe", url], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )

    assert ("['gateway']\n", "") == (ended.stdout, ended.stderr)
    assert (0, "", "") == (alone.returncode, alone.stdout, alone.stderr)
