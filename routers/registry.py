"""Components by name: what a configuration may call for, and how it becomes an object.

A component is a class whose constructor arguments are its configuration. Nothing is imported before it
is named. Other distributions add their own under the entry points that `GROUPS` names.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from routers.options import BadOption, ComponentError, Kind, Option, UnknownComponent, check_options, options_of
from routers.rules.floor import FLOOR, TOTAL, Floor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.metadata import EntryPoints

    from routers.types import Costs, Estimator, Gate, Router, Rule, Utility

#: Where other distributions add a component of each kind.
GROUPS: Mapping[Kind, str] = {
    "router": "pointsman.routers",
    "estimator": "pointsman.estimators",
    "rule": "pointsman.rules",
    "utility": "pointsman.utilities",
    "costs": "pointsman.costs",
    "gate": "pointsman.gates",
}

#: Our own, as "module:Class". `Floor` is no type of its own: it is the options `floor` and `total` of every rule.
BUILT_IN: Mapping[Kind, Mapping[str, str]] = {
    "router": {
        "agent": "routers.agent:Agent",
        "best_of": "routers.plans.best_of:BestOf",
        "cascade": "routers.plans.cascade:Cascade",
        "cascade_routing": "routers.plans.cascade_routing:CascadeRouting",
        "cheapest": "routers.cheapest:Cheapest",
        "cluster_bandit": "routers.cluster_bandit:ClusterBanditRouter",
        "ema": "routers.ema:EmaRouter",
        "epsilon_greedy": "routers.epsilon_greedy:EpsilonGreedy",
        "estimating": "routers.estimating:EstimatingRouter",
        "exp3": "routers.exp3:Exp3",
        "fixed": "routers.fixed:Fixed",
        "lin_thompson": "routers.lin_thompson:LinThompson",
        "lin_ucb": "routers.lin_ucb:LinUcb",
        "orchestrator": "routers.plans.orchestrator:Orchestrator",
        "panel": "routers.plans.panel:Panel",
        "preference_bandit": "routers.preference_bandit:PreferenceBandit",
        "prefilter": "routers.prefilter:prefilter",
        "probe_expand": "routers.plans.probe_expand:ProbeExpand",
        "promise": "routers.promise:Promise",
        "random": "routers.random_choice:RandomChoice",
        "recommended": "routers.recommended:Recommended",
        "self_consistency": "routers.plans.self_consistency:SelfConsistency",
        "softmax": "routers.boltzmann:Boltzmann",
        "tiers": "routers.plans.tiers:Tiers",
        "weighted": "routers.weighted:Weighted",
        "zero": "routers.zero:Zero",
    },
    "estimator": {
        "bayesian_linear": "routers.estimators.bayesian_linear:BayesianLinear",
        "cluster": "routers.estimators.cluster:Cluster",
        "cluster_bandit": "routers.estimators.cluster_bandit:ClusterBandit",
        "constant": "routers.estimators.constant:Constant",
        "contrastive": "routers.estimators.contrastive:Contrastive",
        "ema": "routers.estimators.ema:Ema",
        "ensemble": "routers.estimators.ensemble:Ensemble",
        "forest": "routers.estimators.forest:Forest",
        "graph": "routers.estimators.graph:Graph",
        "importance": "routers.estimators.importance:Importance",
        "irt": "routers.estimators.irt:IRT",
        "knn": "routers.estimators.knn:KNN",
        "logistic": "routers.estimators.logistic:Logistic",
        "matrix_factorization": "routers.estimators.matrix_factorization:MatrixFactorization",
        "mlp": "routers.estimators.mlp:MLP",
        "neural_linear": "routers.estimators.neural_linear:NeuralLinear",
        "ridge": "routers.estimators.ridge:Ridge",
        "similarity_bradley_terry": "routers.estimators.similarity_bradley_terry:SimilarityBradleyTerry",
        "task": "routers.estimators.task:Task",
        "trust": "routers.estimators.trust:Trust",
        "wording": "routers.estimators.wording:Wording",
    },
    "rule": {
        "epsilon": "routers.rules.epsilon:Epsilon",
        "greedy": "routers.rules.greedy:Greedy",
        "softmax": "routers.rules.softmax:Softmax",
        "thompson": "routers.rules.thompson:Thompson",
        "ucb": "routers.rules.ucb:Ucb",
    },
    "utility": {
        "adequate": "routers.utilities.adequate:Adequate",
        "affordable": "routers.utilities.affordable:Affordable",
        "chebyshev": "routers.utilities.chebyshev:Chebyshev",
        "convex": "routers.utilities.convex:Convex",
        "linear": "routers.utilities.linear:Linear",
        "preference": "routers.utilities.preference:Preference",
        "threshold": "routers.utilities.threshold:Threshold",
    },
    "gate": {
        "agreement": "routers.gates.agreement:Agreement",
        "all_of": "routers.gates.combined:AllOf",
        "calibrated": "routers.gates.calibrated:Calibrated",
        "combined": "routers.gates.combined:Combined",
        "expected": "routers.gates.expected:Expected",
        "judge": "routers.gates.judge:Judge",
        "logprob": "routers.gates.logprob:Logprob",
        "self_verification": "routers.gates.self_verification:SelfVerification",
        "similarity": "routers.gates.similarity:Similarity",
        "wellformed": "routers.gates.wellformed:Wellformed",
    },
    "costs": {
        "energy": "routers.costs.energy:Energy",
        "mean": "routers.costs.mean:Mean",
        "regression": "routers.costs.regression:Regression",
        "running": "routers.costs.running:Running",
    },
}

#: Every candidate keeps this chance unless the rule's specification says otherwise.
DEFAULT_FLOOR = FLOOR

_FLOOR_OPTIONS = (
    Option("floor", "float", required=False, default=DEFAULT_FLOOR),
    # At least `floor` itself: whoever writes `floor: 0.5` means it.
    Option("total", "float | None", required=False, default=TOTAL),
)


def components(kind: Kind) -> dict[str, str]:
    """Return the known names of a kind, each with its "module:Class".

    Raises `ComponentError` where another distribution claims a name of ours for something else.
    """
    table, group = dict(BUILT_IN[kind]), GROUPS[kind]
    for entry in _entries(group, _installed()):
        if table.setdefault(entry.name, entry.value) != entry.value:
            raise ComponentError(
                "",
                f"entry point {group}: {entry.name!r} is {table[entry.name]} already and "
                f"cannot be {entry.value} too; rename the entry point",
            )
    return dict(sorted(table.items()))


def _installed() -> tuple[tuple[str, int], ...]:
    """Return where distributions are looked for, and when each place last changed: installing one changes it."""
    places = (Path(place) for place in sys.path)
    return tuple((str(place), place.stat().st_mtime_ns) for place in places if place.is_dir())


@lru_cache(maxsize=2 * len(GROUPS))
def _entries(group: str, installed: tuple[tuple[str, int], ...]) -> EntryPoints:
    """Return the entry points of a group. All distributions have to be read for it, so once is enough."""
    del installed
    return entry_points(group=group)


def component(kind: Kind, name: str, path: str = "") -> Callable[..., object]:
    """Import and return the class of that name. Raises `UnknownComponent` and `ComponentError`."""
    known = components(kind)
    where = f"{path}.type" if path else ""
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f" did you mean {close[0]!r}?" if close else ""
        raise UnknownComponent(where, f"unknown {kind} {name!r};{hint} known are {', '.join(known)}")
    module, _, attribute = known[name].partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ComponentError(where, f"{kind} {name!r} cannot be loaded from {known[name]}: {error}") from error
    return cast("Callable[..., object]", found)  # what an entry point names is its author's promise


def describe(kind: Kind) -> dict[str, tuple[Option, ...]]:
    """Return the options of every component of a kind, by the component's name."""
    shared = _FLOOR_OPTIONS if kind == "rule" else ()
    return {name: options_of(component(kind, name)) + shared for name in components(kind)}


