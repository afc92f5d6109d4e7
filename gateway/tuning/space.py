"""Which values of which options are worth trying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routers.tongue import READING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The estimators that are tuned where none is named: each is fitted to some thousand rows in seconds.
QUICK = ("task", "cluster", "ridge", "logistic", "knn", "forest")

_KNN = {"type": "knn", "neighbours": 100, "shrinkage": 5}
_RIDGE = {"type": "ridge"}
_LOGISTIC = {"type": "logistic"}
_TASK = {"type": "task"}

#: Estimator, option, values; every combination of the values is a setting.
#:
#: The order means something: simpler estimators come first, and so do the simpler values of an option, those that
#: smooth more. A null of `ridge` and `logistic` is a penalty that is chosen at each fitting.
GRIDS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "constant": {},
    "task": {"shrinkage": (20, 5, 1), "c": (1, 10, 100)},
    "cluster": {"clusters": (8, 16, 32, 64), "nearest": (3, 1)},
    "ridge": {"alpha": (None, 300, 100, 30, 10, 3)},
    "logistic": {"c": (None, 0.03, 0.1, 0.3, 1)},
    "ema": {"shrinkage": (20, 5)},
    "importance": {},
    "cluster_bandit": {"clusters": (8, 16, 32), "shrinkage": (30, 10)},
    "bayesian_linear": {},
    "neural_linear": {},
    "knn": {"neighbours": (200, 100, 40, 20), "shrinkage": (20, 5, 1)},
    "similarity_bradley_terry": {"neighbours": (400, 200, 100), "prior": (30, 10, 3)},
    "graph": {"hops": (0, 1, 2), "neighbours": (100, 40), "shrinkage": (5, 1)},
    "irt": {"dimensions": (1, 4, 8), "weight_decay": (100, 30, 10)},
    "matrix_factorization": {"dimension": (32, 64, 128), "noise": (0.3, 0.1, 0.03)},
    "contrastive": {"dimension": (32, 64), "temperature": (0.4, 0.2, 0.1), "epochs": (5, 10)},
    "mlp": {"weight_decay": (30, 10, 3), "epochs": (10, 20, 40)},
    "forest": {"leaf": (40, 10), "share": (0.1, 0.5)},
    "trust": {"estimator": (_TASK, _RIDGE, _KNN), "known": (0.5, 0.1), "unknown": (0.1, 0.02)},
    "wording": {"estimator": (_TASK, _KNN, {"type": "forest", "plain": READING})},
    "ensemble": {
        "members": (
            [_RIDGE, _KNN],
            [_TASK, _RIDGE],
            [_TASK, _RIDGE, _KNN],
            [_TASK, _LOGISTIC, _RIDGE, _KNN],
        )
    },
}
