"""Models at an effort, through a whole gateway: what endpoints get, what the log and the client see."""

from __future__ import annotations

from decimal import Decimal

import httpx2
import openai
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from tests.conftest import Running, write_config
from tests.upstream import running

PRICE = {"input": 1, "output": 2}
ASK = {"model": "p", "messages": [{"role": "user", "content": "What is 6 times 7?"}]}


@pytest.fixture
def start(serve, played):
    def start(pool, provider=None, model=None, **policy):
        known = played.sections("large", "small")
        known["providers"]["up"] |= provider or {}
        known["models"]["large"] |= model or {}
        router = {"type": "fixed", "model": pool[0]}
        return serve({"p": {"pool": pool, "router": router, **policy}}, **known)

    return start


def ask(gateway, **more):
    return httpx2.post(f"{gateway.url}/v1/chat/completions", json=ASK | more, timeout=30)


def added(body):
    """Return what an endpoint gets besides the conversation."""
    return {name: value for name, value in body.items() if name not in ("model", "messages", "stream_options")}


MAPPING = {"low": {"depth": 1}, "none": {"depth": 0}, "budget": {"depth_tokens": "{tokens}"}}
#: By the name of a provider: how it is written, and what it gets at each effort.
TOLD = {
    "openai": (
        {"vendor": "openai"},
        {
            "low": {"reasoning_effort": "low"},
            "off": {"reasoning_effort": "none"},
            "xhigh,max_tokens:9": {"reasoning_effort": "xhigh", "max_completion_tokens": 9},
        },
    ),
    "azure": ({"vendor": "azure"}, {"minimal": {"reasoning_effort": "minimal"}}),
    "groq": ({"vendor": "groq"}, {"max_tokens:99": {"max_tokens": 99}}),
    "openrouter": (
        {"vendor": "openrouter"},
        {
            "high": {"reasoning": {"effort": "high"}},
            "budget:2048": {"reasoning": {"max_tokens": 2048}},
            "off": {"reasoning": {"enabled": False}},
        },
    ),
    "vllm": (
        {"vendor": "vllm"},
        {
            "low": {"reasoning_effort": "low"},
            "off": {"chat_template_kwargs": {"enable_thinking": False}},
            "budget:64": {"chat_template_kwargs": {"enable_thinking": True}, "thinking_token_budget": 64},
        },
    ),
    "llama.cpp": (
        {"vendor": "llama.cpp"},
        {
            "none": {"chat_template_kwargs": {"enable_thinking": False}},
            "budget:64": {"chat_template_kwargs": {"enable_thinking": True}, "thinking_budget_tokens": 64},
        },
    ),
    "mistral": ({"vendor": "mistral"}, {"high": {"reasoning_effort": "high"}}),
    "deepseek": (
        {"vendor": "deepseek"},
        {
            "off": {"thinking": {"type": "disabled"}},
            "max": {"thinking": {"type": "enabled"}, "reasoning_effort": "max"},
        },
    ),
    "anthropic": (
        {"reasoning": "anthropic"},
        {
            "low": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            "budget:2048": {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        },
    ),
    "google": (
        {"reasoning": "google"},
        {
            "minimal": {"reasoning_effort": "minimal"},
            "budget:64": {"extra_body": {"google": {"thinking_config": {"thinking_budget": 64}}}},
        },
    ),
    "qwen": (
        {"reasoning": "qwen"},
        {"off": {"enable_thinking": False}, "budget:64": {"enable_thinking": True, "thinking_budget": 64}},
    ),
    "own": (
        {"reasoning": MAPPING},
        {"low": {"depth": 1}, "budget:64,max_tokens:99": {"depth_tokens": 64, "max_tokens": 99}},
    ),
}


@pytest.fixture(scope="module")
def vendors(shared_played, tmp_path_factory):
    """Serve a model at each of these providers, all of them played, at all of its efforts."""
    up = shared_played.sections()["providers"]["up"]
    sections = {
        "providers": {name: up | written for name, (written, _) in TOLD.items()},
        "models": {name: {"provider": name, "efforts": list(sent), "price": PRICE} for name, (_, sent) in TOLD.items()},
    }
    path = write_config(tmp_path_factory.mktemp("vendors"), shared_played.url, {}, **sections)
    gateway = Gateway(path, {})
    with running(create_app(gateway)) as url:
        yield Running(url, gateway, path.parent)


@pytest.mark.parametrize(
    ("name", "effort", "sent"),
    [(name, effort, sent) for name, (_, efforts) in TOLD.items() for effort, sent in efforts.items()],
)
def test_an_endpoint_is_told_in_its_own_words(vendors, played, name, effort, sent):
    """It gets the model's own name, and the effort in the members that it has for it."""
    response = ask(vendors, model=f"{name}@{effort}")
    (body,) = played.asked(name)

    assert 200 == response.status_code
    assert sent == added(body)
    assert f"{name}@{effort}" == response.headers["x-pointsman-model"]
    assert name == response.json()["model"]


def test_a_stream_comes_as_from_the_model_itself(vendors, played):
    """Through OpenAI's own client, which may name an effort as the model."""
    client = openai.OpenAI(base_url=f"{vendors.url}/v1", api_key="none", max_retries=0)
    chunks = list(client.chat.completions.create(model="vllm@budget:64", messages=ASK["messages"], stream=True))
    (body,) = played.asked("vllm")

    assert "Hello." == "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert ({"vllm"}, 64) == ({chunk.model for chunk in chunks}, body["thinking_token_budget"])


def test_the_log_has_the_full_name(start):
    """Its propensities, and who served: each effort is a candidate of its own, at the price of its model."""
    gateway = start(["large@low", "large@high", "small"], router={"type": "random"})
    response = ask(gateway)
    (event,) = gateway.logged()
    served = response.headers["x-pointsman-model"]

    assert {"large@low", "large@high", "small"} == set(event.decision.propensities)
    assert served == event.outcome.served_by
    assert event.outcome.cost_usd == Decimal(response.headers["x-pointsman-cost-usd"]) > 0


def test_efforts_share_an_endpoint(start, played):
    """What rests for one effort rests for all: a server that is down need not be asked again."""
    played.plays |= {"large": lambda _: 500}
    gateway = start(["large@low", "large@high", "small"])
    response = ask(gateway)
    (event,) = gateway.logged()

    assert "small" == response.headers["x-pointsman-model"]
    assert {"large@up", "small@up"} == {attempt.endpoint for attempt in event.outcome.attempts}


def test_a_cascade_may_climb_by_effort(start, played):
    """The same model is asked again to reason more; the log tells one call from the other."""
    played.plays |= {"large": lambda body: "42" if body["reasoning_effort"] == "high" else {"message": {"content": ""}}}
    gate = {"type": "wellformed"}
    router = {"type": "cascade", "gate": gate, "router": {"type": "cheapest"}, "thresholds": [0.5]}
    gateway = start(["large@low", "large@high"], router=router)
    response = ask(gateway)
    (event,) = gateway.logged()

    assert ["low", "high"] == [body["reasoning_effort"] for body in played.asked("large")]
    assert "42" == response.json()["choices"][0]["message"]["content"]
    assert (["large@low"], "large@high") == ([call.model for call in event.outcome.calls], event.outcome.served_by)


def test_the_text_of_the_rest_stays_as_it_was(upstream, serve):
    """Members are set in the client's own text; a model without an effort changes nothing."""
    gateway = serve({"p": {"pool": ["good@low"], "router": {"type": "fixed", "model": "good@low"}}})
    raw = '{"model": "p",  "messages": [{"role": "user", "content": "hi"}], "top_p": 1.10, "x": 1e-7}'
    httpx2.post(f"{gateway.url}/v1/chat/completions", content=raw, headers={"content-type": "application/json"})

    assert raw.replace('"p"', '"good"').replace("{", '{"reasoning_effort":"low",', 1) == upstream.raw[-1].decode()


def test_a_client_that_says_how_much_to_reason_is_heard(start):
    """Candidates of another effort are left out; where it says nothing, the policy chooses."""
    pool = ["large@low", "large@high", "large@off", "large@budget:64"]
    likely = {"large@low": 1e12, "large@high": 1, "large@off": 1, "large@budget:64": 1}
    gateway = start(pool, {"vendor": "openrouter"}, router={"type": "weighted", "weights": likely})

    def served(**said):
        return ask(gateway, **said).headers["x-pointsman-model"]

    assert "large@high" == served(reasoning_effort="high") == served(reasoning={"effort": "HIGH"})
    assert "large@budget:64" == served(reasoning={"max_tokens": 64})
    assert "large@off" == served(reasoning_effort="none") == served(thinking={"type": "disabled"})
    assert "large@low" == served() == served(reasoning_effort=None) == served(max_tokens=60)


def test_a_model_without_an_effort_takes_the_clients(start, played):
    """It is sent on as it was said."""
    gateway = start(["small", "large@high"])
    ask(gateway, reasoning_effort="low")

    assert {"reasoning_effort": "low"} == added(played.asked("small")[0])


def test_where_no_candidate_has_the_clients_effort_it_is_told_so(start, played):
    """Neither its wish nor the policy's choice is changed behind its back."""
    response = ask(start(["large@high"]), reasoning_effort="low")

    assert 400 == response.status_code
    assert "large@high: effort: the request itself asks for low" in response.json()["error"]["message"]
    assert not played.requests


def test_a_policy_may_override_the_client(start, played):
    """Then the candidate's effort takes the place of what was asked."""
    response = ask(start(["large@high"], client_effort="override"), reasoning_effort="low")

    assert 200 == response.status_code
    assert {"reasoning_effort": "high"} == added(played.asked("large")[0])


@pytest.mark.parametrize(("own", "sent"), [(5, 5), (500, 99)])
def test_the_lower_limit_holds(start, played, own, sent):
    """The client's, or the candidate's."""
    ask(start(["large@max_tokens:99"]), max_tokens=own)

    assert {"max_tokens": sent} == added(played.asked("large")[0])


def test_a_client_may_ask_for_an_effort_by_name(start, played):
    """For those that a pool names or the model offers; they are listed with the models."""
    gateway = start(["small"], model={"efforts": ["low", "off"]})
    response = ask(gateway, model="large@off")
    listed = httpx2.get(f"{gateway.url}/v1/models").json()["data"]
    by_name = {one["id"]: one["pointsman"] for one in listed}

    assert "large@off" == response.headers["x-pointsman-model"]
    assert {"reasoning_effort": "none"} == added(played.asked("large")[0])
    assert ["p", "large", "small", "large@low", "large@off"] == [one["id"] for one in listed]
    assert ("large", "low") == (by_name["large@low"]["model"], by_name["large@low"]["effort"])
    assert by_name["large@low"]["usd_per_million_tokens"] == by_name["large"]["usd_per_million_tokens"]
    assert 200 == httpx2.get(f"{gateway.url}/v1/models/large@off").status_code


def test_an_effort_that_nobody_offers_is_not_found(start):
    """The client is told how to ask for it."""
    response = ask(start(["small"]), model="large@high")

    assert 404 == response.status_code
    assert "It may be asked as 'large', with a 'reasoning_effort'." in response.json()["error"]["message"]


def test_a_policy_without_a_pool_chooses_among_what_is_offered(serve, played):
    """Efforts that another policy's pool names are none of its business."""
    known = played.sections("large", "small")
    known["models"]["large"]["efforts"] = ["low"]
    free = {"router": {"type": "random"}}
    gateway = serve({"p": free, "q": free | {"pool": ["large@high"]}}, **known)
    pools = {one["id"]: one["pointsman"].get("pool") for one in httpx2.get(f"{gateway.url}/v1/models").json()["data"]}

    assert (["large", "small", "large@low"], ["large@high"]) == (pools["p"], pools["q"])


def test_denying_a_model_denies_it_at_every_effort(start):
    """And allowing it allows every effort; an effort alone may be denied, too."""
    gateway = start(["large@low", "large@high", "small"])

    def served(**options):
        return ask(gateway, pointsman=options).headers["x-pointsman-model"]

    assert "small" == served(deny_models=["large"])
    assert "large@high" == served(allow_models=["large@high"])
    assert "large@low" == served(allow_models=["large"])
    assert "large@high" == served(deny_models=["large@low", "small"])
