"""Which requests the cache is asked about, and which answers are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.signals.request import calls_of, is_user, messages_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.caching.types import CacheRules, Sight
    from providers.types import ChatRequest

#: Characters of a request beyond which it is not looked up: to read it again would hold up the others.
LONGEST_REQUEST: Final = 1_000_000
#: Bytes of a question that is compared by its meaning; in a longer one a difference would drown.
LONGEST_QUESTION: Final = 512
#: Tokens that an encoder may add to a text.
_SPECIAL_TOKENS: Final = 2
#: Members that let a model call something, or look something up.
_REACHING_OUT: Final = ("tools", "functions", "web_search_options", "plugins", "mcp_servers")
_TOOL_ROLES: Final = frozenset({"tool", "function"})


def is_cacheable(chat: ChatRequest, rules: CacheRules) -> bool:
    """Tell whether a request may be answered from the cache, and its answer kept.

    What is to be stored by the endpoint has to reach it, and sound or pictures are not kept.
    """
    body = chat.body
    if chat.is_longer(LONGEST_REQUEST) or body.get("store") is True or body.get("audio") is not None:
        return False
    if body.get("modalities") not in (None, ["text"]) or choices_of(body) is None:
        return False
    if rules.zero and (isinstance(body.get("temperature"), bool) or body.get("temperature") != 0):
        return False
    return rules.tools or not reaches_out(body)


def choices_of(body: Mapping[str, Any]) -> int | None:
    """Return how many choices are asked for, None where that makes no sense."""
    n = body.get("n")
    if n is None:
        return 1
    return n if isinstance(n, int) and not isinstance(n, bool) and n >= 1 else None


def reaches_out(body: Mapping[str, Any]) -> bool:
    """Tell whether a request offers tools, or has had some called."""
    return any(body.get(name) for name in _REACHING_OUT) or any(
        message.get("role") in _TOOL_ROLES or calls_of(message) for message in messages_of(body)
    )


def question_at(body: Mapping[str, Any], text: str, sight: Sight) -> int | None:
    """Return which message asks `text`, the last user turn; None where it is not to be compared by its meaning.

    It must be text alone, and so short that the encoder reads all of it: a text has no more tokens than bytes.
    """
    if reaches_out(body):
        return None
    messages = body["messages"]
    at = next((n for n in reversed(range(len(messages))) if is_user(messages[n])), None)
    if at is None or not _is_text(content := messages[at].get("content")) or "\n".join(texts_of(content)) != text:
        return None
    most = min(LONGEST_QUESTION, sight.max_tokens - _SPECIAL_TOKENS)
    return at if text.isprintable() and len(text.encode()) <= most else None


def is_complete(answer: Mapping[str, Any], choices: int, rules: CacheRules) -> bool:
    """Tell whether an answer is whole and may be given again: all choices are there, and each has come to its end."""
    found = answer.get("choices")
    if answer.get("error") or not isinstance(found, list) or not all(isinstance(choice, dict) for choice in found):
        return False
    if [choice.get("index", 0) for choice in found] != list(range(choices)):
        return False
    ends = ["stop", *(("tool_calls", "function_call") if rules.tools else ()), *(("length",) if rules.cut else ())]
    return all(choice.get("finish_reason") in ends and _says_something(choice.get("message")) for choice in found)


def _says_something(message: object) -> bool:
    if not isinstance(message, dict) or message.get("audio") or message.get("images"):
        return False
    return bool(message.get("content") or message.get("refusal") or calls_of(message))


def _is_text(content: object) -> bool:
    """Tell whether a message's content is text and nothing else."""
    if isinstance(content, list):
        return all(isinstance(part, dict) and part.get("type") == "text" and len(part) == 2 for part in content)
    return isinstance(content, str)