def build_router(spec: Mapping[str, Any], path: str = "router") -> Router:
    """Build what `{"type": ..., option: value}` describes; an option may be a specification in turn.

    `path` is where the specification stands, for messages. Raises `ComponentError`, of which
    `UnknownComponent` and `BadOption` are two.

    >>> rule = {"type": "thompson", "floor": 0.05}
    >>> router = build_router({"type": "estimating", "estimator": {"type": "knn"}, "rule": rule})
    >>> sorted(router.requires)
    ['embedding']
    """
    return cast("Router", _build("router", spec, path))


def build_estimator(spec: Mapping[str, Any], path: str = "estimator") -> Estimator:
    """Build an estimator, as `build_router` does."""
    return cast("Estimator", _build("estimator", spec, path))


def build_rule(spec: Mapping[str, Any], path: str = "rule") -> Rule:
    """Build a rule, as `build_router` does. `floor` and `total` go with any; a floor of 0 is none.

    >>> from routers.types import Estimate
    >>> build_rule({"type": "greedy", "floor": 0}).distribution([Estimate(0.2), Estimate(0.9)])
    [0.0, 1.0]
    """
    return cast("Rule", _build("rule", spec, path))


def build_utility(spec: Mapping[str, Any], path: str = "utility") -> Utility:
    """Build a utility, as `build_router` does."""
    return cast("Utility", _build("utility", spec, path))


def build_costs(spec: Mapping[str, Any], path: str = "costs") -> Costs:
    """Build a cost model, as `build_router` does."""
    return cast("Costs", _build("costs", spec, path))


def build_gate(spec: Mapping[str, Any], path: str = "gate") -> Gate:
    """Build a gate, as `build_router` does."""
    return cast("Gate", _build("gate", spec, path))


def _build(kind: Kind, spec: Mapping[str, Any], path: str) -> object:
    if not isinstance(name := spec.get("type"), str):
        raise BadOption(f"{path}.type", f"must name one of {', '.join(components(kind))}, not {name!r}")
    found = component(kind, name, path)
    shared = _FLOOR_OPTIONS if kind == "rule" else ()
    options = options_of(found)
    given = {key: value for key, value in spec.items() if key != "type"}
    check_options((*options, *shared), given, path)
    floor, total = (given.pop("floor", DEFAULT_FLOOR), given.pop("total", None)) if kind == "rule" else (0, None)
    parts = {option.name: _part(option, given[option.name], path) for option in options if option.name in given}
    try:
        built = found(**parts)
        return Floor(cast("Rule", built), float(floor), total) if floor else built
    except ValueError as error:
        raise BadOption(path, str(error)) from error


def _part(option: Option, value: object, path: str) -> object:
    """Build the value of an option that is a component itself, or a list of them; return any other as it is."""
    place = f"{path}.{option.name}"
    if option.kind is None or value is None:
        return value
    if option.many:
        parts = cast("Sequence[Mapping[str, Any]]", value)  # checked by `check_options`, as is the one below
        return [_build(option.kind, part, f"{place}[{i}]") for i, part in enumerate(parts)]
    return _build(option.kind, cast("Mapping[str, Any]", value), place)
