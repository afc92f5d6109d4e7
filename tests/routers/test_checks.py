import itertools
from functools import partial
from random import Random

import numpy as np
import pytest

from routers.checks import (
    COSTS_CHECKS,
    ESTIMATOR_CHECKS,
    GATE_CHECKS,
    ROUTER_CHECKS,
    RULE_CHECKS,
    UTILITY_CHECKS,
    CheckFailed,
    check_costs,
    check_estimator,
    check_gate,
    check_router,
    check_rule,
    check_utility,
)
from routers.costs.mean import Mean
from routers.estimators.constant import Constant
from routers.gates.encoding import comparing
from routers.gates.logprob import Logprob
from routers.random_choice import RandomChoice
from routers.registry import (
    build_costs,
    build_estimator,
    build_gate,
    build_router,
    build_rule,
    build_utility,
    components,
)
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.types import Call, Estimate
from routers.utilities.linear import Linear

# Arguments for the battery: small bounds, and whatever has no default.
KNN = {"neighbours": 5, "max_rows": 100}
ROWS = {"max_rows": 100}
ESTIMATORS = {
    "cluster": {"clusters": 4} | ROWS,
    "cluster_bandit": {"clusters": 4},
    "constant": {},
    "contrastive": {"dimension": 8, "epochs": 2} | ROWS,
    "ema": {},
    "ensemble": {"members": [{"type": "knn"} | KNN, {"type": "constant"}]},
    "bayesian_linear": {"directions": 4},
    "forest": {"trees": 5, "leaf": 5} | ROWS,
    "graph": {"neighbours": 5} | ROWS,
    "importance": {},
    "irt": {"epochs": 5} | ROWS,
    "knn": KNN,
    "logistic": ROWS,
    "matrix_factorization": {"dimension": 8, "epochs": 2} | ROWS,
    "mlp": {"hidden": 16, "epochs": 5} | ROWS,
    "neural_linear": {"hidden": 8, "epochs": 2} | ROWS,
    "ridge": ROWS,
    "similarity_bradley_terry": {"neighbours": 5} | ROWS,
    "task": ROWS,
    "trust": {"estimator": {"type": "knn"} | KNN, "neighbours": 3, "sample": 50},
    "wording": {"estimator": {"type": "knn"} | KNN},
}
#: Estimators that meet every rule; the battery of estimators sees what rules make no difference to.
CROSSED = ("constant", "knn", "trust")
RULES = {"epsilon": {}, "greedy": {}, "softmax": {}, "thompson": {"draws": 100}, "ucb": {}}
UTILITIES = {
    "adequate": {},
    "affordable": {"deadline_s": 5},
    "chebyshev": {},
    "convex": {},
    "linear": {},
    "preference": {"latency": 0.5},
    "threshold": {},
}
COSTS = {
    "energy": {"costs": {"type": "regression", "max_rows": 100}},
    "mean": {},
    "regression": {"max_rows": 100},
    "running": {"feature": "domain"},
}
#: Routers that plans are made around, and gates that ask nobody, one, and several times.
EXPECTING = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "softmax"}}
VERIFYING = {"type": "self_verification", "samples": 2}
ROUTERS = {
    "agent": {"small": "small", "large": "large", "floor": 0.1},
    "best_of": {"gate": {"type": "logprob"}, "router": EXPECTING},
    "cascade": {"gate": VERIFYING, "router": EXPECTING, "gain": -1},
    "cascade_routing": {"gate": VERIFYING, "router": EXPECTING},
    "cheapest": {},
    "cluster_bandit": {"clusters": 4},
    "ema": {},
    "epsilon_greedy": {},
    "exp3": {},
    "fixed": {"model": "small"},
    "lin_thompson": {"estimator": {"type": "bayesian_linear", "directions": 4}},
    "lin_ucb": {"estimator": {"type": "neural_linear", "hidden": 8, "epochs": 2, "max_rows": 100}},
    "orchestrator": {"model": "large", "router": EXPECTING},
    "panel": {"router": EXPECTING, "merge": "llm"},
    "prefilter": {"router": {"type": "epsilon_greedy", "estimator": {"type": "cluster_bandit"}}, "keep": 2},
    "preference_bandit": {"hidden": 8, "epochs": 1},
    "probe_expand": {"router": EXPECTING},
    "promise": {"router": EXPECTING, "reference": "large", "max_rows": 100},
    "random": {},
    "recommended": {"max_rows": 100},
    "self_consistency": {"router": EXPECTING},
    "softmax": {},
    "tiers": {"router": EXPECTING},
    "weighted": {"weights": {"small": 3, "large": 1}},
    "zero": {"quality_weight": 0.6},
}
GATES = {
    "agreement": {},
    "all_of": {"gates": [{"type": "wellformed"}, {"type": "judge", "model": "large"}]},
    "calibrated": {"gate": {"type": "logprob"}},
    "combined": {"gates": [{"type": "wellformed"}, {"type": "self_verification"}]},
    "expected": {},
    "judge": {"model": "large"},
    "logprob": {},
    "self_verification": {},
    "similarity": {},
    "wellformed": {},
}


