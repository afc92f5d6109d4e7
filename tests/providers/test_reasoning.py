from __future__ import annotations

import json

import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.types import Target
from providers.vendors import LOCAL, VENDORS

RAW = '{"model": "auto", "messages": [{"role": "user", "content": "hi"}], "top_p": 1.10, "x": 1e-7%s}'


def sent(style, target, more=""):
    """Return the text that an endpoint gets of a request, which may ask for reasoning itself."""
    return OpenAIAdapter(reasoning=style).encode(parse_chat((RAW % more).encode()), target).decode()


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
        ("template", {"effort": "low"}, {"reasoning_effort": "low"}),
        ("template", {"reasoning": False}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("template", {"reasoning": True}, {"chat_template_kwargs": {"enable_thinking": True}}),
    ],
)
def test_each_style_asks_in_its_own_form(style, asked, form):
    """The golden form of each; all else stays."""
    assert form == added(style, **asked)


@pytest.mark.parametrize("style", ["effort", "object", "template"])
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
        ("template", ', "chat_template_kwargs": {"a": 1}', {"reasoning": False}, {"chat_template_kwargs": {"a": 1, "enable_thinking": False}}),
        ("template", ', "chat_template_kwargs": [1]', {"reasoning": False}, {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)  # fmt: skip
def test_what_a_rule_asks_replaces_what_the_client_asks(style, more, asked, form):
    """Said twice, it would be refused or misread; what a rule says nothing of stays."""
    assert form == added(style, more, **asked)


@pytest.mark.parametrize("style", ["effort", "object", "template"])
def test_the_rest_of_the_text_stays_as_it_was(style):
    """Byte for byte, apart from what is added at the front."""
    text = sent(style, Target("gpt", "low", reasoning=True))

    assert text.endswith(RAW[1:].replace('"auto"', '"gpt"') % "")


def test_every_vendor_has_a_style_that_there_is():
    """OpenRouter has an object, weights that one serves oneself have a switch of their template."""
    styles = {vendor.name: vendor.reasoning for vendor in (*VENDORS.values(), LOCAL)}

    assert {"effort", "object", "template"} == set(styles.values())
    assert ("object", "template", "template", "template", "effort") == tuple(
        styles[name] for name in ("openrouter", "vllm", "llama.cpp", "local", "openai")
    )
