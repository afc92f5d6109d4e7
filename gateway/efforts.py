"""How much a client asks a model to reason: said in one of the members that endpoints have for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from routers.efforts import AS_ASKED, MOST_TOKENS, Effort

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Body = Mapping[str, Any]

_NONE: Final = Effort(level="none")
#: The members that are read: most requests have none of them.
_MEMBERS: Final = frozenset(
    {
        "reasoning_effort",
        "reasoning",
        "thinking",
        "output_config",
        "enable_thinking",
        "chat_template_kwargs",
        "thinking_budget",
        "thinking_token_budget",
        "thinking_budget_tokens",
        "extra_body",
    }
)


def effort_asked(body: Body) -> Effort:
    """Return the effort that a request asks for; none in particular where it says nothing that can be read.

    Reasoning that is just turned on is no effort in particular, and null says nothing.
    """
    if _MEMBERS.isdisjoint(body):
        return AS_ASKED
    return next((effort for read in _READERS if (effort := read(body)) is not None), AS_ASKED)


def _effort(body: Body) -> Effort | None:
    return _level(body.get("reasoning_effort"))


def _reasoning(body: Body) -> Effort | None:
    """Read OpenRouter's object."""
    said = _object(body, "reasoning")
    if said.get("enabled") is False:
        return _NONE
    return _level(said.get("effort")) or _budget(said.get("max_tokens"))


def _thinking(body: Body) -> Effort | None:
    """Read Anthropic's object, and DeepSeek's."""
    said = _object(body, "thinking")
    if said.get("type") == "disabled":
        return _NONE
    return _budget(said.get("budget_tokens")) or _level(_object(body, "output_config").get("effort"))


def _switches(body: Body) -> Effort | None:
    """Read the switches of those who serve weights: Qwen's, and of chat templates."""
    switches = (body.get("enable_thinking"), _object(body, "chat_template_kwargs").get("enable_thinking"))
    if False in [switch for switch in switches if isinstance(switch, bool)]:
        return _NONE
    budgets = (body.get(name) for name in ("thinking_budget", "thinking_token_budget", "thinking_budget_tokens"))
    return next((effort for tokens in budgets if (effort := _budget(tokens)) is not None), None)


def _google(body: Body) -> Effort | None:
    said = _object(_object(_object(body, "extra_body"), "google"), "thinking_config")
    return _level(said.get("thinking_level")) or _budget(said.get("thinking_budget"))


_READERS: Final[tuple[Callable[[Body], Effort | None], ...]] = (_effort, _reasoning, _thinking, _switches, _google)


def _level(said: object) -> Effort | None:
    """Return a level; one that nobody here knows is another than all candidates'."""
    if not isinstance(said, str) or not said:
        return None
    level = said.lower()
    return _NONE if level == "off" else Effort(level=level)


def _budget(said: object) -> Effort | None:
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        return None
    return Effort(budget=min(said, MOST_TOKENS)) if said else _NONE


def _object(body: Body, name: str) -> Body:
    value = body.get(name)
    return value if isinstance(value, dict) else {}
