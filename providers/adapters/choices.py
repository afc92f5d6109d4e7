"""What the choices of OpenAI's answers must look like, so that clients can read them.

Only what clients rely on is looked at; members that nobody here knows may hold anything. Each check returns what is
wrong, in words that follow "an answer that", or None.
"""

from __future__ import annotations

from typing import Any

#: What a delta holds that says nothing yet.
SILENT = frozenset({"role"})


#: What a text may be, where there may be none. Checks of every chunk are cheapest against such pairs.
_TEXT = (str, type(None))
_CONTENT = (str, type(None), list)


def chunk_defect(chunk: dict[str, Any], *, numbered: bool) -> str | None:
    """Return what is wrong with a chunk of a stream.

    `numbered` tells whether choices must say which they are: where the client asked for one there is no doubt. A delta
    may be missing (Azure's chunks about filters have none), and choices beside usage.
    """
    choices = chunk.get("choices")
    if choices is None:
        return None if isinstance(chunk.get("usage"), dict) else "holds no choices"
    if not isinstance(choices, list):
        return "holds choices that are no list"
    for choice in choices:
        if not isinstance(choice, dict):
            return "holds a choice that is no object"
        index = choice.get("index")
        if not isinstance(index, int) and (index is not None or numbered or len(choices) > 1):
            return "holds a choice without its index"
        if (defect := _defect(choice, choice.get("delta", {}))) is not None:
            return defect
    return None


def answer_defect(answer: Any) -> str | None:
    """Return what is wrong with a complete answer, which has at least one choice, each with its message."""
    if not isinstance(answer, dict):
        return "is no JSON object"
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        return "holds no choices"
    for choice in choices:
        if not isinstance(choice, dict):
            return "holds a choice that is no object"
        if (defect := _defect(choice, choice.get("message"))) is not None:
            return defect
    return None


def says_something(chunk: dict[str, Any]) -> bool:
    """Tell whether a chunk that has no defect holds a part of the answer, or its end: not where it only begins one."""
    for choice in chunk.get("choices") or ():
        if choice.get("finish_reason"):
            return True
        if any(value and key not in SILENT for key, value in choice.get("delta", {}).items()):
            return True
    return False


def finish_reasons(body: dict[str, Any]) -> dict[int, str]:
    """Return the finish reasons that are given, by the index of their choice."""
    found = {}
    for choice in body.get("choices") or ():
        if reason := choice.get("finish_reason"):
            found[choice.get("index") or 0] = reason
    return found


def first_reason(body: dict[str, Any]) -> str | None:
    """Return the first finish reason that is given, None where none is."""
    for choice in body["choices"]:
        if reason := choice.get("finish_reason"):
            return str(reason)
    return None


def _defect(choice: dict[str, Any], message: Any) -> str | None:
    """Return what is wrong with a choice and its delta or message."""
    if not isinstance(message, dict):
        return "holds a delta or message that is no object"
    if not isinstance(message.get("content"), _CONTENT):
        return "holds content that is no text"
    if not isinstance(choice.get("finish_reason"), _TEXT):
        return "holds a finish reason that is no text"
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(map(_is_call, calls))):
        return "holds calls of tools that are none"
    return None


def _is_call(call: Any) -> bool:
    if not isinstance(call, dict):
        return False
    function = call.get("function")
    if function is None:
        return True
    return isinstance(function, dict) and all(isinstance(function.get(k), _TEXT) for k in ("name", "arguments"))
