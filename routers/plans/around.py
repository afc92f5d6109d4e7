"""A router around another one, whose expectations and learned state it uses."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from routers.gates.expected import EXPECTED
from routers.types import Dialled, Naming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.types import Answer, Call, Candidate, Context, Gate, Outcomes, Router


class Around:
    """What a plan around a router shares with it: signals, the dial, what is learned and how that is kept."""

    #: Whether a plan may make several calls.
    several = True

    def __init__(self, router: Router) -> None:
        self.router = router

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the router reads."""
        return self.router.requires

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the options name."""
        return self.router.named if isinstance(self.router, Naming) else frozenset()

    @property
    def quality_weight(self) -> float:
        """Return where the router's dial is; 1 where it has none."""
        return self.router.quality_weight if isinstance(self.router, Dialled) else 1.0

    def with_quality_weight(self, quality_weight: float) -> Self:
        """Return this plan with the router's dial elsewhere. It shares what was learned."""
        router = self.router
        return self.around(router.with_quality_weight(quality_weight) if isinstance(router, Dialled) else router)

    def around(self, router: Router) -> Self:
        """Return this plan around another router."""
        view = copy(self)
        view.router = router
        return view

    def first(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Call | None:
        """Return what the router would call: its draw, and what it expects of every candidate; None: it refuses."""
        return next(self.router.plan(context, candidates, rng), None)

    def learn(self, outcomes: Outcomes) -> None:
        """Let the router learn."""
        self.router.learn(outcomes)

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what the router learned."""
        self.router.save(directory, encoder=encoder, metadata=metadata)

    def load(self, directory: Path) -> None:
        """Replace what the router learned. Raises `StateError`."""
        self.router.load(directory)


def asking(call: Call, *candidates: Candidate, why: str, stream: bool = False) -> Call:
    """Return a call to certain candidates, whatever the draw: they share the probability.

    What was expected of all stays with it, for the log.
    """
    certain = dict.fromkeys(call.propensities, 0.0)
    for candidate in candidates:
        certain[candidate.model] = certain.get(candidate.model, 0.0) + 1 / len(candidates)
    return replace(call, candidates=candidates, propensities=certain, why=why, stream=stream)


def checked(call: Call, gate: Gate, *, stream: bool) -> Call:
    """Return a call whose answer a gate is to see, unless it may be relayed as it comes."""
    return replace(call, stream=stream, parameters={} if stream else {**call.parameters, **gate.asks})


def ladder_of(call: Call, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates from the one that was drawn upwards: cheapest first, unknown costs last, then by name."""

    def cost(candidate: Candidate) -> tuple[float, str]:
        return call.expected_cost_usd.get(candidate.model, math.inf), candidate.model

    (drawn,) = call.candidates
    return sorted((one for one in candidates if cost(one) >= cost(drawn)), key=cost)


def ranked(call: Call, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates, those of the highest expected reward first, then by name."""

    def key(candidate: Candidate) -> tuple[float, str]:
        expected = call.estimates.get(candidate.model)
        return (-expected.mean if expected else 0.0), candidate.model

    return sorted(candidates, key=key)


def informed(context: Context, call: Call, answer: Answer) -> Context:
    """Return the context with what the router expected of the model that has answered, for gates."""
    expected = call.estimates.get(answer.candidate.model)
    return context if expected is None else replace(context, features={**context.features, EXPECTED: expected.mean})
