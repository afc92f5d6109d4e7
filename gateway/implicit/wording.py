"""What a choice says, in one form: as it was given, or as a client sends it back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from gateway.implicit.answer import Call, Choice
from gateway.signals.request import calls_of, text_of

if TYPE_CHECKING:
    from gateway.signals.request import Message

_THOUGHTS: Final = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)


def as_choice(message: Message) -> Choice:
    """Return an assistant's turn of a conversation as the choice that it was."""
    functions = [call.get("function") for call in calls_of(message)]
    calls = (
        Call(str(function.get("name")), str(function.get("arguments")))
        for function in functions
        if isinstance(function, dict)
    )
    return Choice(text_of(message), tuple(calls))


def wording(choice: Choice) -> str:
    """Return what a choice says, without what clients change by themselves: spaces, and thoughts before the answer."""
    text = choice.text.lstrip()
    thoughts = _THOUGHTS.match(text) if text.startswith("<think") else None
    text = " ".join(text[thoughts.end() if thoughts else 0 :].split())
    if not choice.calls:
        return text
    return "\n".join([text, *(f"{call.name} {arguments_in_one_form(call.arguments)}" for call in choice.calls)]).strip()


def arguments_in_one_form(written: str) -> str:
    """Return arguments in one form: clients read and write them anew."""
    try:
        return json.dumps(json.loads(written), sort_keys=True)
    except (ValueError, RecursionError):
        return written
