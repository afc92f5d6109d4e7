from __future__ import annotations

import pytest

from gateway.signals.length import Length
from gateway.signals.request import estimate_prompt_tokens
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal


def read(body, **options):
    return Length(**options).read(request(body), None)


def turn(content, role="user"):
    return {"role": role, "content": content}


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Length())


def test_the_prompt_is_all_of_the_request_and_the_text_its_last_user_turn():
    """A rule may ask for either."""
    body = {"messages": [turn("You are of help. " * 50, "system"), turn("Hello there")]}

    features = read(body)

    assert estimate_prompt_tokens(body) == features["prompt_tokens"]
    assert 1 <= features["text_tokens"] <= 5
    assert features["length.exact"] is False


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"max_tokens": 100}, 100.0),
        ({"max_tokens": 100, "max_completion_tokens": 200}, 200.0),
        ({"max_tokens": 100, "max_completion_tokens": None}, 100.0),
        ({}, None),
        ({"max_tokens": 0}, None),
        ({"max_tokens": -1}, None),
        ({"max_tokens": True}, None),
        ({"max_tokens": "100"}, None),
        ({"max_tokens": 10**400}, None),
    ],
)
def test_the_limit_of_the_answer_is_given_where_the_request_sets_one(limits, limit):
    """The newer name wins; what is no limit is left out."""
    assert limit == read({"messages": [], **limits}).get("completion_tokens_limit")


def test_another_familys_tokens_are_others():
    """Not every pool speaks o200k."""
    body = {"messages": [turn("กรุณาสรุปรายงานที่แนบมา")]}

    assert read(body, family="smollm")["prompt_tokens"] > read(body)["prompt_tokens"]


def test_an_unknown_family_is_refused_when_it_is_configured():
    """Not at the first request."""
    with pytest.raises(ValueError, match="one of o200k, cl100k"):
        Length(family="o300k")


def test_an_estimate_does_not_hold_the_event_loop():
    """Only counting is left to a thread."""
    assert Length().blocking is False
