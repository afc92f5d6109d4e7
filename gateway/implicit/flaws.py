"""What an answer is seen to lack, whatever its language: it is empty, cut, a refusal, no JSON, a call that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.implicit.schema import misfits
from gateway.signals.request import objects
from providers.strict_json import InvalidJson, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.implicit.answer import Call, Choice
    from gateway.implicit.rules import Signal

#: Members by which a request limits the length of its answer.
LIMITS = ("max_completion_tokens", "max_tokens")


def flaws(body: Mapping[str, Any], choices: Sequence[Choice], small_limit: int) -> dict[Signal, float]:
    """Return which flaws an answer has, each with the share of its choices that have it, in (0, 1].

    A choice has one flaw at most: what was cut is no JSON either, and that is the same flaw.
    """
    found = [flaw for choice in choices if (flaw := _flaw(body, choice, small_limit)) is not None]
    return {flaw: found.count(flaw) / len(choices) for flaw in dict.fromkeys(found)} if found else {}


def is_well_formed(body: Mapping[str, Any], choices: Sequence[Choice]) -> bool:
    """Tell whether all choices of an answer without flaws are what could be checked: JSON, or calls of tools."""
    for choice in choices:
        if choice.calls:
            if not (objects(body.get("tools")) or objects(body.get("functions"))):
                return False
        elif not _wants_json(body.get("response_format")) or _says_nothing(choice):
            return False
    return bool(choices)


def _flaw(body: Mapping[str, Any], choice: Choice, small_limit: int) -> Signal | None:
    if choice.refused or choice.finish_reason == "content_filter":
        return "refused"
    if choice.finish_reason == "length":
        return None if _means_it(body, small_limit) else "truncated"
    if choice.calls:
        return "tool_failed" if any(_is_wrong(call, body) for call in choice.calls) else None
    if _says_nothing(choice):
        # With a stop sequence of the client's own, nothing may be all that there was to say.
        return None if choice.other or body.get("stop") else "empty"
    return "invalid_json" if _is_invalid(choice.text, body.get("response_format")) else None


def _says_nothing(choice: Choice) -> bool:
    return not choice.text or choice.text.isspace()


def _means_it(body: Mapping[str, Any], small_limit: int) -> bool:
    """Tell whether the client has set so small a limit that it counts on an answer's being cut."""
    limits = [limit for name in LIMITS if isinstance(limit := body.get(name), int) and not isinstance(limit, bool)]
    return bool(limits) and min(limits) < small_limit


def _is_invalid(text: str, wanted: object) -> bool:
    """Tell whether a text is not the JSON that was asked for."""
    if not isinstance(wanted, dict) or not _wants_json(wanted):
        return False
    try:
        value = parse(text.strip().encode())
    except InvalidJson:
        return True
    if wanted["type"] == "json_object":
        return not isinstance(value, dict)
    described = wanted.get("json_schema")
    return misfits(value, described.get("schema") if isinstance(described, dict) else None)


def _wants_json(wanted: object) -> bool:
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def _is_wrong(call: Call, body: Mapping[str, Any]) -> bool:
    """Tell whether a call is of no tool that was offered, or its arguments are not what the tool takes."""
    functions = [tool.get("function") for tool in objects(body.get("tools"))] + objects(body.get("functions"))
    if any(tool.get("type") != "function" for tool in objects(body.get("tools"))):
        return False  # tools of other kinds have names and arguments of their own
    offered = {str(one.get("name")): one.get("parameters") for one in functions if isinstance(one, dict)}
    if call.name not in offered:
        return bool(offered)
    try:
        arguments = parse(call.arguments.encode(errors="replace")) if call.arguments.strip() else {}
    except InvalidJson:
        return True
    return misfits(arguments, offered[call.name])