def specs(table):
    """Yield each name with its specification."""
    return [pytest.param({"type": name} | options, id=name) for name, options in table.items()]


def estimating():
    """Yield a router for each rule, with and without a floor, and some estimators; and for each of the others one."""
    every = list(itertools.product(RULES.items(), (0, 0.05)))
    crossed = itertools.product(((name, ESTIMATORS[name]) for name in CROSSED), every)
    others = [(name, options) for name, options in ESTIMATORS.items() if name not in CROSSED]
    for (estimator, options), ((rule, more), floor) in [*crossed, *zip(others, itertools.cycle(every), strict=False)]:
        parts = {"estimator": {"type": estimator} | options, "rule": {"type": rule, "floor": floor} | more}
        yield pytest.param({"type": "estimating"} | parts, id=f"{estimator}*{rule}+{floor}")


def weighing():
    """Yield a router for each utility, and for each way to expect costs."""
    parts = {"type": "estimating", "estimator": {"type": "knn"} | KNN, "rule": {"type": "softmax"}}
    for kind, table in (("utility", UTILITIES), ("costs", COSTS)):
        for name, options in table.items():
            yield pytest.param(parts | {kind: {"type": name} | options}, id=f"{kind}={name}")


def named(checks):
    """Yield each check under its name."""
    return [pytest.param(check, id=check.__name__) for check in checks]


@pytest.mark.parametrize("check", named(ESTIMATOR_CHECKS))
@pytest.mark.parametrize("spec", specs(ESTIMATORS))
def test_every_estimator_passes(spec, check):
    """The whole battery, over the registry."""
    check(partial(build_estimator, spec))


@pytest.mark.parametrize("check", named(RULE_CHECKS))
@pytest.mark.parametrize("spec", specs(RULES))
def test_every_rule_passes(spec, check):
    """The whole battery, over the registry, without a floor and with one."""
    check(partial(build_rule, spec | {"floor": 0}))
    check(partial(build_rule, spec | {"floor": 0.02}))


@pytest.mark.parametrize("check", named(UTILITY_CHECKS))
@pytest.mark.parametrize("spec", specs(UTILITIES))
def test_every_utility_passes(spec, check):
    """The whole battery, over the registry."""
    check(partial(build_utility, spec))


@pytest.mark.parametrize("check", named(COSTS_CHECKS))
@pytest.mark.parametrize("spec", specs(COSTS))
def test_every_way_to_expect_costs_passes(spec, check):
    """The whole battery, over the registry."""
    check(partial(build_costs, spec))


def gate(spec):
    """Build a gate; one that compares texts does so by their letters."""
    built = build_gate(spec)
    for comparing_one in comparing(built):
        comparing_one.encode = lambda texts: np.array([[t.count(x) for x in "4E x"] for t in texts], np.float32)
    return built


@pytest.mark.parametrize("check", named(GATE_CHECKS))
@pytest.mark.parametrize("spec", specs(GATES))
def test_every_gate_passes(spec, check):
    """The whole battery, over the registry."""
    check(partial(gate, spec))


@pytest.mark.parametrize("check", named(ROUTER_CHECKS))
@pytest.mark.parametrize("spec", [*specs(ROUTERS), *estimating(), *weighing()])
def test_every_router_passes(spec, check):
    """The whole battery, over the registry and combinations of parts."""
    check(partial(build_router, spec))


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("estimator", ESTIMATORS),
        ("rule", RULES),
        # It is made of parts that are in the battery.
        ("router", ROUTERS | {"estimating": {}}),
        ("utility", UTILITIES),
        ("costs", COSTS),
        ("gate", GATES),
    ],
)
def test_every_registered_component_is_in_the_battery(kind, table):
    """A new component needs an entry at the top of this file, or none of the above sees it."""
    assert components(kind).keys() == table.keys()


class Undocumented(Greedy):  # its docstring is removed below
    """Nothing."""


Undocumented.__doc__ = None


class Backwards(Greedy):
    """Prefer the worst. >>> ..."""

    def distribution(self, utilities):
        """Turn the preference round."""
        worst = min(range(len(utilities)), key=lambda i: utilities[i].mean)
        return [float(i == worst) for i in range(len(utilities))]


class Greedier(Greedy):
    """Count the best twice. >>> ..."""

    def distribution(self, utilities):
        """Sum to two."""
        return [2 * p for p in super().distribution(utilities)]


class Fickle(Greedy):
    """Toss a coin for itself. >>> ..."""

    random = Random(0)

    def distribution(self, utilities):
        """Ignore the utilities."""
        p = self.random.random()
        return [p, *[(1 - p) / (len(utilities) - 1)] * (len(utilities) - 1)] if len(utilities) > 1 else [1.0]


