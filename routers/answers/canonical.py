"""The same answer in other words: what is compared when answers vote."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from routers.types import Answer

#: Characters of a text at the end of which a result is looked for.
TAIL: Final = 2_000
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_SAID = re.compile(r"(?:answer|result|solution)\b[^\n.:=]{0,40}?(?:is|:|=)\s*\**\s*([^\n]{1,80})", re.IGNORECASE)
_OPTION = re.compile(r"\(?([A-J])\)?(?=$|[\s.,:;)*])")
_NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_FENCE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)


def canonical(answer: Answer) -> str:
    """Return what an answer comes to, so that the same result in other words is the same text; empty for no answer.

    Tool calls count by name and arguments; JSON by its value; a text by the result that it ends with (boxed, or said
    to be the answer: a number, or the letter of an option), by its code, or else by its words.
    """
    if answer.error is not None or answer.refusal:
        return ""
    if answer.tool_calls:
        return json.dumps(sorted([call.name, _value(call.arguments)] for call in answer.tool_calls))
    return next((form for read in _READINGS if (form := read(answer.text))), "")


def _json(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return ""
    try:
        return "json " + json.dumps(json.loads(stripped), sort_keys=True)
    except (ValueError, RecursionError):
        return ""


def _boxed(text: str) -> str:
    found = _BOXED.findall(text[-TAIL:])
    return _result(found[-1]) if found else ""


def _said(text: str) -> str:
    found = _SAID.findall(text[-TAIL:])
    return _result(found[-1]) if found else ""


def _bare(text: str) -> str:
    """Read a text that is nothing but a number, or an option's letter."""
    stripped = text.strip().strip("*.")
    whole = _NUMBER.fullmatch(stripped.strip("$% ")) or _OPTION.fullmatch(stripped)
    return _result(stripped) if whole else ""


def _code(text: str) -> str:
    blocks = _FENCE.findall(text)
    lines = [line.rstrip() for block in blocks for line in block.splitlines() if line.strip()]
    return "code " + "\n".join(lines) if lines else ""


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


#: The first reading that finds something counts.
_READINGS: Final[tuple[Callable[[str], str], ...]] = (_json, _boxed, _bare, _said, _code, _words)


def _result(text: str) -> str:
    """Return a result as an option's letter, a number in its shortest form, or its words."""
    stripped = text.strip().strip("*$ ")
    if option := _OPTION.match(stripped):
        return f"option {option[1]}"
    if number := _NUMBER.search(stripped):
        return _number(number[0])
    return _words(stripped)


def _number(text: str) -> str:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return _words(text)
    return f"number {value.normalize():f}" if value.is_finite() and abs(value.adjusted()) < 30 else f"number {value}"


def _value(arguments: str) -> object:
    """Return arguments by their value where they are JSON, else as they are."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
