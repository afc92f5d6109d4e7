"""What a request's body holds: its messages, their texts, and the text that is routed by.

Whatever the body is, these return something: what makes no sense is upstream's to refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.signals._tools import tokens_of_tools, written
from gateway.signals.tokens import SAMPLED_CHARACTERS, estimate_pieces, estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Message = dict[str, Any]

#: The roles of messages that bring a tool's result; `function` is OpenAI's older one.
RESULTS = frozenset({"tool", "function"})
#: Tokens that the form of a message costs, about.
TOKENS_PER_MESSAGE = 4
#: Tokens of an image of middling size and detail, about.
TOKENS_PER_IMAGE = 765


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
    """Return the text that a request is routed by: `Prompt.user_text`."""
    return Prompt(body).user_text


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
    if "tool_calls" not in message and "function_call" not in message:  # as most are, and this is asked of all
        return []
    calls, old = message.get("tool_calls"), message.get("function_call")
    found = objects(calls) if calls else []
    return [*found, {"function": old}] if isinstance(old, dict) else found


def estimate_prompt_tokens(body: Mapping[str, Any], count: Callable[[str], float] = estimate_tokens) -> int:
    """Return about how many tokens a request's prompt has: its texts, tool calls, tools, schema and images.

    `count` says how many tokens a text has.
    """
    return Prompt(body).tokens_by(count)


class Prompt:
    """What a body's messages hold, found in one pass; what takes longer is found when it is asked for, and once.

    `messages` are those that are objects, `said` is the text of each, and `users` are the numbers of the user turns.
    `formed` are the messages that are more than a role and a text, `calls` all tool calls in them. `roles` and `kinds`
    are the roles of all messages, and the types of all parts of their contents.
    """

    __slots__ = (
        "_body",
        "_history_tokens",
        "_sent",
        "_sent_tokens",
        "_text_tokens",
        "_texts",
        "_tokens",
        "calls",
        "formed",
        "kinds",
        "messages",
        "roles",
        "said",
        "users",
    )

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._sent: str | None = None
        self._sent_tokens: float | None = None
        self._text_tokens: float | None = None
        self._history_tokens: float | None = None
        self._tokens: int | None = None
        self.messages = messages_of(body)
        self.said: list[str] = []
        self.users: list[int] = []
        self.formed: list[Message] = []
        self.calls: list[Message] = []
        self.roles: set[str] = set()
        self.kinds: set[str] = set()
        self._texts: list[str] = []
        self._pass()

    def _pass(self) -> None:
        said, texts, roles = self.said, self._texts, self.roles
        for number, message in enumerate(self.messages):
            role, content = message.get("role"), message.get("content")
            if isinstance(role, str):
                roles.add(role)
                if role == "user":
                    self.users.append(number)
            if isinstance(content, str) and len(message) == 2 and role is not None:  # as nearly all messages are
                said.append(content)
                texts.append(content)
            else:
                self._add(message, content)

    def _add(self, message: Message, content: object) -> None:
        if isinstance(content, str):
            self.said.append(content)
            self._texts.append(content)
        elif isinstance(content, list):
            texts = texts_of(content)
            self.said.append("\n".join(texts))
            self._texts += texts
            self.kinds |= kinds_of_parts((message,))
        else:
            self.said.append("")
        if calls := calls_of(message):
            self.calls += calls
            self._texts += _texts_of_calls(calls)
        self.formed.append(message)

    @property
    def user_text(self) -> str:
        """Return the text of the last user turn; of the last message where there is no user turn.

        Earlier turns and the system prompt are left out: they are alike in all requests of one application.
        """
        return self.said[self.users[-1] if self.users else -1] if self.said else ""

    @property
    def sent(self) -> str:
        """Return the texts of all messages, their tool calls and the answer's schema, each on a line of its own."""
        if self._sent is None:
            schema = self._body.get("response_format")
            texts = self._texts if schema is None else [*self._texts, written(schema)]
            self._sent = "\n".join(filter(None, texts))
        return self._sent

    @property
    def tokens(self) -> int:
        """Return about how many tokens the prompt has, of no tokeniser in particular."""
        if self._tokens is None:
            self._tokens = self.tokens_by(self.estimate)
        return self._tokens

    def tokens_by(self, count: Callable[[str], float]) -> int:
        """Return how many tokens the prompt has where `count` says how many a text has."""
        form = TOKENS_PER_MESSAGE * len(self.messages)
        if "image_url" in self.kinds:
            parts = (part for message in self.formed for part in objects(message.get("content")))
            form += TOKENS_PER_IMAGE * sum(part.get("type") == "image_url" for part in parts)
        tokens = count(self.sent)
        if "tools" in self._body or "functions" in self._body:
            tools = [*objects(self._body.get("tools")), *objects(self._body.get("functions"))]
            tokens += tokens_of_tools(tools, count)
        return round(tokens) + form

    @property
    def history_tokens(self) -> float:
        """Return about how many tokens all before the last user turn has; none where there is no user turn."""
        last = self.users[-1] if self.users else 0
        if not last:
            return 0.0
        if self._sent_tokens is None:
            self._sent_tokens = self._measured()
        if self._history_tokens is None:
            self._history_tokens = estimate_tokens("\n".join(self.said[:last]))
        return self._history_tokens

    def estimate(self, text: str) -> float:
        """Return about how many tokens a text has; of what is `sent`, and of the user's text, it is kept."""
        if self._sent_tokens is None:
            self._sent_tokens = self._measured()
        if text is self._sent:
            return self._sent_tokens
        if self._text_tokens is not None and text is self.user_text:
            return self._text_tokens
        return estimate_tokens(text) if text else 0.0

    def _measured(self) -> float:
        """Return about how many tokens what is `sent` has.

        Where it is short, and texts alone, all that comes before the last user turn and that turn are measured with it.
        """
        sent, said, last = self.sent, self.said, self.users[-1] if self.users else 0
        plain = not self.formed and "response_format" not in self._body
        if not (last and plain and len(sent) <= SAMPLED_CHARACTERS and all(said)):
            return estimate_tokens(sent)
        begins = sum(map(len, said[:last])) + last
        pieces = ((0, len(sent)), (0, begins - 1), (begins, begins + len(said[last])))
        whole, self._history_tokens, self._text_tokens = estimate_pieces(sent, pieces)
        return whole


def _texts_of_calls(calls: list[Message]) -> list[str]:
    texts = []
    for call in calls:
        if isinstance(function := call.get("function"), dict):
            texts += [function.get("name"), function.get("arguments")]
    return [text for text in texts if isinstance(text, str)]
