"""Before a fault injector that grades its clients (PyPI: llmock), the gateway earns no bad mark in any scenario.

Each case has models of its own, by which the injector's faults and its journal are told apart: all run side by side,
most of them waiting.
"""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import httpx2
import openai
import pytest
import yaml
from llmock.chaos import ChaosSettings, StreamChaos
from llmock.main import create_app as create_mock
from llmock.ratelimit import LimitSettings
from llmock.scenarios import Delay, Fail, Match, Reply, SlowFirstToken, StreamFault, ToolCall
from llmock.verdict import judge

from gateway.app import create_app
from gateway.application import Gateway
from tests.upstream import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER = "One two three four five six seven."
HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
#: Marks that depend on the gateway alone. (That another model is asked instead of the same is for its users to say.)
BAD = {
    "retry_after_ignored",
    "retried_non_retryable",
    "retry_storm",
    "truncated_stream_accepted",
    "malformed_chunk_ignored",
    "no_read_timeout",
    "no_backoff",
}
KINDS: tuple[Literal["disconnect", "truncate", "malformed", "stall"], ...] = (
    "disconnect",
    "truncate",
    "malformed",
    "stall",
)
#: A single model, one with another behind it, and one with two endpoints.
SHAPES = ("single", "pair", "twin")
#: How many cases run at once, so that none takes too long because of the others.
AT_ONCE = 6


@dataclass(frozen=True)
class Played:
    """A case's policy, and the injector with this case's faults and requests only."""

    url: str
    policy: str
    inside: Any

    def queue(self, *faults: Any) -> None:
        """Let the injector fail; whatever does not fail is answered."""
        chosen = [replace(fault, match=replace(fault.match, model=f"{self.policy}-*")) for fault in faults]
        self.inside.scenarios.add(*chosen, Reply(text=ANSWER, times=None, match=Match(model=f"{self.policy}-*")))

    def records(self) -> list[Any]:
        found = [one for one in self.inside.journal.records() if one.model.startswith(f"{self.policy}-")]
        return sorted(found, key=lambda one: one.seq)

    def marks(self) -> list[tuple[str, str]]:
        return [(one.code, one.title) for one in judge(self.records()).findings]

    def client(self, retries: int = 2) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="k", timeout=25, max_retries=retries)

    def once(self, *, stream: bool = False, retries: int = 2, **fields: Any) -> str:
        """Return an answer's text; a stream's is whole only with its finish reason."""
        with self.client(retries) as ask:
            if not stream:
                answer = ask.chat.completions.create(model=self.policy, messages=HELLO, **fields)
                return answer.choices[0].message.content or ""
            text, finished = "", None
            for chunk in ask.chat.completions.create(model=self.policy, messages=HELLO, stream=True, **fields):
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    finished = choice.finish_reason or finished
        assert finished is not None, "a stream that ended without a finish reason was relayed as if whole"
        return text

    def patiently(self) -> str:
        """Return a streamed answer's text, asking again as an application does that was told of a broken one."""
        for pause_s in (0.2, 0.5, 1.0):
            try:
                return self.once(stream=True)
            except openai.APIStatusError:
                raise
            except openai.APIError:
                time.sleep(pause_s)
        return self.once(stream=True)


@dataclass(frozen=True)
class Case:
    """Who is asked, what is played, and whether also warnings about what is the policy's choice are out of place."""

    name: str
    shape: str
    play: Callable[[Played], None]
    strict: bool = False


def nothing(*, stream: bool) -> Callable[[Played], None]:
    """Ask the same many times over, which is no storm: each answer is read to its end."""

    def play(played: Played) -> None:
        played.queue()

        assert {ANSWER} == {played.once(stream=stream) for _ in range(12)}
        time.sleep(0.2)  # the injector notes an answer when its last byte is on its way
        assert [True] * 12 == [record.completed for record in played.records()]

    return play


