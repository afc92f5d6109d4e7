"""How endpoints are told to reason more or less: each vendor has members of its own for it.

A style says which members of the request an effort becomes, and which efforts it has members for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from providers.types import ChatRequest, Target

    #: Returns the members that are to be set in a request.
    Members = Callable[[ChatRequest, Target], dict[str, Any]]

#: Efforts in the words of OpenAI's API, from none to most.
EVERY_LEVEL: Final = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
#: In a mapping as users write it, what stands for the number of tokens.
TOKENS: Final = "{tokens}"


@dataclass(frozen=True, slots=True)
class Style:
    """How one kind of endpoint is told: the members, the levels that it knows, and whether it takes a budget."""

    members: Members
    levels: frozenset[str] = EVERY_LEVEL
    budgets: bool = False

    def lacks(self, level: str | None, budget: int | None) -> str | None:
        """Return what it cannot be told, in words; None where it can."""
        if budget is not None and not self.budgets:
            return "a budget of tokens"
        if level is not None and level not in self.levels:
            return f"the effort {level!r}"
        return None


def _by_effort(_: ChatRequest, target: Target) -> dict[str, Any]:
    effort = "none" if target.reasoning is False else target.effort
    return {} if effort is None else {"reasoning_effort": effort}


def _by_object(chat: ChatRequest, target: Target) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if target.effort is not None and target.reasoning is not False:
        changes["effort"] = target.effort
    if target.budget is not None:
        changes["max_tokens"] = target.budget
    if target.reasoning is not None:
        changes["enabled"] = target.reasoning
    if not changes:
        return {}
    # How much to reason is said once: an effort, a number of tokens, and the older member exclude each other.
    replaced = () if changes == {"enabled": True} else ("effort", "max_tokens", "enabled")
    kept = {key: value for key, value in _member(chat, "reasoning").items() if key not in replaced}
    return {"reasoning": {**kept, **changes}, **(_silenced(chat) if replaced else {})}


def _by_template(budget: str) -> Members:
    """Return the members for weights that one serves oneself; `budget` is the one for a number of tokens."""

    def members(chat: ChatRequest, target: Target) -> dict[str, Any]:
        changes: dict[str, Any] = {} if target.effort is None else {"reasoning_effort": target.effort}
        reasoning = True if target.budget is not None else target.reasoning
        if reasoning is not None:
            changes["chat_template_kwargs"] = {**_member(chat, "chat_template_kwargs"), "enable_thinking": reasoning}
        if target.budget is not None:
            changes[budget] = target.budget
        says_other = target.effort is None and (target.budget is not None or target.reasoning is False)
        return {**changes, **(_silenced(chat) if says_other else {})}

    return members


def _by_anthropic(chat: ChatRequest, target: Target) -> dict[str, Any]:
    if target.reasoning is False:
        return {"thinking": {"type": "disabled"}, **_silenced(chat)}
    if target.budget is not None:
        return {"thinking": {"type": "enabled", "budget_tokens": target.budget}, **_silenced(chat)}
    changes: dict[str, Any] = {"thinking": {"type": "adaptive"}} if target.effort or target.reasoning else {}
    if target.effort is not None:
        changes["output_config"] = {**_member(chat, "output_config"), "effort": target.effort}
        changes |= _silenced(chat)
    return changes


def _by_deepseek(chat: ChatRequest, target: Target) -> dict[str, Any]:
    if target.reasoning is False:
        return {"thinking": {"type": "disabled"}, **_silenced(chat)}
    if target.effort is None:
        return {"thinking": {"type": "enabled"}} if target.reasoning else {}
    return {"thinking": {"type": "enabled"}, "reasoning_effort": target.effort}


def _by_google(chat: ChatRequest, target: Target) -> dict[str, Any]:
    if target.budget is None:
        return _by_effort(chat, target)
    own = _member(chat, "extra_body")
    google = own.get("google") if isinstance(own.get("google"), dict) else {}
    thinking = {"google": {**(google or {}), "thinking_config": {"thinking_budget": target.budget}}}
    return {"extra_body": {**own, **thinking}, **_silenced(chat)}


def _by_qwen(chat: ChatRequest, target: Target) -> dict[str, Any]:
    if target.budget is not None:
        return {"enable_thinking": True, "thinking_budget": target.budget, **_silenced(chat)}
    if target.reasoning is None:
        return {} if target.effort is None else {"enable_thinking": True}
    return {"enable_thinking": target.reasoning, **({} if target.reasoning else _silenced(chat))}


#: By the names that the vendors' table and users have for them.
STYLES: Final[Mapping[str, Style]] = {
    "effort": Style(_by_effort),
    "object": Style(_by_object, EVERY_LEVEL - {"max"}, budgets=True),
    "template": Style(_by_template("thinking_token_budget"), budgets=True),
    "llama.cpp": Style(_by_template("thinking_budget_tokens"), budgets=True),
    "anthropic": Style(_by_anthropic, EVERY_LEVEL - {"minimal"}, budgets=True),
    "deepseek": Style(_by_deepseek, frozenset({"none", "low", "high", "max"})),
    "google": Style(_by_google, EVERY_LEVEL - {"xhigh", "max"}, budgets=True),
    "mistral": Style(_by_effort, frozenset({"none", "high"})),
    "qwen": Style(_by_qwen, frozenset({"none"}), budgets=True),
}


def written(mapping: Mapping[str, Mapping[str, Any]]) -> Style:
    """Return the style that a mapping of efforts to members is; `budget` stands for any number of tokens.

    A member that is an object is added to the client's own.
    """

    def members(chat: ChatRequest, target: Target) -> dict[str, Any]:
        level = "budget" if target.budget is not None else "none" if target.reasoning is False else target.effort
        found = mapping.get(level or "", {})
        filled = {name: _filled(value, target.budget) for name, value in found.items()}
        return {
            name: {**_member(chat, name), **value} if isinstance(value, dict) else value
            for name, value in filled.items()
        }

    return Style(members, frozenset(mapping) - {"budget"}, budgets="budget" in mapping)


def _filled(value: Any, tokens: int | None) -> Any:
    """Return a value with the number of tokens where it is wanted."""
    if isinstance(value, dict):
        return {name: _filled(one, tokens) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, tokens) for one in value]
    return tokens if value == TOKENS else value


def _silenced(chat: ChatRequest) -> dict[str, Any]:
    """Return what takes the client's own effort back, which would be said beside another one."""
    return {"reasoning_effort": None} if "reasoning_effort" in chat.body else {}


def _member(chat: ChatRequest, key: str) -> dict[str, Any]:
    """Return a member that is an object; empty where the client sent none, or something else."""
    value = chat.body.get(key)
    return value if isinstance(value, dict) else {}
