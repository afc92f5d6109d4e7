"""A few promising candidates first, then the choice among them."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Final

from routers.cells import joined, of_part, under
from routers.estimating import EstimatingRouter
from routers.estimators.cluster_bandit import ClusterBandit
from routers.estimators.ema import Ema
from routers.observations import Folding, Summing
from routers.parts import below, prefixed
from routers.rules.floor import FLOOR, least_share
from routers.state import Manifest, load_state, save_state
from routers.types import Call, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Candidate, Context, Finish, Incumbent, Outcomes, Plan, Router

#: What counts for how much: what is expected of the request, of its domain, and how steadily the model answers.
ESTIMATE, PRIOR, STEADINESS = 0.5, 0.35, 0.15
_NOTHING: Final[Mapping[str, float]] = {}


class Prefilter:
    """Keep the `keep` candidates of the highest score, and let another router choose among them.

        score = 0.5 * expected reward + 0.35 * lately earned in the domain + 0.15 * steadiness

    What is expected of a request goes by its cluster (the estimator `cluster_bandit`), what was earned by its domain
    (`ema`); steadiness is told by whoever serves: how much of a model's room is taken, how slow it was, whether it
    rests. So a model that fails or is overrun drops out before anybody has to say so. Who is not kept has the
    probability `floor` still, as long as the floors of all together stay below a tenth of the requests; within a
    session, none.

    Parameters: `router`, which chooses: one that estimates (`estimating`, and those made of it); `keep`; `floor`.

    >>> from random import Random
    >>> from routers.estimators.ema import Ema
    >>> from routers.rules.greedy import Greedy
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate(name) for name in ("a", "b", "c")]
    >>> router = Prefilter(EstimatingRouter(Ema(), Greedy()), keep=2, floor=0.03).minding({"a": 0.0})
    >>> next(router.plan(Context("hello", 2), pool, Random(0))).propensities
    {'b': 0.97, 'c': 0.0, 'a': 0.03}

    Symphony-Coord (https://arxiv.org/abs/2602.00966).
    """

    #: Where the clusters are is told by the first table.
    learns_in_batches = True

    def __init__(self, router: Router, keep: int = 3, floor: float = FLOOR) -> None:
        if not isinstance(router, EstimatingRouter):
            name = type(router).__name__.lower()
            said = f"'prefilter' keeps candidates for a router that estimates, which {name!r} does not"
            raise ValueError(said)  # noqa: TRY004 - what a configuration asks for
        if keep < 1:
            raise ValueError(f"keep={keep} must be at least 1")
        if not 0 <= floor <= 1:
            raise ValueError(f"floor={floor} must be a probability")
        self.router = router
        self.keep = keep
        self.floor = floor
        self._expected, self._earned = ClusterBandit(), Ema()
        self._steadiness = _NOTHING

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that either stage reads."""
        return self.router.requires | self._expected.requires | self._earned.requires

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the router's options name."""
        return self.router.named

    @property
    def quality_weight(self) -> float:
        """Return where the router's dial is."""
        return self.router.quality_weight

    def with_quality_weight(self, quality_weight: float) -> Prefilter:
        """Return this router with the dial elsewhere. It shares what was learned."""
        return self._around(self.router.with_quality_weight(quality_weight))

    def staying_with(self, incumbent: Incumbent) -> Prefilter:
        """Return this router for a session: the incumbent is kept. It shares what was learned."""
        return self._around(self.router.staying_with(incumbent))

    def without_exploration(self) -> Prefilter:
        """Return this router taking only what looks best among those kept. It shares what was learned."""
        view = self._around(self.router.without_exploration())
        view.floor = 0.0
        return view

    def minding(self, steadiness: Mapping[str, float]) -> Prefilter:
        """Return this router knowing how steady models are. It shares what was learned."""
        view = copy(self)
        view._steadiness = steadiness  # noqa: SLF001 - a view of its own
        return view

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Plan as the router does among those kept, or now and then draw one of the others.

        Raises `ValueError` where there is no candidate.
        """
        kept, others = self._screened(context, candidates)
        plan = self.router.plan(context, kept, rng)
        try:
            call = self._mixed(next(plan), context, others, rng)
            while True:
                call = _among_all(plan.send((yield call)), others)
        except StopIteration as end:
            finish: Finish = end.value
            return finish

    def learn(self, outcomes: Outcomes) -> None:
        """Let both stages learn from a table."""
        self._expected.learn(outcomes)
        self._earned.learn(outcomes)
        self.router.learn(outcomes)

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what both stages learned."""
        arrays = prefixed("expected", self._expected.state()) | prefixed("earned", self._earned.state())
        manifest = Manifest(self._kind, self.router.costs.models, encoder, dict(metadata or {}))
        save_state(directory, arrays | prefixed("router", self.router.state()), manifest)

    def load(self, directory: Path) -> None:
        """Replace what was learned. Raises `StateError` where the folder holds nothing that fits."""
        arrays = load_state(directory, self._kind)
        try:
            self._expected.restore(below("expected", arrays))
            self._earned.restore(below("earned", arrays))
            self.router.restore(below("router", arrays))
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing

    @property
    def _kind(self) -> str:
        return f"prefilter({type(self.router).__name__.lower()}, {type(self.router.estimator).__name__.lower()})"

    def _around(self, router: EstimatingRouter) -> Prefilter:
        view = copy(self)
        view.router = router
        return view

    def _screened(
        self, context: Context, candidates: Sequence[Candidate]
    ) -> tuple[list[Candidate], tuple[Candidate, ...]]:
        """Return those kept, and the others by name."""
        scores = ESTIMATE * self._expected.predict([context], candidates).mean[0]
        scores += PRIOR * self._earned.predict([context], candidates).mean[0]
        scored = {
            candidate.model: float(score) + STEADINESS * self._steadiness.get(candidate.model, 1.0)
            for candidate, score in zip(candidates, scores, strict=True)
        }
        ranked = sorted(candidates, key=lambda one: (not self._stays(one), -scored[one.model], one.model))
        return ranked[: self.keep], tuple(sorted(ranked[self.keep :], key=lambda one: one.model))

    def _stays(self, candidate: Candidate) -> bool:
        return self.router.incumbent is not None and candidate.model == self.router.incumbent.model

    def _mixed(self, call: Call, context: Context, others: tuple[Candidate, ...], rng: Random) -> Call:
        """Return the router's call, or by chance one of another candidate, with the probabilities of all."""
        session = self.router.incumbent is not None and self.router.incumbent.model in call.propensities
        floor = 0.0 if session else least_share(self.floor, None, len(call.propensities) + len(others))
        if not others or not floor:
            return _among_all(call, others)
        left = 1 - floor * len(others)
        drawn = call.candidates if rng.random() < left else (rng.choice(others),)
        usd = self.router.costs.predict([context], others)[0].tolist()
        known = {one.model: cost for one, cost in zip(others, usd, strict=True) if cost == cost}  # noqa: PLR0124 - NaN
        return Call(
            candidates=drawn,
            propensities={model: left * p for model, p in call.propensities.items()}
            | {one.model: floor for one in others},
            why=f"prefilter {call.why}",
            estimates=call.estimates,
            expected_cost_usd={**call.expected_cost_usd, **known},
            best=call.best,
        )


class SummingPrefilter(Prefilter):
    """A prefilter whose router learns online by sums, so that both stages do.

    >>> from routers.epsilon_greedy import EpsilonGreedy
    >>> type(prefilter(EpsilonGreedy())).__name__
    'SummingPrefilter'
    """

    def sums(self, observations: Observations) -> Sums:
        """Return what the rows add to either stage."""
        return joined(under(name, part.sums(observations)) for name, part in self._summing.items())

    def folded(self, sums: Sums, now: float) -> Sums:
        """Return the sums in fewer parts, where a stage needs fewer by now."""
        parts = {name: (part, of_part(name, sums)) for name, part in self._summing.items()}
        return joined(
            under(name, part.folded(own, now) if isinstance(part, Folding) else own)
            for name, (part, own) in parts.items()
        )

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as of now."""
        for name, part in self._summing.items():
            part.absorb(of_part(name, sums), now)

    @property
    def _summing(self) -> dict[str, Summing]:
        parts = {"expected": self._expected, "earned": self._earned, "router": self.router}
        return {name: part for name, part in parts.items() if isinstance(part, Summing)}


def prefilter(router: Router, keep: int = 3, floor: float = FLOOR) -> Prefilter:
    """Return a `Prefilter`; one that learns online by sums, if the router does."""
    return (SummingPrefilter if isinstance(router, Summing) else Prefilter)(router, keep, floor)


def _among_all(call: Call, others: Sequence[Candidate]) -> Call:
    """Return the router's call with those too who cannot be drawn."""
    return Call(
        candidates=call.candidates,
        propensities={**call.propensities, **dict.fromkeys((one.model for one in others), 0.0)},
        why=f"prefilter {call.why}",
        estimates=call.estimates,
        expected_cost_usd=call.expected_cost_usd,
        stream=call.stream,
        best=call.best,
    )
