"""The vocabulary of the cache: what a policy says of it, whose answers are whose, what is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from gateway.caching.likeness import Freedom

#: Who may be given an answer that another request got: its key alone, the key's team, or everyone.
Scope = Literal["key", "team", "everyone"]
#: How a request was answered from the cache.
Way = Literal["exact", "semantic"]
#: What came of a lookup; `bypassed`: the request, or its client, wants none; `away`: the store did not answer.
Looked = Literal["exact", "semantic", "miss", "bypassed", "away"]
#: What came of an answer; `unfit`: it is not complete, or not to be given again; `dropped`: too many were to be kept.
Written = Literal["kept", "unfit", "too_large", "dropped", "away"]


@dataclass(frozen=True, slots=True)
class Semantic:
    """From which cosine on two questions are the same, and how far their words may differ."""

    threshold: float
    wording: Freedom = "same"


@dataclass(frozen=True, slots=True)
class CacheRules:
    """What a policy says of its answers.

    `tools` tells whether requests with tools are looked up too, `zero` whether only those of temperature 0 are, `cut`
    whether an answer that ended at its limit of tokens is kept.
    """

    exact: bool = True
    semantic: Semantic | None = None
    ttl_s: float = 3600.0
    scope: Scope = "key"
    tools: bool = False
    zero: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose request it is: what identifies the key, and its team. An empty key is that of a gateway without keys."""

    key: str = ""
    team: str = ""

    def within(self, scope: Scope) -> tuple[str, str]:
        """Return who shares an answer; who has no team shares with nobody."""
        if scope == "everyone":
            return "everyone", ""
        return ("team", self.team) if scope == "team" and self.team else ("key", self.key)


@dataclass(frozen=True, slots=True)
class Sight:
    """An encoder as the cache sees it: which one it is, and how many tokens of a text it reads."""

    digest: str
    max_tokens: int


class Counts(Protocol):
    """Counts what the cache does, by the name of the policy."""

    def looked(self, policy: str, result: Looked) -> None:
        """Count a lookup."""
        ...

    def wrote(self, policy: str, result: Written) -> None:
        """Count an answer that was to be kept."""
        ...
