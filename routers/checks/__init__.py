"""The battery: what every router, estimator, rule, utility, cost model and gate must do, whoever wrote it.

Each check is a function of a way to make the component, and raises `CheckFailed`. After river's
`yield_checks` and scikit-learn's `check_estimator`.
"""

from routers.checks.costs import COSTS_CHECKS, check_costs
from routers.checks.estimator import ESTIMATOR_CHECKS, check_estimator
from routers.checks.expect import CheckFailed
from routers.checks.gate import GATE_CHECKS, check_gate
from routers.checks.router import ROUTER_CHECKS, check_router
from routers.checks.rule import RULE_CHECKS, check_rule
from routers.checks.utility import UTILITY_CHECKS, check_utility

__all__ = [
    "COSTS_CHECKS",
    "ESTIMATOR_CHECKS",
    "GATE_CHECKS",
    "ROUTER_CHECKS",
    "RULE_CHECKS",
    "UTILITY_CHECKS",
    "CheckFailed",
    "check_costs",
    "check_estimator",
    "check_gate",
    "check_router",
    "check_rule",
    "check_utility",
]
