"""The request that a call of a plan sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from providers.chat import edited

if TYPE_CHECKING:
    from providers.types import ChatRequest
    from routers.types import Call

#: Members by which a client says what form answers are to have, and what they may do: none of a plan's own questions.
FORM: Final = frozenset(
    {
        "audio",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "response_format",
        "stop",
        "store",
        "stream_options",
        "tool_choice",
        "tools",
        "top_logprobs",
        "web_search_options",
    }
)
#: Members that limit how long an answer may be.
LIMITS: Final = frozenset({"max_tokens", "max_completion_tokens"})


def request_for(chat: ChatRequest, call: Call, limit: str = "max_tokens") -> ChatRequest:
    """Return the client's request as a call sends it: with its turns and parameters, and bare of the client's form.

    `limit` is the member by which the endpoint is told how long an answer may be. What is not changed stays as the
    client wrote it; a call that changes nothing sends the very same request.
    """
    if call.conversation and not call.turns and not call.parameters and not call.bare:
        return chat
    changes: dict[str, Any] = dict(call.parameters)
    if call.turns or not call.conversation:
        own = chat.body["messages"] if call.conversation else []
        changes["messages"] = [*own, *({"role": turn.role, "content": turn.content} for turn in call.turns)]
    if call.bare and chat.stream:
        changes["stream"] = False
    if "max_tokens" in changes:
        changes[limit] = changes.pop("max_tokens")
        if limit != "max_tokens":
            changes.pop("temperature", None)  # who takes the other one may refuse any temperature but its own
    removed = (FORM if call.bare else frozenset()) | (LIMITS if changes.keys() & LIMITS else frozenset())
    return edited(chat, changes, removed - changes.keys()) if changes or call.bare else chat