def passing(status: int) -> Callable[[Played], None]:
    """Overcome a failure that passes, with or without a `retry-after`."""

    def play(played: Played) -> None:
        played.queue(Fail(status, retry_after=0.2 if status > 502 else None))
        assert ANSWER == played.once(stream=status % 2 == 0)

    return play


def several(played: Played) -> None:
    """Await each `retry-after`, to the fraction of a second."""
    played.queue(Fail(429, retry_after=1.2), Fail(503, retry_after=0.3), Fail(429, retry_after=0.2))
    assert ANSWER == played.once(stream=True, retries=4)


def long_wait(seconds: float) -> Callable[[Played], None]:
    """Keep nobody waiting for so long, and send nobody there meanwhile, whoever asks."""

    def play(played: Played) -> None:
        played.queue(Fail(429, retry_after=seconds, times=None))
        for _ in range(3):
            with pytest.raises(openai.RateLimitError) as caught:
                played.once(retries=0)
        assert seconds - 10 < float(caught.value.response.headers["retry-after"]) <= 1.1 * seconds + 1

    return play


def refused(status: int) -> Callable[[Played], None]:
    """Ask nothing again that is refused, neither the gateway nor the library."""

    def play(played: Played) -> None:
        played.queue(Fail(status, times=None))
        with pytest.raises(openai.APIStatusError):
            played.once()

    return play


def outage(status: int, retry_after: float | None = None) -> Callable[[Played], None]:
    """Let clients with the same question, each asking three times, be no storm."""

    def play(played: Played) -> None:
        played.queue(Fail(status, times=None, retry_after=retry_after))
        for _ in range(3):
            with pytest.raises(openai.APIStatusError):
                played.once()

    return play


def one_question(played: Played) -> None:
    """Tell one to wait: nobody else asks before that, however many come."""
    played.queue(Fail(429, retry_after=0.8))
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(played.once, retries=5)]
        time.sleep(0.3)
        answers += [pool.submit(played.once, retries=5) for _ in range(5)]

        assert {ANSWER} == {answer.result() for answer in answers}


def early(kind: Any, after: int) -> Callable[[Played], None]:
    """Mend a stream that fails before it says anything: the first chunk only names the role.

    What takes too long is not asked again at the same place: that is for the library to decide.
    """

    def play(played: Played) -> None:
        played.queue(StreamFault(kind, after_chunks=after, stall_seconds=2.0))
        assert ANSWER == played.once(stream=True, retries=1 if kind == "stall" else 0)

    return play


def late(kind: Any, after: int) -> Callable[[Played], None]:
    """Tell of a stream that fails in its middle: the library raises, the application asks again."""

    def play(played: Played) -> None:
        played.queue(StreamFault(kind, after_chunks=after, stall_seconds=2.0))
        with pytest.raises(openai.APIError):
            played.once(stream=True)
        time.sleep(0.2)

        assert ANSWER == played.patiently()

    return play


def slow(played: Played) -> None:
    """Wait for a first token, which is not waiting in a stall."""
    played.queue(Delay(0.5), SlowFirstToken(0.5))
    assert ANSWER == played.once(stream=True, retries=0)


def tools(played: Played) -> None:
    """Take a call of a tool that was cut for none."""
    call = Reply(tool_calls=(ToolCall("weather", {"city": "Longyearbyen, Svalbard"}),), times=2)
    played.queue(call, StreamFault("truncate", after_chunks=3))
    with pytest.raises(openai.APIError):
        played.once(stream=True, tools=[TOOL])

    assert "" == played.once(stream=True, tools=[TOOL])


def steering(played: Played) -> None:
    """Pass nothing on by which a client could steer the injector."""
    played.queue()
    body = {"model": played.policy, "messages": HELLO}
    headers = {"x-llmock-force-status": "500", "authorization": "Bearer mine"}
    with httpx2.Client() as ask:
        answer = ask.post(f"{played.url}/v1/chat/completions", json=body, headers=headers, timeout=20)

    assert 200 == answer.status_code


