"""Models that join a fitted estimator, without fitting the others again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from routers.columns import union
from routers.newcomer import Newcomer
from routers.types import Candidate, Estimates, Router

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Context, Estimator, Outcomes

    Array = NDArray[np.float64]
    Arrays = Mapping[str, NDArray[np.generic]]

_PREFIX = "newcomer."
#: No newcomer is known better than this, whatever it earned: rewards that are all alike leave an error of next to zero.
_LEAST_ERROR = 1e-6


@runtime_checkable
class Examining(Protocol):
    """An estimator that knows what to ask a newcomer next."""

    def informative(self, contexts: Sequence[Context], asked: Mapping[int, float]) -> int:
        """Return which context would tell most of a model that earned the rewards `asked` (NaN: awaited).

        Raises `ValueError` where none is left.
        """
        ...


@runtime_checkable
class Adopting(Protocol):
    """An estimator that knows by itself how a model joins."""

    def adopt(self, model: str, outcomes: Outcomes) -> None:
        """Take in a model by its rewards alone. Raises `ValueError` where these do not suffice."""
        ...


@runtime_checkable
class Hosting(Router, Protocol):
    """A router that models can join after it was trained."""

    @property
    def newcomers(self) -> Newcomers:
        """Return the estimator that it goes by, and those who joined it."""
        ...

    def adopt(self, model: str, outcomes: Outcomes) -> None:
        """Take in a model by its outcomes alone. Raises `ValueError` where these do not suffice."""
        ...


class Newcomers:
    """An estimator, and models that joined it by a few outcomes each.

    A newcomer is taken for one more model of the kind that is known. Its log odds are those expected of the known
    models on average, plus an offset, a slope, and a share of each known model's own deviation from the average;
    the shares are as likely to be large as the known models are to differ. Some tens of outcomes tell offset and
    slope, and whom it is like; what they leave open is in the standard error. An estimator that has an `adopt` of
    its own is asked instead.

    What is estimated of the known models is what the estimator says, to the last bit. What is learned afterwards
    reaches both, until the router is trained with all models and starts anew: tables are learned by the newcomer too;
    of what is learned online it is told how much (`hear`), and the more there is, the more it is estimated as the
    estimator, which has learned it, does.

    >>> from routers.estimators.constant import Constant
    >>> from routers.types import Context, Outcomes
    >>> def outcomes(model, reward):
    ...     rewards = np.full((40, 1), reward, np.float32)
    ...     return Outcomes((model,), np.zeros((40, 2), np.float32), rewards, rewards * np.nan, rewards * np.nan)
    >>> newcomers = Newcomers(Constant())
    >>> newcomers.learn(outcomes("small", 0.5))
    >>> newcomers.adopt("new", outcomes("new", 0.75), known=["small"])
    >>> expected = newcomers.predict([Context("", 1)], [Candidate("small"), Candidate("new")])
    >>> [round(float(mean), 1) for mean in expected.mean[0]]
    [0.5, 0.7]

    After UniRoute (https://arxiv.org/abs/2502.08773), where any model joins by its outcomes on a few prompts.
    """

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator
        self._joined: dict[str, Newcomer] = {}
        self._heard: Mapping[str, float] = {}

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the estimator reads."""
        return self.estimator.requires

    @property
    def models(self) -> tuple[str, ...]:
        """Return the newcomers that the estimator itself does not know how to take in."""
        return tuple(self._joined)

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context."""
        if not self._joined:
            return self.estimator.predict(contexts, candidates)
        models = [candidate.model for candidate in candidates]
        joined = {model: newcomer for model, newcomer in self._joined.items() if model in models}
        whole = self.estimator.predict(contexts, candidates)
        known = union((), (one for newcomer in joined.values() for one in newcomer.known))
        # Once for all where it can be: searching takes most of the time. Who is no candidate is asked for apart, since
        # an estimate may be held against those of the other candidates.
        beside = not set(known) <= set(models)
        seen, places = (self._chances(contexts, known), known) if beside else (whole.mean, models)
        mean, std = whole.mean.copy(), whole.std.copy()
        for model, newcomer in joined.items():
            chances = seen[:, [places.index(one) for one in newcomer.known]].astype(np.float64)
            column = models.index(model)
            told = mean[:, column].astype(np.float64), std[:, column].astype(np.float64)
            heard = self._heard.get(model, 0.0)
            mean[:, column], std[:, column] = _yielding(newcomer.expected(chances), told, heard)
        return Estimates(mean, std)

    def adopt(self, model: str, outcomes: Outcomes, known: Sequence[str]) -> None:
        """Take in a model by its rewards alone; `known` are the models that the estimator has learned.

        What was known of this model before is forgotten. Raises `ValueError` where no reward of it is given.
        """
        if isinstance(self.estimator, Adopting):
            self.estimator.adopt(model, outcomes)
            return
        others = tuple(other for other in known if other != model and other not in self._joined)
        rows = _observed(model, outcomes)
        if not rows.n:
            raise ValueError(f"model {model!r} cannot be adopted: none of its rewards is given")
        newcomer = Newcomer.unobserved(others, self._chances(rows.contexts(), others))
        self._joined = {**self._joined, model: self._observing(newcomer, rows)}

    def hear(self, rewards: Mapping[str, float]) -> None:
        """Note how many rewards of each model the estimator has learned online, by their weights, as of now."""
        self._heard = rewards

    def learn(self, outcomes: Outcomes) -> None:
        """Take in outcomes, of newcomers too."""
        told = {model: _observed(model, outcomes) for model in self._joined if model in outcomes.models}
        updated = {model: self._observing(self._joined[model], rows) for model, rows in told.items() if rows.n}
        self.estimator.learn(outcomes)
        self._joined = {**self._joined, **updated}

    def state(self) -> Arrays:
        """Return the estimator's state, and the newcomers."""
        arrays = dict(self.estimator.state())
        for place, (model, newcomer) in enumerate(self._joined.items()):
            parts = {
                "model": np.array(model),
                "known": np.array(newcomer.known, dtype=np.str_),
                "centre": np.array(newcomer.centre),
                "mean": newcomer.mean,
                "covariance": newcomer.covariance,
            }
            arrays |= {f"{_PREFIX}{place}.{name}": array for name, array in parts.items()}
        return arrays

    def restore(self, state: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self.estimator.restore({name: array for name, array in state.items() if not name.startswith(_PREFIX)})
        places = sorted({name.split(".")[1] for name in state if name.startswith(_PREFIX)}, key=int)
        self._joined = dict(_restored(state, f"{_PREFIX}{place}.") for place in places)

    def _observing(self, newcomer: Newcomer, rows: Outcomes) -> Newcomer:
        chances = self._chances(rows.contexts(), newcomer.known)
        return newcomer.observing(chances, rows.rewards[:, 0].astype(np.float64))

    def _chances(self, contexts: Sequence[Context], known: Sequence[str]) -> Array:
        return self.estimator.predict(contexts, [Candidate(model) for model in known]).mean.astype(np.float64)


def _observed(model: str, outcomes: Outcomes) -> Outcomes:
    """Return the outcomes of one model alone, of the rows that have its reward."""
    of_model = outcomes.of_models([model])
    return of_model.take(np.flatnonzero(~np.isnan(of_model.rewards[:, 0])))


def _yielding(probed: tuple[Array, Array], told: tuple[Array, Array], heard: float) -> tuple[Array, Array]:
    """Return means and standard errors `[n]` between those that probes let expect and those learned online.

    Probes count for as many rewards as a Beta distribution of their mean and standard error holds, and what was learned
    online for as many as were `heard` of.
    """
    (mean, std), (told_mean, told_std) = probed, told
    if heard <= 0:
        return probed
    worth = mean * (1 - mean) / np.maximum(std, _LEAST_ERROR) ** 2
    share = heard / (heard + worth)
    return (1 - share) * mean + share * told_mean, np.hypot((1 - share) * std, share * told_std)


def _restored(state: Arrays, prefix: str) -> tuple[str, Newcomer]:
    mean, covariance = state[f"{prefix}mean"].astype(np.float64), state[f"{prefix}covariance"].astype(np.float64)
    known = tuple(state[f"{prefix}known"].tolist())
    return str(state[f"{prefix}model"]), Newcomer(
        known, float(state[f"{prefix}centre"].astype(np.float64)), mean, covariance
    )
