from __future__ import annotations

import pytest

from gateway.signals.context import ConversationContext
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal


def read(body):
    return ConversationContext().read(request(body), None)


def turn(role, content="Some words of a turn."):
    return {"role": role, "content": content}


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(ConversationContext())


def test_turns_are_counted():
    """Messages of any role, and those of the user."""
    body = {"messages": [turn("system"), turn("user"), turn("assistant"), turn("user")]}

    assert {"turns": 4.0, "user_turns": 2.0}.items() <= read(body).items()


def test_history_is_all_before_the_last_user_turn():
    """What a change of model would have to read again."""
    long = "All of this has been said before. " * 40
    features = read(
        {"messages": [turn("system", "Be brief."), turn("user", long), turn("assistant", long), turn("user", "Go on")]}
    )

    assert 500 < features["history_tokens"] < 1000
    assert 1 <= features["system_tokens"] <= 5


def test_a_developers_message_is_the_system_prompt():
    """OpenAI's newer name of the role."""
    assert read({"messages": [turn("developer", "Be brief."), turn("user")]})["system_tokens"] >= 1


def test_without_a_user_turn_there_is_no_history():
    """Nothing has been asked yet."""
    assert read({"messages": [turn("system"), turn("assistant")]})["history_tokens"] == 0.0


def test_the_form_of_the_answer_is_told():
    """What a rule may want to know without reading the text."""
    image = {"type": "image_url", "image_url": {"url": "x"}}
    body = {
        "messages": [turn("user", [image])],
        "tools": [{}],
        "response_format": {"type": "json_object"},
        "stream": True,
    }

    assert {"tools": True, "images": True, "structured": True, "stream": True}.items() <= read(body).items()


def test_a_plain_request_has_none_of_it():
    """What is absent is known to be."""
    assert {"tools": False, "images": False, "structured": False, "stream": False}.items() <= read(
        {"messages": [turn("user")]}
    ).items()


@pytest.mark.parametrize(
    ("body", "effort"),
    [
        ({"reasoning_effort": "low"}, "low"),
        ({"reasoning": {"effort": "high"}}, "high"),
        ({}, None),
        ({"reasoning_effort": None}, None),
        ({"reasoning_effort": 3}, None),
        ({"reasoning": "high"}, None),
    ],
)
def test_the_effort_is_given_where_it_is_asked_for(body, effort):
    """In either form that endpoints know."""
    assert effort == read({"messages": [turn("user")], **body}).get("effort")