class Forgetful(Floor):
    """Lose an argument. >>> ..."""

    def __init__(self, rule=None, height=0.1):
        super().__init__(rule or Greedy(), height)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Undocumented, "has no docstring"),
        (Backwards, "chances fall"),
        (Greedier, "sum to 2"),
        (Fickle, "gave"),
        (Forgetful, "does not keep its argument 'height'"),
    ],
)
def test_battery_finds_a_bad_rule(rule, message):
    """Each fault is found by the check that is for it."""
    with pytest.raises(CheckFailed, match=message):
        check_rule(rule)


class Hoarder(Constant):
    """Keep every row. >>> ..."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def learn(self, outcomes):
        """Remember it all."""
        super().learn(outcomes)
        self.rows.extend(outcomes.embeddings)

    def state(self):
        """Return everything."""
        return dict(super().state()) | {"rows": np.array(self.rows)}

    def restore(self, state):
        """Take everything back."""
        super().restore(state)
        self.rows = list(state["rows"])


class Secretive(Constant):
    """Read the embedding without saying so. >>> ..."""

    def predict(self, contexts, candidates):
        """Look at the first number."""
        estimates = super().predict(contexts, candidates)
        for row, context in enumerate(contexts):
            estimates.std[row] += 0 if context.embedding is None else abs(context.embedding[0])
        return estimates


class Overwriting(Constant):
    """Keep only the last batch. >>> ..."""

    def learn(self, outcomes):
        """Forget the rest."""
        self.__init__()
        super().learn(outcomes)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Hoarder, "grows without end"),
        (Secretive, "reads more than"),
        (Overwriting, "means differ"),
    ],
)
def test_battery_finds_a_bad_estimator(estimator, message):
    """Each fault is found by the check that is for it."""
    with pytest.raises(CheckFailed, match=message):
        check_estimator(estimator)


class Ordered(RandomChoice):
    """Prefer the first of the pool as given. >>> ..."""

    def plan(self, context, candidates, rng):
        """Leave out all but the first."""
        return super().plan(context, candidates[:1], rng)


class Remembering(RandomChoice):
    """Plan otherwise the second time. >>> ..."""

    plans = 0

    def weights_of(self, models):
        """Count."""
        self.plans += 1
        return [1.0] * (len(models) - 1) + [float(self.plans)]


@pytest.mark.parametrize(
    ("router", "message"), [(Ordered, "propensities are of"), (Remembering, "the same seed gave other calls")]
)
def test_battery_finds_a_bad_router(router, message):
    """Each fault is found by the check that is for it."""
    with pytest.raises(CheckFailed, match=message):
        check_router(router)


class Thrifty(Linear):
    """Turn the dial the wrong way. >>> ..."""

    def utilities(self, prospects, quality_weight):
        """Pay more for less."""
        return super().utilities(prospects, 1 - quality_weight)


class Boundless(Linear):
    """Value the dearest beyond all numbers. >>> ..."""

    def utilities(self, prospects, quality_weight):
        """Put infinity last."""
        return [*super().utilities(prospects, quality_weight)[:-1], Estimate(float("inf"))]


@pytest.mark.parametrize(("utility", "message"), [(Thrifty, "the choice costs"), (Boundless, "is not finite")])
def test_battery_finds_a_bad_utility(utility, message):
    """Each fault is found by the check that is for it."""
    with pytest.raises(CheckFailed, match=message):
        check_utility(utility)


class Generous(Mean):
    """Count what is unknown as free. >>> ..."""

    def predict(self, contexts, candidates):
        """Replace NaN."""
        return np.nan_to_num(super().predict(contexts, candidates))


class Oblivious(Mean):
    """Forget at every save. >>> ..."""

    def restore(self, state):
        """Take nothing back."""


class Certain(Logprob):
    """Be surer than sure."""

    def check(self, context, answer, candidates):
        """Add what it was sure of before."""
        return 1 + (yield from super().check(context, answer, candidates))


class Chatty(Logprob):
    """Ask for ever, and let the client listen."""

    def check(self, context, answer, candidates):
        """Ask the first candidate."""
        del context, answer
        while True:
            yield Call((candidates[0],), {candidates[0].model: 1.0}, "chat")


class Moody(Logprob):
    """Give another chance every time."""

    chances = itertools.cycle([0.1, 0.9])

    def check(self, context, answer, candidates):
        """Ignore the answer."""
        yield from super().check(context, answer, candidates)
        return next(self.chances)


@pytest.mark.parametrize(
    ("gate", "message"), [(Certain, "is no chance"), (Chatty, "did not end"), (Moody, "another chance")]
)
def test_battery_finds_a_bad_gate(gate, message):
    """Each fault is found by the check that is for it."""
    with pytest.raises(CheckFailed, match=message):
        check_gate(gate)


@pytest.mark.parametrize(("costs", "message"), [(Generous, "was made up"), (Oblivious, "what was restored")])
def test_battery_finds_bad_costs(costs, message):
    """Each fault is found by the check that is for it."""
    with pytest.raises(CheckFailed, match=message):
        check_costs(costs)


def test_declared_batches_are_exempt_from_learning_one_by_one():
    """An estimator whose batches matter says so, and passes."""

    class Declared(Overwriting):
        """Keep only the last batch. >>> ..."""

        learns_in_batches = True

    check_estimator(Declared)
