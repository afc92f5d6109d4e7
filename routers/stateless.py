"""Routers that learn nothing: a fixed distribution over the pool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from routers.state import Manifest, load_state, save_state
from routers.types import Call, Finish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.types import Candidate, Context, Outcomes, Plan


class StatelessRouter(ABC):
    """Draw from a distribution that depends on the names of the candidates alone.

    A subclass gives its `kind` and `weights_of`.
    """

    kind: ClassVar[str]
    requires: frozenset[str] = frozenset()

    @property
    def named(self) -> frozenset[str]:
        """Return the models that its options name; a pool that lacks one is a mistake."""
        return frozenset()

    @abstractmethod
    def weights_of(self, models: Sequence[str]) -> list[float]:
        """Return what each model weighs; all zero if none of them may be chosen."""

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:  # noqa: ARG002 - the protocol's
        """Make one call; refuse where no candidate may be chosen."""
        ordered = sorted(candidates, key=lambda candidate: candidate.model)
        models = [candidate.model for candidate in ordered]
        weights = self.weights_of(models)
        if not (total := sum(weights)):
            return Finish(None, f"{self.kind}: none of {models} may be chosen")
        distribution = [weight / total for weight in weights]
        (answer,) = yield Call(
            candidates=tuple(rng.choices(ordered, weights=distribution)),
            propensities=dict(zip(models, distribution, strict=True)),
            why=self.kind,
        )
        return Finish(answer)

    def learn(self, outcomes: Outcomes) -> None:
        """Take no notice."""
        del outcomes

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write that there is nothing to write, so that every router can be loaded."""
        save_state(directory, {}, Manifest(self.kind, (), encoder, dict(metadata or {})))

    def load(self, directory: Path) -> None:
        """Check that the folder is this router's. Raises `StateError`."""
        load_state(directory, self.kind)
