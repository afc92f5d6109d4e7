"""Whether the result of a tool looks like a failure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: A result that is longer is judged by its beginning alone.
PARSED_CHARACTERS = 16_384
READ_CHARACTERS = 512
#: How a text begins that tells of a failure. An `Error` has to be followed by what went wrong: "Error handling" is a
#: heading.
FAILURE = re.compile(
    r"""\s*(?:
        traceback\ \(most\ recent\ call\ last\)
        | (?:\#+\ |\*\*|\[|<|npm\ )?(?:fatal\ |internal\ |unexpected\ |tool\ |execution\ |runtime\ )?
          (?:error|exception|failure|failed|tool_use_error|fatal|err!?)
          (?:\s*$ | \ ?[:!\]>] | \*\*:? | \ -+\  | \ (?:code\ )?\d
             | \ (?:while|when|in|at|during|occurred)\b
             | \ (?:executing|calling|running|opening|reading|writing|fetching|parsing)\b
             | \ to\ \w+)
        | [A-Za-z_][\w.]{0,80}(?:Error|Exception|Warning|Interrupt):\ ?\S
        | (?:command|process|script|build|request|tool|call)\ (?:failed|errored|timed\ out|exited\ with)
          (?!\ with\ (?:exit\ )?(?:code|status)\ 0\b | \ (?:exit\ )?(?:code|status)\ 0\b)
        | exit(?:ed)?(?:\ with)?\ ?(?:code|status)?\ ?[:=]?\ ?-?[1-9]
        | (?:http(?:/\d(?:\.\d)?)?\ )(?:status\ )?[45]\d\d\b
        | (?:permission|access)\ denied | no\ such\ file | (?:[\w./-]{1,80}:\ (?:line\ \d+:\ )?){1,3}command\ not\ found
    )""",
    re.VERBOSE | re.IGNORECASE,
)
EXIT_CODES = ("exit_code", "exitCode", "exit_status", "returncode", "return_code")
STATUSES = ("status", "status_code", "statusCode", "http_status")
FAILED_WORDS = frozenset({"error", "failed", "failure", "errored", "timeout", "denied"})


def failed(text: str) -> bool:
    """Tell whether a tool's result looks like a failure: JSON by its members, any other text by its beginning."""
    if text.lstrip()[:1] == "{" and len(text) <= PARSED_CHARACTERS:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return FAILURE.match(text[:READ_CHARACTERS]) is not None
        return isinstance(value, dict) and _tells_failure(value)
    return FAILURE.match(text[:READ_CHARACTERS]) is not None


def _tells_failure(value: Mapping[str, object]) -> bool:
    return any(test(value) for test in _TESTS)


def _has_error(value: Mapping[str, object]) -> bool:
    said = [value.get(member) for member in ("error", "errors", "exception", "isError", "is_error")]
    return any(what for what in said if not (isinstance(what, str) and what.lower() in ("none", "null", "false")))


def _has_not_succeeded(value: Mapping[str, object]) -> bool:
    return any(value.get(member) is False for member in ("success", "ok", "succeeded"))


def _has_exit_code(value: Mapping[str, object]) -> bool:
    codes = (value.get(member) for member in EXIT_CODES)
    return any(isinstance(code, int) and code != 0 for code in codes)


def _has_status(value: Mapping[str, object]) -> bool:
    statuses = [value.get(member) for member in STATUSES]
    words = [status.lower() for status in statuses if isinstance(status, str)]
    numbers = [status for status in statuses if isinstance(status, int) and not isinstance(status, bool)]
    return any(400 <= number <= 599 for number in numbers) or any(word in FAILED_WORDS for word in words)


_TESTS: tuple[Callable[[Mapping[str, object]], bool], ...] = (
    _has_error,
    _has_not_succeeded,
    _has_exit_code,
    _has_status,
)
