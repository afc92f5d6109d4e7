"""Routers that learn nothing: a fixed distribution over the pool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar

from routers.state import Manifest, load_state, save_state
from routers.types import Call, Finish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.types import Candidate, Context, Outcomes, Plan


_MODEL = attrgetter("model")


class Stateless:
    """A router that has nothing to learn. A subclass gives its `kind`."""

    kind: ClassVar[str]
    requires: frozenset[str] = frozenset()

    @property
    def named(self) -> frozenset[str]:
        """Return the models that its options name; a pool that lacks one is a mistake."""
        return frozenset()

    def learn(self, outcomes: Outcomes) -> None:
        """Take no notice."""
        del outcomes

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write that there is nothing to write, so that every router can be loaded."""
        save_state(directory, {}, Manifest(self.kind, (), encoder, dict(metadata or {})))

    def load(self, directory: Path) -> None:
        """Check that the folder is this router's. Raises `StateError`."""
        load_state(directory, self.kind)


class StatelessRouter(Stateless, ABC):
    """Draw from a distribution that depends on the names of the candidates alone.

    A subclass gives its `kind` and `weights_of`.
    """

    @abstractmethod
    def weights_of(self, models: Sequence[str]) -> list[float]:
        """Return what each model weighs; all zero if none of them may be chosen."""

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Make one call; refuse where no candidate may be chosen."""
        del context
        ordered = sorted(candidates, key=_MODEL) if len(candidates) > 1 else candidates
        return _drawn(ordered, self.weights_of([candidate.model for candidate in ordered]), rng, self.kind)


def draw(candidates: Sequence[Candidate], weights: Mapping[str, float], rng: Random, why: str) -> Plan:
    """Make one call, to a candidate that is drawn by weight; refuse where none weighs anything."""
    ordered = sorted(candidates, key=_MODEL)
    return _drawn(ordered, [weights.get(candidate.model, 0.0) for candidate in ordered], rng, why)


def _drawn(ordered: Sequence[Candidate], weights: Sequence[float], rng: Random, why: str) -> Plan:
    """Make one call, to a candidate that is drawn by weight; where there is no choice, nothing is drawn."""
    if not (total := sum(weights)):
        return Finish(None, f"{why}: none of {[candidate.model for candidate in ordered]} may be chosen")
    if len(ordered) == 1:
        (only,) = ordered
        (answer,) = yield Call((only,), {only.model: 1.0}, why)
        return Finish(answer)
    distribution = [weight / total for weight in weights]
    propensities = {one.model: chance for one, chance in zip(ordered, distribution, strict=True)}
    (answer,) = yield Call(tuple(rng.choices(ordered, weights=distribution)), propensities, why)
    return Finish(answer)
