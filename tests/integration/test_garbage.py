"""What a request is made of is gone with its answer: nothing is left for Python's search for garbage."""

import gc
import http.client
import json
from collections import Counter
from urllib.parse import urlsplit

import pytest

from gateway.config.models import ServerConfig
from gateway.connections import bounded

#: Requests on one connection, and how many of them may be there at the end: connections have the last one yet.
REQUESTS, LAST = 20, 3
#: What a request is made of, among other things.
PARTS = ("RequestResponseCycle", "Wire", "Completion", "Exchange", "ChatRequest")


def alive():
    """Count the parts of requests that are not gone."""
    kinds = Counter(type(one).__name__ for one in gc.get_objects())
    return Counter({name: kinds[name] for name in PARTS})


@pytest.fixture
def no_search():
    """Have nobody look for garbage."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("no_search")
def test_a_request_leaves_no_garbage(serve, stream):
    """Memory that only a search gives back is in no cache when it is used again, and each search stops all streams."""
    running = serve(http=bounded(ServerConfig()))
    client = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=30)
    body = json.dumps({"model": "good", "stream": stream, "messages": [{"role": "user", "content": "Say hello."}]})
    before = alive()
    for _ in range(REQUESTS):
        client.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        answer = client.getresponse()
        answer.read()
        assert 200 == answer.status
    client.close()
    running.logged()

    assert {name: more for name, more in (alive() - before).items() if more > LAST} == {}
