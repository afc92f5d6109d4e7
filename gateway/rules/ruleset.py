"""Rule sets: the first rule whose condition holds is the one that counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.rules.conditions import Condition
    from gateway.rules.verdict import Verdict
    from routers.types import Feature

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """A condition, and what it leads to. Rules of higher priority are asked first."""

    name: str
    priority: int
    condition: Condition
    payload: T


@dataclass(frozen=True, slots=True)
class Judged(Generic[T]):
    """A rule, the verdict on its condition, and whether its turn came before another rule matched."""

    rule: Rule[T]
    verdict: Verdict
    reached: bool

    def __str__(self) -> str:
        outcome = {True: "holds", False: "does not hold", None: "is unknown"}[self.verdict.holds]
        return f"{self.rule.name!r} {outcome if self.reached else f'not reached; {outcome}'}: {self.verdict}"


@dataclass(slots=True)
class Match(Generic[T]):
    """The rule that matched, or None, and the rules that were asked, itself the last of them.

    `features` are those that were matched: change them, and `verdicts` changes with them.
    """

    rule: Rule[T] | None
    asked: tuple[Rule[T], ...]
    features: Mapping[str, Feature]

    def verdicts(self) -> tuple[Judged[T], ...]:
        """Return the verdict on every rule that was asked; worked out now, not when the rules were matched."""
        return tuple(Judged(rule, rule.condition.check(self.features), reached=True) for rule in self.asked)


class RuleSet(Generic[T]):
    """Rules in the order in which they are asked: higher priority first, then as written."""

    def __init__(self, rules: Iterable[Rule[T]]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: -rule.priority))
        self._tests = tuple(rule.condition.holds for rule in self.rules)

    @property
    def features(self) -> frozenset[str]:
        """Return the features that the rules read."""
        return frozenset[str]().union(*(rule.condition.features for rule in self.rules))

    def match(self, features: Mapping[str, Feature]) -> Match[T]:
        """Return the first rule whose condition definitely holds: one that is unknown is passed over."""
        for n, test in enumerate(self._tests):
            if test(features):
                return Match(self.rules[n], self.rules[: n + 1], features)
        return Match(None, self.rules, features)

    def explain(self, features: Mapping[str, Feature]) -> tuple[Judged[T], ...]:
        """Return the verdict on every rule, also on those whose turn does not come."""
        asked = len(self.match(features).asked)
        return tuple(
            Judged(rule, rule.condition.check(features), reached=n < asked) for n, rule in enumerate(self.rules)
        )
