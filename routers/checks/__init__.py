"""The battery: what every router, estimator and rule must do, whoever wrote it.

Each check is a function of a way to make the component, and raises `CheckFailed`. After river's
`yield_checks` and scikit-learn's `check_estimator`.
"""

from routers.checks.estimator import ESTIMATOR_CHECKS, check_estimator
from routers.checks.expect import CheckFailed
from routers.checks.router import ROUTER_CHECKS, check_router
from routers.checks.rule import RULE_CHECKS, check_rule

__all__ = [
    "ESTIMATOR_CHECKS",
    "ROUTER_CHECKS",
    "RULE_CHECKS",
    "CheckFailed",
    "check_estimator",
    "check_router",
    "check_rule",
]
