"""What the log says that answers cost is what the endpoints charged for them."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import httpx2
import pytest

from gateway.config.models import PriceConfig
from gateway.pricing import flat
from gateway.signals.tokens import estimate_tokens
from providers.types import Usage
from tests.upstream import WORDS

ASK = {"messages": [{"role": "user", "content": "Say hello."}]}
PRICE = {"input": 1, "output": 2, "cached_input": "0.5", "cache_write": "1.25", "audio_input": 7, "audio_output": 9}


def ask(running, model, **fields):
    return httpx2.post(f"{running.url}/v1/chat/completions", json={"model": model, **ASK, **fields}, timeout=20)


def shape(rng: random.Random) -> dict:
    """Return some usage: prompt and completion of parts that do not overlap."""
    cached, written, heard, text, spoken, thought, said = (rng.randrange(3000) for _ in range(7))
    return {
        "prompt_tokens": cached + written + heard + text,
        "completion_tokens": spoken + thought + said,
        "total_tokens": cached + written + heard + text + spoken + thought + said,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": heard},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": spoken},
    }


def nanos(usage: dict) -> int:
    """Return what an endpoint with these prices charges, in nano-dollars."""
    into, out = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    text = usage["prompt_tokens"] - sum(into.values())
    cost = text * 1000 + into["cached_tokens"] * 500 + into["cache_write_tokens"] * 1250 + into["audio_tokens"] * 7000
    return cost + (usage["completion_tokens"] - out["audio_tokens"]) * 2000 + out["audio_tokens"] * 9000


def test_the_log_adds_up_to_what_was_charged(serve, upstream):
    """To the token, and to the nano-dollar, streamed and whole; the metrics say the same."""
    upstream.billed.clear()
    provider = {"vendor": "openai-compatible", "base_url": upstream.url}
    running = serve(models={"counts": {"provider": "up", "price": PRICE}}, providers={"up": provider})
    rng = random.Random(0)
    for number in range(24):
        assert 200 == ask(running, "counts", play=shape(rng), stream=number % 2 == 0).status_code

    outcomes = [logged.outcome for logged in running.logged()]

    assert 24 == len(upstream.billed) == len(outcomes)
    assert sum(map(nanos, upstream.billed)) == sum(one.cost_usd for one in outcomes) * 10**9
    assert {"priced"} == {one.cost_source for one in outcomes}
    counted: Counter[str] = Counter()
    for usage in upstream.billed:
        counted += Counter(
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            **usage["prompt_tokens_details"],
        )
        counted["reasoning_tokens"] += usage["completion_tokens_details"]["reasoning_tokens"]
        counted["audio_completion_tokens"] += usage["completion_tokens_details"]["audio_tokens"]
    counted["audio_prompt_tokens"] = counted.pop("audio_tokens")
    assert dict(counted) == {name: sum(getattr(one, name) for one in outcomes) for name in counted}
    spent = running.gateway.metrics.cost_usd.labels("counts").value
    assert pytest.approx(float(sum(one.cost_usd for one in outcomes))) == spent


@pytest.mark.parametrize("stream", [False, True])
def test_the_endpoints_own_cost_goes_first(serve, upstream, stream):
    """Whatever our price would make of the tokens."""
    provider = {"vendor": "openai-compatible", "base_url": upstream.url}
    models = {"counts": {"provider": "up", "price": PRICE}}
    running = serve(models=models, providers={"up": provider})

    response = ask(running, "counts", play={"prompt_tokens": 9, "completion_tokens": 1, "cost": 0.0123}, stream=stream)

    (logged,) = running.logged()
    assert (Decimal("0.0123"), "reported") == (logged.outcome.cost_usd, logged.outcome.cost_source)
    if not stream:
        assert ("0.0123", "reported") == tuple(
            response.headers[f"x-pointsman-cost-{name}"] for name in ("usd", "source")
        )


def expected(text: str, prompt_tokens: int) -> Decimal:
    tariff = flat(PriceConfig(input=1, output=2, cached_input=Decimal("0.5")))
    return tariff.cost_usd(Usage(prompt_tokens, -int(-estimate_tokens(text) // 1)))


def test_an_endpoint_that_does_not_count_is_charged_by_estimate(serve):
    """The header says so, the log and the metrics too; its own counts stay unknown."""
    running = serve()

    response = ask(running, "no-usage")

    (logged,) = running.logged()
    cost = expected("".join(WORDS), int(logged.decision.features["prompt_tokens"]))
    outcome = logged.outcome
    assert cost > 0
    assert (cost, "estimated", None, None) == (
        outcome.cost_usd,
        outcome.cost_source,
        outcome.prompt_tokens,
        outcome.completion_tokens,
    )
    assert (f"{cost:f}", "estimated") == tuple(
        response.headers[f"x-pointsman-cost-{name}"] for name in ("usd", "source")
    )
    assert float(cost) == running.gateway.metrics.estimated_cost_usd.labels("no-usage").value


def test_a_stream_that_breaks_is_charged_for_what_came(serve):
    """It has no usage, and was not free."""
    running = serve()

    assert "upstream_error" in ask(running, "breaks", stream=True).text

    (logged,) = running.logged()
    cost = expected("Hello", int(logged.decision.features["prompt_tokens"]))
    assert (cost, "estimated") == (logged.outcome.cost_usd, logged.outcome.cost_source)


def test_a_client_that_leaves_is_charged_for_what_came(serve):
    """After three events: at least those three, and by far not the whole answer."""
    running = serve()
    body = {"model": "slow", **ASK, "stream": True}
    with httpx2.stream("POST", f"{running.url}/v1/chat/completions", json=body, timeout=20) as response:
        lines = (line for line in response.iter_lines() if line)
        for _ in range(3):
            next(lines)
    while not running.logged() or running.logged()[0].outcome is None:
        pass

    (logged,) = running.logged()
    prompt_tokens = int(logged.decision.features["prompt_tokens"])
    assert (499, "estimated") == (logged.outcome.status, logged.outcome.cost_source)
    assert expected("".join(WORDS[:3]), prompt_tokens) <= logged.outcome.cost_usd
    assert logged.outcome.cost_usd < expected("".join(WORDS * 20), prompt_tokens)


def test_what_never_answered_costs_nothing(serve):
    """An attempt that failed before its first event is not charged: the answer costs what the second one did."""
    policy = {"pool": ["in-band", "good"], "router": {"type": "fixed", "model": "in-band"}, "fallback": ["good"]}
    running = serve({"p": policy})

    ask(running, "p", stream=True)
    ask(running, "status-500")

    first, second = (logged.outcome for logged in running.logged())
    assert (Decimal("0.000022"), "priced", 2) == (first.cost_usd, first.cost_source, len(first.attempts))
    assert (None, None) == (second.cost_usd, second.cost_source)


def test_without_a_price_the_cost_is_unknown(serve):
    """And said to be: no source, no zero."""
    running = serve()

    response = ask(running, "unpriced")

    assert "unknown" == response.headers["x-pointsman-cost-usd"]
    assert "x-pointsman-cost-source" not in response.headers
    assert (None, None) == (running.logged()[0].outcome.cost_usd, running.logged()[0].outcome.cost_source)
    assert 1 == running.gateway.metrics.unpriced.labels("unpriced").value
