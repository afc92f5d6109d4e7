"""What a rule changes in a request before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from providers.chat import edited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.types import ChatRequest

#: Roles whose message tells the model how to behave.
_SYSTEM = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes to a request: `parameters` are top-level members (None removes one), `headers` go to the endpoint.

    `system_prompt` is added to the system message, or becomes one. `effort` and `reasoning` of None leave what the
    client asks for.
    """

    system_prompt: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    effort: str | None = None
    reasoning: bool | None = None

    def apply(self, chat: ChatRequest) -> ChatRequest:
        """Return the request as it is to be sent; the text of what is not changed stays as it is."""
        if not self.parameters and self.system_prompt is None:
            return chat
        changes = {name: value for name, value in self.parameters.items() if value is not None}
        if self.system_prompt is not None:
            changes["messages"] = _instructed(chat.body["messages"], self.system_prompt)
        removed = self.parameters.keys() - changes.keys()
        return edited(chat, changes, removed) if changes or removed else chat


#: No change at all.
UNCHANGED = Changes()


def _instructed(messages: list[dict[str, Any]], prompt: str) -> list[dict[str, Any]]:
    """Return the messages with an addition to the first one if that is a system message, else with one more.

    Many chat templates take one system message only, and only as the first.
    """
    first = messages[0]
    if first.get("role") not in _SYSTEM:
        return [{"role": "system", "content": prompt}, *messages]
    content = first.get("content")
    if isinstance(content, list):
        return [{**first, "content": [*content, {"type": "text", "text": prompt}]}, *messages[1:]]
    return [{**first, "content": f"{content}\n\n{prompt}" if content else prompt}, *messages[1:]]
