"""Decides logged requests again, by a configuration and by what the log knows of them. What it lacks is not guessed.

The log has no requests, only what was found out about them. So no model rests, no session has begun, the dial is where
the request asked for it, however scarce money was, and a key forbids what the log says that it forbade. Nobody is
explored with who did not want it, and money for that is there unless the log says that it was spent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from gateway.constraints import Constraints
from gateway.data_class import classify
from gateway.demands import nobody_eligible
from gateway.dial import pressed, turned
from gateway.eligibility import Demand, expected_cost_usd
from gateway.errors import RequestError, RequestRejected
from gateway.redeciding.possible import may_hold, with_dependents
from gateway.redeciding.redecided import Choice, Rejected, Untold
from gateway.route import Refusal, Route
from gateway.rules.features import with_defaults
from gateway.rules.projections import apply
from gateway.signals.base import Request
from routers.estimators.wording import Wording
from routers.implementing import implements
from routers.observations import unexplored
from routers.types import Call, Context, Dialled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.data_class import DataClassRules
    from gateway.exploration.rules import Because
    from gateway.policy import Effect, Policy, Resolved
    from gateway.redeciding.logged_request import LoggedRequest
    from gateway.redeciding.redecided import Redecided, Side
    from gateway.rules.ruleset import Rule
    from routers.types import Candidate, Feature, Router

#: What a request depends on that turned the dial before that was logged.
ASKED: Final = "the dial that was asked for"
#: Why a request is explored with by no policy: whoever sent it does not want it.
OPTED_OUT: Final[frozenset[Because | None]] = frozenset({"caller", "request"})
#: Why it is not by one with a cap on what that may cost.
OUT_OF_MONEY: Final[frozenset[Because | None]] = frozenset({"budget", "cost_unknown"})
#: Two dials that are no further apart are one: reasons have six digits.
SAME: Final = 1e-4


class _UntoldError(Exception):
    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__(f"the log lacks {', '.join(sorted(missing))}")
        self.missing = missing


def redecide(request: LoggedRequest, side: Side) -> Redecided:
    """Return what a configuration makes of a logged request."""
    path = _Path()
    try:
        name = side.name_of(request.decision.requested_model, request.decision.policy)
        return _decide(request, side, side.policies.resolve(name), path)
    except _UntoldError as error:
        return Untold(error.missing)
    except RequestError as error:
        return Rejected(path.rule, error.code or "invalid_request")


@dataclass(slots=True)
class _Path:
    """The rules that have matched so far, and of the policies on the way the data classes and the dial's bounds."""

    rules: list[str] = field(default_factory=list)
    claims: set[str] = field(default_factory=set)
    dial: tuple[float, float] = (0.0, 1.0)

    @property
    def rule(self) -> str | None:
        return "/".join(self.rules) or None


def _decide(request: LoggedRequest, side: Side, resolved: Resolved, path: _Path) -> Choice:
    """Return the choice. Raises `RequestError` where nobody answers, and `_UntoldError`."""
    policy, known = resolved.policy, dict(request.features)
    if side.clock is not None:
        known |= side.clock.read(Request({}, "", request.decision.at), None)
    while True:
        if policy.data_class is not None:
            path.claims.add(policy.data_class)
        path.dial = max(path.dial[0], policy.dial[0]), min(path.dial[1], policy.dial[1])
        rule = _match(policy, known, request, side)
        if rule is not None:
            path.rules.append(rule.name)
        leads_to = rule.payload.leads_to if rule else policy.route
        if isinstance(leads_to, Refusal):
            raise RequestRejected(leads_to.message)
        if isinstance(leads_to, Route):
            weight = resolved.quality_weight if request.dial is None else request.dial
            router = turned(leads_to.router, weight, policy, path.dial)
            _require_dial(router, request)
            if not _explores(policy, request):
                router = unexplored(router) or router
            return _choice(request, side, leads_to, router, path)
        policy = leads_to


def _explores(policy: Policy, request: LoggedRequest) -> bool:
    """Tell whether a policy explores with a request: not if nobody was to then.

    Nor if the money for it was spent, or no cost known; a policy without a cap would explore with it all the same.
    """
    if not policy.exploration.enabled or request.unexplored in OPTED_OUT:
        return False
    return policy.exploration.max_usd_per_day is None or request.unexplored not in OUT_OF_MONEY


