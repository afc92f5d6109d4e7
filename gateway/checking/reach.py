"""Models and policies that no request comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.checking.finding import Finding
from gateway.policy import Policy
from routers.efforts import base_of
from routers.fixed import Fixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.checking.subject import Subject
    from gateway.config.files import Files
    from gateway.route import Route


def reached(route: Route) -> set[str]:
    """Return the models that may be asked on a route: by choice, or as fallback."""
    pool = {candidate.model for candidate in route.pool}
    chosen = pool & route.router.named if isinstance(route.router, Fixed) else pool
    if route.attempts == 1:
        return chosen
    return chosen | (pool if route.fallback is None else pool & set(route.fallback))


def unreached_models(files: Files, subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Yield the models that no policy can come to. Without policies they are there to be asked by name."""
    found = set[str]().union(*(reached(route) for subject in subjects for _, route in subject.routes()))
    asked = {base_of(model) for model in found}
    for model in files.config.models if subjects else ():
        if base_of(model) not in asked:
            yield Finding(
                files.document,
                ("models", model),
                "no policy can come to this model: it answers only where it is asked for by name",
            )


def unreached_policies(subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Yield the policies that rules lead to, but only rules that never count."""
    alive = {name for subject in subjects for name in _led_to(subject, dead=False).values()}
    for subject in subjects:
        for n, name in _led_to(subject, dead=True).items():
            if name not in alive:
                yield subject.finding(
                    ("rules", n, "policy"), f"only rules that never count lead to the policy {name!r}"
                )


def unread_defaults(subject: Subject) -> Iterator[Finding]:
    """Yield the defaults that change nothing."""
    policy = subject.policy
    for feature in sorted(policy.defaults.keys() - policy.rules.features - policy.projections.features):
        yield subject.finding(
            ("defaults", feature),
            "neither a rule nor a projection of this policy reads it: the default changes nothing",
        )


def _led_to(subject: Subject, *, dead: bool) -> Mapping[int, str]:
    """Return the policies that rules lead to, by the rule's place; of dead rules, or of the others."""
    return {
        n: rule.payload.leads_to.name
        for n, rule in subject.rules()
        if isinstance(rule.payload.leads_to, Policy) and (rule.name in subject.dead) == dead
    }
