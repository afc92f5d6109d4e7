"""A policy as it is checked: as written and as built, with the rules that can count told from those that cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.checking.finding import Finding
from gateway.route import Route
from gateway.rules.conditions import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.files import PolicyFile
    from gateway.config.loader import Place
    from gateway.policy import Effect, Policy
    from gateway.rules.ruleset import Rule

#: Findings of rules that never count.
DEAD = frozenset({"never_holds", "never_reached"})


@dataclass(frozen=True, slots=True)
class Subject:
    """A policy under check. `dead` are the names of rules that never count."""

    file: PolicyFile
    policy: Policy
    dead: frozenset[str] = frozenset()
    #: Where each rule stands in the file, in the order in which rules are asked.
    order: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Find the order."""
        rules = self.file.config.rules
        object.__setattr__(self, "order", tuple(sorted(range(len(rules)), key=lambda n: -rules[n].priority)))

    def rules(self) -> Iterator[tuple[int, Rule[Effect]]]:
        """Yield each rule with its place in the file, in the order in which they are asked."""
        yield from zip(self.order, self.policy.rules.rules, strict=True)

    def place_of(self, rule: str) -> Place:
        """Return where the rule of that name is written, the first of that name."""
        return ("rules", next(n for n, one in enumerate(self.file.config.rules) if one.name == rule))

    @property
    def falls_through(self) -> bool:
        """Tell whether a request may match no rule."""
        return not any(rule.condition == ALWAYS for _, rule in self.rules())

    def routes(self) -> Iterator[tuple[Place, Route]]:
        """Yield the routes of the policy's own that a request may be given, each with where it is written."""
        if self.falls_through:
            yield (), self.policy.route
        for n, rule in self.rules():
            leads_to = rule.payload.leads_to
            if rule.name not in self.dead and isinstance(leads_to, Route):
                yield ("rules", n), leads_to

    def finding(self, place: Place, message: str) -> Finding:
        """Return a finding about the policy's file."""
        return Finding(self.file.document, place, message)
