from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.errors import InputUnsupported, UpstreamError, UpstreamRejected, from_response
from providers.reasoning import EVERY_LEVEL, STYLES, written
from providers.types import Target
from providers.vendors import LOCAL, VENDORS

RAW = '{"model": "auto", "messages": [{"role": "user", "content": "hi"}], "top_p": 1.10, "x": 1e-7%s}'


def sent(style, target, more=""):
    """Return the text that an endpoint gets of a request, which may ask for reasoning itself."""
    return OpenAIAdapter(reasoning=STYLES[style]).encode(parse_chat((RAW % more).encode()), target).decode()


def added(style, more="", **asked):
    """Return what of the body is new or changed."""
    before = json.loads(RAW % more)
    after = json.loads(sent(style, Target("auto", **asked), more))
    assert before.keys() <= after.keys()
    return {key: value for key, value in after.items() if key not in before or before[key] != value}


@pytest.mark.parametrize(
    ("style", "asked", "form"),
    [
        ("effort", {"effort": "low"}, {"reasoning_effort": "low"}),
        ("effort", {"reasoning": False}, {"reasoning_effort": "none"}),
        ("effort", {"effort": "high", "reasoning": False}, {"reasoning_effort": "none"}),
        ("effort", {"reasoning": True}, {}),
        ("effort", {"effort": "xhigh", "reasoning": True}, {"reasoning_effort": "xhigh"}),
        ("object", {"effort": "low"}, {"reasoning": {"effort": "low"}}),
        ("object", {"reasoning": False}, {"reasoning": {"enabled": False}}),
        ("object", {"effort": "high", "reasoning": False}, {"reasoning": {"enabled": False}}),
        ("object", {"effort": "high", "reasoning": True}, {"reasoning": {"effort": "high", "enabled": True}}),
        ("object", {"budget": 2048}, {"reasoning": {"max_tokens": 2048}}),
        ("template", {"budget": 9}, {"chat_template_kwargs": {"enable_thinking": True}, "thinking_token_budget": 9}),
        ("llama.cpp", {"budget": 9}, {"chat_template_kwargs": {"enable_thinking": True}, "thinking_budget_tokens": 9}),
        ("llama.cpp", {"reasoning": False}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("anthropic", {"effort": "low"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ("anthropic", {"budget": 2048}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("anthropic", {"reasoning": False}, {"thinking": {"type": "disabled"}}),
        ("anthropic", {"reasoning": True}, {"thinking": {"type": "adaptive"}}),
        ("deepseek", {"effort": "low"}, {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        ("deepseek", {"reasoning": False}, {"thinking": {"type": "disabled"}}),
        ("deepseek", {"reasoning": True}, {"thinking": {"type": "enabled"}}),
        ("google", {"effort": "low"}, {"reasoning_effort": "low"}),
        ("google", {"reasoning": False}, {"reasoning_effort": "none"}),
        ("google", {"budget": 5}, {"extra_body": {"google": {"thinking_config": {"thinking_budget": 5}}}}),
        ("mistral", {"effort": "high"}, {"reasoning_effort": "high"}),
        ("mistral", {"reasoning": False}, {"reasoning_effort": "none"}),
        ("qwen", {"budget": 5}, {"enable_thinking": True, "thinking_budget": 5}),
        ("qwen", {"reasoning": False}, {"enable_thinking": False}),
        ("qwen", {"reasoning": True}, {"enable_thinking": True}),
        ("qwen", {"effort": "low"}, {"enable_thinking": True}),
        ("template", {"effort": "low"}, {"reasoning_effort": "low"}),
        ("template", {"reasoning": False}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("template", {"reasoning": True}, {"chat_template_kwargs": {"enable_thinking": True}}),
    ],
)
def test_each_style_asks_in_its_own_form(style, asked, form):
    """The golden form of each; all else stays."""
    assert form == added(style, **asked)


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_asked_where_no_rule_asks(style):
    """The client's own wish stays, in its own spelling."""
    more = ', "reasoning_effort":"high", "reasoning": { "effort" :"low"}, "chat_template_kwargs": {"a": 1.0}'

    assert RAW % more == sent(style, Target("auto"), more)


@pytest.mark.parametrize(
    ("style", "more", "asked", "form"),
    [
        ("effort", ', "reasoning_effort": "high"', {"effort": "low"}, {"reasoning_effort": "low"}),
        ("effort", ', "reasoning_effort": "high"', {"reasoning": False}, {"reasoning_effort": "none"}),
        ("object", ', "reasoning": {"effort": "high", "exclude": true}', {"effort": "low"}, {"reasoning": {"effort": "low", "exclude": True}}),
        ("object", ', "reasoning": {"max_tokens": 9, "exclude": true}', {"effort": "low"}, {"reasoning": {"effort": "low", "exclude": True}}),
        ("object", ', "reasoning": {"max_tokens": 9, "effort": "high"}', {"reasoning": False}, {"reasoning": {"enabled": False}}),
        ("object", ', "reasoning": {"max_tokens": 9}', {"reasoning": True}, {"reasoning": {"max_tokens": 9, "enabled": True}}),
        ("object", ', "reasoning_effort": "high"', {"effort": "low"}, {"reasoning": {"effort": "low"}, "reasoning_effort": None}),
        ("object", ', "reasoning_effort": "high"', {"reasoning": False}, {"reasoning": {"enabled": False}, "reasoning_effort": None}),
        ("object", ', "reasoning_effort": "high"', {"reasoning": True}, {"reasoning": {"enabled": True}}),
        ("object", ', "reasoning": "much"', {"effort": "low"}, {"reasoning": {"effort": "low"}}),
        ("object", ', "reasoning": {"effort": "high", "enabled": false}', {"budget": 7}, {"reasoning": {"max_tokens": 7}}),
        ("template", ', "reasoning_effort": "high"', {"reasoning": False}, {"reasoning_effort": None, "chat_template_kwargs": {"enable_thinking": False}}),
        ("anthropic", ', "reasoning_effort": "high"', {"effort": "low"}, {"reasoning_effort": None, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ("deepseek", ', "reasoning_effort": "high"', {"reasoning": False}, {"reasoning_effort": None, "thinking": {"type": "disabled"}}),
        ("google", ', "extra_body": {"a": 1, "google": {"b": 2}}', {"budget": 5}, {"extra_body": {"a": 1, "google": {"b": 2, "thinking_config": {"thinking_budget": 5}}}}),
        ("google", ', "extra_body": {"google": 3}, "reasoning_effort": "low"', {"budget": 5}, {"reasoning_effort": None, "extra_body": {"google": {"thinking_config": {"thinking_budget": 5}}}}),
        ("qwen", ', "reasoning_effort": "high"', {"reasoning": False}, {"reasoning_effort": None, "enable_thinking": False}),
        ("template", ', "chat_template_kwargs": {"a": 1}', {"reasoning": False}, {"chat_template_kwargs": {"a": 1, "enable_thinking": False}}),
        ("template", ', "chat_template_kwargs": [1]', {"reasoning": False}, {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)  # fmt: skip
def test_what_a_rule_asks_replaces_what_the_client_asks(style, more, asked, form):
    """Said twice, it would be refused or misread; what a rule says nothing of stays."""
    assert form == added(style, more, **asked)


@pytest.mark.parametrize("style", STYLES)
def test_the_rest_of_the_text_stays_as_it_was(style):
    """Byte for byte, apart from what is added at the front."""
    text = sent(style, Target("gpt", "low", reasoning=True))

    assert text.endswith(RAW[1:].replace('"auto"', '"gpt"') % "")


MAPPING = {
    "none": {"enable_thinking": False},
    "high": {"deep": {"level": 3}, "list": [1]},
    "budget": {"deep": {"tokens": "{tokens}"}, "list": ["{tokens}"]},
}


@pytest.mark.parametrize(
    ("more", "asked", "form"),
    [
        ("", {"reasoning": False}, {"enable_thinking": False}),
        ("", {"effort": "high"}, {"deep": {"level": 3}, "list": [1]}),
        ("", {"effort": "low"}, {}),
        ("", {}, {}),
        (', "deep": {"own": 1}', {"budget": 7}, {"deep": {"own": 1, "tokens": 7}, "list": [7]}),
    ],
)
def test_a_mapping_says_which_members_an_effort_becomes(more, asked, form):
    """Objects are added to the client's own, and a budget's number stands where it is wanted."""
    adapter = OpenAIAdapter(reasoning=written(MAPPING))
    body = json.loads(adapter.encode(parse_chat((RAW % more).encode()), Target("auto", **asked)))

    assert json.loads(RAW % more) | form == body


def test_a_style_says_what_it_cannot_be_told():
    """A mapping can be told what it has members for."""
    style = written(MAPPING)

    assert None is style.lacks("high", None) is style.lacks(None, 7) is style.lacks(None, None)
    assert "the effort 'low'" == style.lacks("low", None)
    assert "a budget of tokens" == STYLES["effort"].lacks(None, 7)
    assert all(style.levels <= EVERY_LEVEL for style in STYLES.values())


@pytest.mark.parametrize(
    ("limit", "more", "form"),
    [
        ("max_tokens", "", {"max_tokens": 50}),
        ("max_completion_tokens", "", {"max_completion_tokens": 50}),
        ("max_completion_tokens", ', "max_tokens": 90', {"max_tokens": 50}),
        ("max_tokens", ', "max_tokens": 40', {}),
        ("max_tokens", ', "max_tokens": null', {"max_tokens": 50}),
        ("max_tokens", ', "max_tokens": 40, "max_completion_tokens": 60', {"max_completion_tokens": 50}),
    ],
)
def test_an_answer_is_kept_within_the_candidates_limit(limit, more, form):
    """By the member that the client has used, else by the vendor's; a lower limit of the client's own stands."""
    chat = parse_chat((RAW % more).encode())
    body = json.loads(OpenAIAdapter(limit=limit).encode(chat, Target("auto", max_tokens=50)))

    assert json.loads(RAW % more) | form == body


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "Unsupported value", "param": "reasoning_effort"}, InputUnsupported),
        (400, {"message": "Unrecognized request argument supplied: reasoning_effort"}, InputUnsupported),
        (422, {"message": "thinking.enabled.budget_tokens: Input should be at least 1024"}, InputUnsupported),
        (400, {"message": "temperature is too high", "param": "temperature"}, UpstreamRejected),
        (500, {"message": "reasoning_effort crashed the server"}, UpstreamError),
        (400, None, UpstreamRejected),
    ],
)
def test_an_effort_that_a_model_does_not_take_is_no_fault_of_the_request(status, error, kind):
    """Another candidate may take it; what an endpoint refuses otherwise would be refused anywhere."""
    content = b"" if error is None else json.dumps({"error": error}).encode()

    assert kind is type(from_response("up", status, {}, content, datetime.now(UTC)))


def test_every_vendor_has_a_style_that_there_is():
    """OpenRouter has an object, weights that one serves oneself have a switch of their template."""
    styles = {vendor.name: vendor.reasoning for vendor in (*VENDORS.values(), LOCAL)}

    assert set(styles.values()) <= set(STYLES)
    assert ("object", "template", "llama.cpp", "llama.cpp", "effort", "mistral", "deepseek") == tuple(
        styles[name] for name in ("openrouter", "vllm", "llama.cpp", "local", "openai", "mistral", "deepseek")
    )
