"""Is anything wrong with an answer at first sight?"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from routers.types import Answer, Candidate, Check, Context

_PYTHON = re.compile(r"```(?:python|py)\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)


class Wellformed:
    """Let an answer through that is there, whole, and in the form that it claims.

    It fails where it is empty, a refusal, or cut off; where JSON was asked for (the feature `wants_json`) and it is
    none; where the arguments of a tool are no JSON; where a block of Python does not parse. `ceiling` is the chance of
    an answer with which nothing is wrong: being well formed is not being right.

    Parameters: `ceiling` in (0, 1].
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, ceiling: float = 1.0) -> None:
        if not 0 < ceiling <= 1:
            raise ValueError(f"ceiling={ceiling} must be in (0, 1]")
        self.ceiling = ceiling

    @property
    def asks(self) -> Mapping[str, object]:
        """Want nothing in particular."""
        return {}

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the ceiling, or 0 where something is wrong."""
        del candidates
        yield from ()  # nobody is asked
        return 0.0 if defect(context, answer) else self.ceiling


def defect(context: Context, answer: Answer) -> str:
    """Return what is wrong with an answer at first sight, in a word; empty where nothing is."""
    return next((name for name, found in _DEFECTS if found(context, answer)), "")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


_DEFECTS: Final[tuple[tuple[str, Callable[[Context, Answer], bool]], ...]] = (
    ("refused", lambda _, answer: answer.refusal or answer.finish_reason == "content_filter"),
    ("empty", lambda _, answer: not answer.text.strip() and not answer.tool_calls),
    ("truncated", lambda _, answer: answer.finish_reason == "length"),
    ("tool_arguments", lambda _, answer: not all(_is_json(call.arguments or "{}") for call in answer.tool_calls)),
    ("json", lambda context, answer: context.features.get("wants_json") is True and not _is_json(answer.text)),
    ("python", lambda _, answer: not all(_is_python(block) for block in _PYTHON.findall(answer.text))),
)
