"""A failed backend is not the client's problem while another one lives."""

from __future__ import annotations

import time

import httpx2
import pytest

from tests.upstream import WORDS

ASK = {"messages": [{"role": "user", "content": "Say hello."}]}


def only(model: str, *fallback: str, **limits: float):
    """Return a policy that prefers one model, with others behind it."""
    pool = [model, *fallback]
    return {"pool": pool, "router": {"type": "fixed", "model": model}, "fallback": list(fallback), "limits": limits}


def ask(running, model: str, **fields):
    return httpx2.post(f"{running.url}/v1/chat/completions", json={"model": model, **ASK, **fields}, timeout=20)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("away", "connect_failed"),
        ("status-429", "rate_limited"),
        ("status-500", "upstream_error"),
        ("status-503", "overloaded"),
        ("status-529", "overloaded"),
        ("status-401", "provider_misconfigured"),
        ("status-404", "provider_misconfigured"),
        ("garbage", "upstream_error"),
        ("too-long", "context_length_exceeded"),
        ("no-images", "unsupported_input"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_moves_on_to_the_next_candidate(serve, bad, error, stream):
    """Whatever fails before the first byte, the next candidate answers, and both attempts are logged."""
    running = serve({"p": only(bad, "good")})

    response = ask(running, "p", stream=stream)

    # What is no answer may be a connection's doing: the same is asked once more.
    failures = [(bad, error)] * (2 if bad == "garbage" else 1)
    assert (200, "good", str(len(failures) + 1)) == (
        response.status_code,
        response.headers["x-pointsman-model"],
        response.headers["x-pointsman-attempts"],
    )
    (logged,) = running.logged()
    assert (bad, "good") == (logged.decision.chosen, logged.outcome.served_by)
    assert [*failures, ("good", None)] == [(a.model, a.error) for a in logged.outcome.attempts]


def test_an_error_in_band_moves_on_before_the_first_event(serve):
    """A stream that begins with an error has not begun."""
    running = serve({"p": only("in-band", "good")})

    response = ask(running, "p", stream=True)

    assert "".join(WORDS)[:5] in response.text
    assert "error" not in response.text


def test_a_stream_of_nothing_is_no_answer(serve):
    """Saying `[DONE]` at once is not answering: the next candidate is asked."""
    running = serve({"p": only("only-done", "good")})

    assert "good" == ask(running, "p", stream=True).headers["x-pointsman-model"]


def test_a_stream_that_does_not_begin_in_time_moves_on(serve):
    """The time to the first event is limited for each attempt."""
    running = serve({"p": only("mute", "good", ttft_s=0.3)})

    response = ask(running, "p", stream=True)

    assert (200, "good") == (response.status_code, response.headers["x-pointsman-model"])
    assert ["timeout", None] == [attempt.error for attempt in running.logged()[0].outcome.attempts]


def test_a_request_at_fault_is_not_repeated(serve, upstream):
    """A 400 would be one anywhere: it is answered at once."""
    running = serve({"p": only("status-400", "good")})

    response = ask(running, "p")

    assert (400, "upstream says 400", "upstream_code") == (
        response.status_code,
        response.json()["error"]["message"],
        response.json()["error"]["code"],
    )
    assert 1 == sum(upstream.calls.values())


def test_a_prompt_that_is_too_long_goes_to_larger_windows_only(serve, upstream):
    """A candidate with the same window is not asked; when none is larger, the client is told why."""
    models = {
        "small": {"provider": "up", "name": "too-long+a", "context_window": 10},
        "same": {"provider": "up", "name": "too-long+b", "context_window": 10},
        "large": {"provider": "up", "name": "good", "context_window": 1000},
    }
    providers = {"up": {"vendor": "openai-compatible", "base_url": upstream.url}}
    running = serve(
        {"p": only("small", "same", "large"), "q": only("small", "same")}, models=models, providers=providers
    )

    assert "large" == ask(running, "p").headers["x-pointsman-model"]
    refused = ask(running, "q")
    assert (400, "context_length_exceeded") == (refused.status_code, refused.json()["error"]["code"])
    assert 0 == upstream.calls["too-long+b"]


def test_an_image_that_no_model_takes_is_the_requests_fault(serve):
    """The client gets a 400 and is told not to repeat it; the models do not rest for it."""
    running = serve({"p": only("no-images")})

    refused = ask(running, "p")

    assert (400, "unsupported_input", "invalid_request_error") == (
        refused.status_code,
        refused.json()["error"]["code"],
        refused.json()["error"]["type"],
    )
    assert "false" == refused.headers["x-should-retry"]
    assert 0 == running.gateway._fleet.condition("no-images@up").breaker.blocked_s(time.monotonic())


def test_the_last_failure_is_told_when_all_fail(serve):
    """Connection refused everywhere is a 502 that names no secret; the log holds every attempt."""
    running = serve({"p": only("status-500", "away", repeats=0)})

    response = ask(running, "p")

    assert (502, "connect_failed") == (response.status_code, response.json()["error"]["code"])
    (logged,) = running.logged()
    assert (502, "connect_failed", None, 2) == (
        logged.outcome.status,
        logged.outcome.error,
        logged.outcome.served_by,
        len(logged.outcome.attempts),
    )


def test_a_model_that_failed_rests(serve, upstream):
    """The next request does not even try it: resting models are no candidates, so propensities stay true."""
    running = serve({"p": {"pool": ["status-429", "good"], "router": {"type": "random"}}})
    while not upstream.calls["status+429"]:
        ask(running, "p")
    ask(running, "p")

    assert {"good": 1.0} == running.logged()[-1].decision.propensities


def test_an_overloaded_model_rests_as_long_as_it_asks(serve):
    """`retry-after` counts with any failure that may pass, and reaches the client when nobody else is left."""
    running = serve({"p": only("status-503", "good")})
    ask(running, "p")
    direct = ask(running, "status-503")

    assert "2" == direct.headers["retry-after"]
    assert running.gateway._fleet.condition("status-503@up").breaker.blocked_s(time.monotonic() + 1) > 0


def test_a_streams_time_counts_from_the_requests_beginning(serve):
    """Attempts that failed, and the wait for the first event, are part of the whole."""
    running = serve({"p": only("slow", timeout_s=0.6)})
    began = time.monotonic()

    text = ask(running, "p", stream=True).text

    assert time.monotonic() - began < 2
    assert '"code": "timeout"' in text.splitlines()[-2]


def test_a_whole_request_has_one_time_limit(serve):
    """All attempts together end at the policy's time limit, with 504."""
    running = serve({"p": only("slow", timeout_s=0.3)})

    response = ask(running, "p")

    assert (504, "timeout") == (response.status_code, response.json()["error"]["code"])
    assert 504 == running.logged()[0].outcome.status


def test_an_endpoint_that_let_a_requests_time_pass_rests(serve):
    """The next request does not wait for it, too."""
    running = serve({"p": only("slow", "good", timeout_s=0.3)})

    assert 504 == ask(running, "p").status_code
    again = ask(running, "p")

    assert (200, "good") == (again.status_code, again.headers["x-pointsman-model"])
    assert [["timeout"], [None]] == [[one.error for one in logged.outcome.attempts] for logged in running.logged()]


@pytest.mark.parametrize("stream", [False, True])
def test_who_wants_an_answer_too_soon_spoils_no_endpoint_for_others(serve, stream):
    """An endpoint is not at fault that had less time than the configuration gives it."""
    running = serve({"p": only("slow")})

    for _ in range(5):
        hasty = httpx2.post(
            f"{running.url}/v1/chat/completions",
            json={"model": "p", "stream": stream, **ASK},
            headers={"x-pointsman-max-latency-s": "0.1"},
            timeout=20,
        )
        assert "timeout" in hasty.text

    assert 0 == running.gateway._fleet.condition("slow@up").breaker.blocked_s(time.monotonic())
    assert {"timeout"} == {logged.outcome.attempts[-1].error for logged in running.logged()}


def test_a_refused_key_is_never_told_as_a_limit(serve):
    """Nobody has asked to be left alone: clients are not to come back for it as for a limit."""
    running = serve({"p": only("status-401")})

    first, second = ask(running, "p"), ask(running, "p")

    assert "provider_misconfigured" == first.json()["error"]["code"]
    assert (503, "resting") == (second.status_code, second.json()["error"]["code"])


def test_a_models_own_name_has_no_fallback(serve):
    """Who asks for one model gets that one or an error, never another's answer."""
    running = serve({"p": only("good")})

    assert 502 == ask(running, "away").status_code