def _match(policy: Policy, known: Mapping[str, Feature], request: LoggedRequest, side: Side) -> Rule[Effect] | None:
    """Return the rule that matches. Raises `_UntoldError` where that depends on what the log lacks."""
    read = policy.rules.features | policy.projections.features
    wanted = read - policy.projections.provides.keys() - known.keys() | read & side.stale
    lacking = request.unseen(wanted, side.stale)
    unseen = with_dependents(lacking, policy.projections)
    seen = {name: value for name, value in known.items() if name not in lacking}
    # A default stands in for what was not found; this was not looked for.
    defaults = {name: value for name, value in policy.defaults.items() if name not in lacking}
    features = apply(policy.projections, with_defaults(seen, defaults))
    for rule in policy.rules.rules:
        holds = may_hold(rule.condition.expression, features, unseen)
        if holds is None:
            derived = policy.projections.features if rule.condition.features - lacking & unseen else frozenset[str]()
            raise _UntoldError((rule.condition.features | derived) & lacking)
        if holds:
            return rule
    return None


def _choice(request: LoggedRequest, side: Side, route: Route, router: Router, path: _Path) -> Choice:
    _require(router, request, side)
    demand = _demand(request, side, route, path)
    removed = side.eligibility.removed(route.pool, demand)
    pool = tuple(candidate for candidate in route.pool if candidate.model not in removed)
    if not pool:
        raise nobody_eligible(removed)
    features = dict(request.features)
    text = request.decision.text or ""
    router = route.standing_in(pool) or router
    call = _first_call(router, Context(text, demand.prompt_tokens, request.embedding, features), pool)
    prices = {candidate.model: expected_cost_usd(candidate, demand) for candidate in pool}
    return Choice(
        rule=path.rule,
        propensities=call.propensities,
        rewards={model: estimate.mean for model, estimate in call.estimates.items()},
        costs_usd=call.expected_cost_usd,
        prices_usd={model: float(usd) for model, usd in prices.items() if usd is not None},
        planned=not call.final,
    )


def _first_call(router: Router, context: Context, pool: Sequence[Candidate]) -> Call:
    plan = router.plan(context, pool, Random(0))  # noqa: S311 - only the distribution is looked at
    try:
        return next(plan)
    except StopIteration as end:
        raise RequestRejected(end.value.reason) from end


def _require(router: Router, request: LoggedRequest, side: Side) -> None:
    """Raise `_UntoldError` where the router reads what the log lacks."""
    missing = router.requires - request.read | router.requires & side.stale
    if reads_text(router) and request.decision.text is None:
        missing |= {"text"}
    if missing:
        raise _UntoldError(missing)


def _require_dial(router: Router, request: LoggedRequest) -> None:
    """Raise `_UntoldError` where the log shows the dial elsewhere, and does not say that the request had turned it."""
    if (seen := request.weight_in_force) is None:
        return
    here = pressed(router, request.price_of_money)
    if implements(here, Dialled) and not math.isclose(seen, here.quality_weight, rel_tol=SAME, abs_tol=SAME):
        raise _UntoldError(frozenset({ASKED}))


def reads_text(part: object) -> bool:
    """Tell whether a router, or a router or an estimator within it, reads the text itself."""
    inner = (getattr(part, "router", None), getattr(part, "estimator", None), *getattr(part, "members", ()))
    return isinstance(part, Wording) or any(reads_text(one) for one in inner if one is not None)


def _demand(request: LoggedRequest, side: Side, route: Route, path: _Path) -> Demand:
    """Return what the request asks of models, as far as its features tell."""
    features = request.features
    abilities = (side.eligibility.abilities.get(candidate.model) for candidate in route.pool)
    lacking = request.unseen({"needs"} if any(one and one.capabilities is not None for one in abilities) else (), ())
    if side.data_classes is not None and side.data_classes.reads_pii:
        lacking |= request.unseen({"pii"}, ())
    if lacking:
        raise _UntoldError(lacking)
    needs, limit = features.get("needs"), features.get("completion_tokens_limit")
    return Demand(
        constraints=route.bounds.tightened(Constraints(deny=request.denied)),
        needs=frozenset(needs) if isinstance(needs, tuple) else frozenset(),
        prompt_tokens=int(_number(features.get("prompt_tokens")) or 0),
        exact=features.get("length.exact") is True,
        completion_tokens=None if (tokens := _number(limit)) is None else int(tokens),
        data_class=_data_class(request, side.data_classes, path),
    )


def _data_class(request: LoggedRequest, rules: DataClassRules | None, path: _Path) -> str | None:
    if rules is None:
        return None
    claims = {name for name in request.claimed if name in rules.classes.names}
    return classify(rules, claims | path.claims, request.features).name


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