def cases() -> Iterator[Case]:
    """Yield all cases; those that wait longest first."""
    yield Case("outage-500", "single", outage(500))
    yield Case("outage-503", "pair", outage(503, 0.2))
    yield Case("outage-429", "single", outage(429, 0.1))
    for shape in SHAPES:
        yield Case("several", shape, several)
        for status in (408, 409, 429, 500, 502, 503, 504, 529):
            yield Case(f"passing-{status}", shape, passing(status))
        for status in (400, 401, 403, 404, 422, 451):
            yield Case(f"refused-{status}", shape, refused(status))
        for kind, after in [("stall", 1), *itertools.product(KINDS[:3], (0, 1))]:
            yield Case(f"early-{kind}-{after}", shape, early(kind, after))
    # Of a model with two endpoints the other may answer when asked again; that the first was is what is graded.
    for shape, kind, after in itertools.product(SHAPES[:2], KINDS, (2, 7)):
        yield Case(f"late-{kind}-{after}", shape, late(kind, after))
    for seconds in (30.0, 400.0):
        yield Case(f"wait-{seconds:g}", "single", long_wait(seconds))
    yield Case("one-question", "single", one_question)
    yield Case("nothing-whole", "single", nothing(stream=False), strict=True)
    yield Case("nothing-streamed", "single", nothing(stream=True), strict=True)
    yield Case("slow", "single", slow, strict=True)
    yield Case("tools", "single", tools)
    yield Case("steering", "single", steering, strict=True)


CASES = {f"{case.shape}-{case.name}": case for case in cases()}


def write_config(folder, url: str):
    """Write a policy for each case, with models of its own."""
    paths = {"a": "/v1", "b": "/groq/openai/v1"}
    providers = {
        name: {"vendor": "openai-compatible", "base_url": f"{url}{path}", "api_key": "k"}
        for name, path in paths.items()
    }
    models: dict[str, Any] = {}
    for policy, case in CASES.items():
        where = {"endpoints": [{"provider": "a"}, {"provider": "b"}]} if case.shape == "twin" else {"provider": "a"}
        pool = [f"{policy}-1", f"{policy}-2"] if case.shape == "pair" else [f"{policy}-1"]
        models |= dict.fromkeys(pool, where)
        written = {
            "name": policy,
            "pool": pool,
            "router": {"type": "fixed", "model": pool[0]},
            "fallback": pool[1:],
            "limits": {"gap_s": 0.9, "timeout_s": 3.0},
        }
        (folder / f"{policy}.yaml").write_text(yaml.safe_dump(written))
    config = {
        "providers": providers,
        "models": models,
        "store": {"type": "memory"},
        "policies": [f"{policy}.yaml" for policy in CASES],
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    return folder / "gateway.yaml"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Play all cases side by side; yield how each ended."""
    # Paced like a model: who hangs up at once must be seen to, before everything has been sent.
    mock = create_mock(ChaosSettings(), limits=LimitSettings(), stream_chaos=StreamChaos(chunk_delay_ms=15))
    with running(mock) as injector:
        path = write_config(tmp_path_factory.mktemp("llmock"), injector)
        with running(create_app(Gateway(path, {}))) as url, ThreadPoolExecutor(AT_ONCE) as pool:
            played = {policy: Played(url, policy, mock.state.llmock) for policy in CASES}
            ended = {policy: pool.submit(CASES[policy].play, played[policy]) for policy in CASES}
            yield played, ended
            for future in ended.values():
                future.cancel()


@pytest.mark.parametrize("policy", CASES)
def test_no_bad_mark_is_earned(outcomes, policy):
    """The client gets what it should, and the injector finds nothing to blame."""
    played, ended = outcomes
    ended[policy].result(timeout=60)
    time.sleep(0.01)  # the injector notes an answer when its last byte is on its way

    assert [] == [mark for mark in played[policy].marks() if CASES[policy].strict or mark[0] in BAD]
