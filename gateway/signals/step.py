"""What an agent's next step has to deal with: who spoke last, results to read, failures, going round in circles."""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING, ClassVar, Final

from gateway.signals.agent import has_failed, is_result, since_user, texts_of_result
from gateway.signals.base import Kind
from gateway.signals.request import calls_of, is_user
from gateway.signals.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message
    from routers.types import Feature, FloatArray

#: Of a longer loop so many calls, the last ones, are compared with the last; and so many results looked at.
COMPARED: Final = 256
LOOKED_AT: Final = 16


class Step:
    """Reads the cues of a step from the form of the conversation, whatever language it is in.

    `step.after` is who spoke last: `user`, `tool` or `model`; it is left out where nobody did. `step.repeats` says how
    often the last call, with the very same arguments, was made before since the last user turn; `step.failures` how
    many results in a row, up to the last one, look like failures; `step.result_tokens` how much the results since the
    model last spoke come to.
    """

    name = "step"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "step.after": Kind.TEXT,
        "step.repeats": Kind.NUMBER,
        "step.failures": Kind.NUMBER,
        "step.result_tokens": Kind.NUMBER,
    }

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return what the last messages tell."""
        messages = request.prompt.messages
        loop = since_user(messages)
        fresh = list(takewhile(is_result, reversed(messages)))
        texts = [text for message in fresh for text in texts_of_result(message)]
        features: dict[str, Feature] = {
            "step.repeats": float(_repeats(loop)),
            "step.failures": float(_failures(loop)),
            "step.result_tokens": float(round(estimate_tokens("\n".join(texts)))),
        }
        return features | {"step.after": after} if messages and (after := _speaker(messages[-1])) else features


def _speaker(message: Message) -> str:
    """Return who speaks; empty for the system, which takes no part."""
    if is_result(message):
        return "tool"
    if is_user(message):
        return "user"
    return "model" if message.get("role") == "assistant" else ""


def _repeats(loop: list[Message]) -> int:
    """Return how often the last call was made before, with the same arguments as text."""
    calls = [written for message in loop[-COMPARED:] for call in calls_of(message) if (written := _written(call))]
    return calls[:-1].count(calls[-1]) if calls else 0


def _written(call: Message) -> tuple[str, str] | None:
    function = call.get("function") or call.get("custom")
    if not isinstance(function, dict):
        return None
    name, arguments = function.get("name"), function.get("arguments", function.get("input"))
    return (name, arguments if isinstance(arguments, str) else "") if isinstance(name, str) and name else None


def _failures(loop: list[Message]) -> int:
    """Return how many of the last results look like failures, up to one that does not."""
    last = islice((message for message in reversed(loop) if is_result(message)), LOOKED_AT)
    return sum(1 for _ in takewhile(has_failed, last))
