"""What a request's body holds: its messages, their texts, and the text that is routed by.

Whatever the body is, these return something: what makes no sense is upstream's to refuse.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.signals.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Message = dict[str, Any]

#: Tokens that the form of a message costs, about.
TOKENS_PER_MESSAGE = 4
#: Tokens of an image of middling size and detail, about.
TOKENS_PER_IMAGE = 765
#: Of more tools than this, so many are measured, evenly chosen, and stand for the rest.
MEASURED_TOOLS = 8


def messages_of(body: Mapping[str, Any]) -> list[Message]:
    """Return the messages that are objects, as a valid request's all are."""
    return objects(body.get("messages"))


def objects(value: object) -> list[Message]:
    """Return the members of a list that are objects; none where it is no list."""
    # What comes from JSON is of these very types, and asking for `Sequence` takes ten times as long.
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []


def is_user(message: Message) -> bool:
    """Tell whether a message is a user's turn."""
    return message.get("role") == "user"


def last_user_text(body: Mapping[str, Any]) -> str:
    """Return the text of the last user turn; of the last message where there is no user turn.

    Earlier turns and the system prompt are left out: they are alike in all requests of one application.
    """
    messages = messages_of(body)
    turn = next((message for message in reversed(messages) if is_user(message)), messages[-1] if messages else {})
    return text_of(turn)


def text_of(message: Message) -> str:
    """Return the text of a message, its parts each on a line of its own."""
    return "\n".join(texts_of(message.get("content")))


def texts_of(content: object) -> list[str]:
    """Return the texts of a message's content: a text, or a list of parts."""
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in objects(content) if isinstance(part.get("text"), str)]


def kinds_of_parts(messages: Iterable[Message]) -> set[str]:
    """Return the types of all parts of the messages' contents."""
    # Most contents are plain texts, and there may be hundreds of messages.
    contents = [content for message in messages if isinstance(content := message.get("content"), list)]
    parts = (part for content in contents for part in objects(content))
    return {part["type"] for part in parts if isinstance(part.get("type"), str)}


def calls_of(message: Message) -> list[Message]:
    """Return the tool calls of an assistant's message, the form with one `function_call` included."""
    calls, old = message.get("tool_calls"), message.get("function_call")
    found = objects(calls) if calls else []
    return [*found, {"function": old}] if isinstance(old, dict) else found


def estimate_prompt_tokens(body: Mapping[str, Any], count: Callable[[str], float] = estimate_tokens) -> int:
    """Return about how many tokens a request's prompt has: its texts, tool calls, tools, schema and images.

    `count` says how many tokens a text has.
    """
    messages = messages_of(body)
    texts = [text for message in messages for text in _texts_sent(message)]
    texts.append(_written(body.get("response_format")))
    contents = (content for message in messages if isinstance(content := message.get("content"), list))
    images = len([part for content in contents for part in objects(content) if part.get("type") == "image_url"])
    form = TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_IMAGE * images
    return round(count("\n".join(filter(None, texts))) + _tokens_of_tools(body, count)) + form


def _texts_sent(message: Message) -> list[str]:
    texts = texts_of(message.get("content"))
    for call in calls_of(message):
        function = call.get("function")
        values = (function.get("name"), function.get("arguments")) if isinstance(function, dict) else ()
        texts += [value for value in values if isinstance(value, str)]
    return texts


def _tokens_of_tools(body: Mapping[str, Any], count: Callable[[str], float]) -> float:
    tools = [*objects(body.get("tools")), *objects(body.get("functions"))]
    if not tools:
        return 0.0
    chosen = tools
    if len(tools) > MEASURED_TOOLS:
        chosen = [tools[n * len(tools) // MEASURED_TOOLS] for n in range(MEASURED_TOOLS)]
    return count("\n".join(_written(tool) for tool in chosen)) * len(tools) / len(chosen)


def _written(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        # Nested about as deeply as can be read at all: no schema is, and upstream will say so.
        return ""
