"""Fallbacks that nobody falls back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.eligibility import CAPABILITY_OF
from gateway.rules.expressions import AllOf, Atom
from gateway.rules.operators import Operator
from routers.fixed import Fixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.checking.finding import Finding
    from gateway.checking.subject import Subject
    from gateway.config.loader import Place
    from gateway.eligibility import Eligibility
    from gateway.route import Route
    from gateway.rules.expressions import Expression

#: Truths that tell what a request needs of a model.
_TRUTHS: Final[Mapping[str, str]] = {"images": "vision", "tools": "tools"}


def fallback_findings(subject: Subject, eligibility: Eligibility) -> Iterator[Finding]:
    """Yield what is wrong with the fallbacks of a policy, and with pools that cannot take what a rule sends them."""
    config = subject.file.config
    for place, route in subject.routes():
        written = config.rules[int(place[1])].fallback if place else config.fallback
        yield from _unused(subject, place, route, is_written=written is not None)
    routes = dict(subject.routes())
    for n, rule in subject.rules():
        route_of = routes.get(("rules", n))
        if route_of is not None and (needed := needed_by(rule.condition.expression)):
            yield from _incapable(subject, ("rules", n), route_of, needed, eligibility)


def needed_by(expression: Expression) -> frozenset[str]:
    """Return the capabilities that every request needs which a condition holds for, as far as it says so plainly."""
    if isinstance(expression, AllOf):
        return frozenset[str]().union(*map(needed_by, expression.parts))
    if not isinstance(expression, Atom):
        return frozenset()
    if expression.operator is Operator.TRUE and expression.feature in _TRUTHS:
        return frozenset({_TRUTHS[expression.feature]})
    values = expression.operand if isinstance(expression.operand, tuple) else ()
    certain = expression.operator is Operator.ALL_OF or (expression.operator is Operator.ANY_OF and len(values) == 1)
    if expression.feature != "needs" or not certain:
        return frozenset()
    capabilities = (CAPABILITY_OF.get(str(need), str(need)) for need in values)
    return frozenset(capability for capability in capabilities if capability is not None)


def _unused(subject: Subject, place: Place, route: Route, *, is_written: bool) -> Iterator[Finding]:
    pool = {candidate.model for candidate in route.pool}
    first = route.router.named & pool if isinstance(route.router, Fixed) else pool if len(pool) == 1 else frozenset()
    if not is_written or route.fallback is None:
        return
    where = (*place, "fallback")
    if not route.fallback and (route.attempts or 1) > 1:
        yield subject.finding(
            where, f"is empty, so that there is one call, although limits.attempts is {route.attempts}"
        )
    elif route.fallback and route.attempts == 1:
        yield subject.finding(where, "is never asked: limits.attempts is 1")
    elif route.fallback and set(route.fallback) <= first:
        yield subject.finding(where, f"names only {route.fallback[0]!r}, which is asked first: nobody stands in for it")


def _incapable(
    subject: Subject, place: Place, route: Route, needed: frozenset[str], eligibility: Eligibility
) -> Iterator[Finding]:
    lacking = {candidate.model: _lacks(candidate.model, needed, eligibility) for candidate in route.pool}
    if all(lacking.values()):
        wanted = ", ".join(sorted(needed))
        yield subject.finding((*place, "pool"), f"no model of it has {wanted}, which the rule's condition demands")
        return
    for model in route.fallback or ():
        if missing := lacking[model]:
            yield subject.finding(
                (*place, "fallback"),
                f"{model!r} is never asked: it lacks {', '.join(sorted(missing))}, which the rule's condition demands",
            )


def _lacks(model: str, needed: frozenset[str], eligibility: Eligibility) -> frozenset[str]:
    capabilities = eligibility.abilities[model].capabilities
    return frozenset() if capabilities is None else needed - capabilities
