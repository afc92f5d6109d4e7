"""A model joins a policy that has learned already: it answers a few probes, and the router takes it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from gateway.config.routers import build_router_of
from gateway.profiling.choice import Adaptive, Planned
from gateway.standing import Standing
from routers.newcomers import Examining, Hosting
from routers.probes import choose_probes
from routers.state import read_manifest
from routers.types import Candidate, Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from gateway.config.files import PolicyFile
    from gateway.profiling.choice import Choose
    from gateway.profiling.journal import Result
    from gateway.profiling.questions import Questions
    from routers.state import Manifest

#: With fewer probes the interval is too wide to choose by; with more, a profile of all probes is worth its price.
LEAST_PROBES, MOST_PROBES = 20, 60


class OnboardingError(Exception):
    """A model cannot join a policy; the message names both, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """A model that is to join a policy, the policy's router as it was learned, and the models it may choose from."""

    model: str
    policy: PolicyFile
    pool: Sequence[Candidate]
    router: Hosting
    manifest: Manifest

    @classmethod
    def begin(cls, model: str, policy: PolicyFile, pool: Sequence[Candidate], encoder: str, *, again: bool) -> Self:
        """Open what the policy has learned; `encoder` is the digest of the encoder in use.

        Raises `OnboardingError` where the model is not in the pool, nothing was learned, it was learned with another
        encoder, the model is known already (unless `again`), or nobody can join a router of this kind; `ConfigError`
        where the state cannot be read.
        """
        name = policy.config.name
        if model not in [candidate.model for candidate in pool]:
            raise OnboardingError(f"model {model!r} is not in the pool of policy {name!r}; add it there first")
        if not policy.state.exists():
            raise OnboardingError(
                f"policy {name!r} has learned nothing yet that {model!r} could join; "
                f"run `pointsman train TABLE --policy {name}` first, without {model!r} in its pool"
            )
        router, manifest = build_router_of(policy.router), read_manifest(policy.state)
        if not isinstance(router, Hosting):
            raise OnboardingError(f"policy {name!r} has a router that learns nothing: {model!r} need not join")
        if "embedding" in router.requires and manifest.encoder != encoder:
            raise OnboardingError(
                f"policy {name!r} was trained with another encoder ({manifest.encoder}) than the one in use "
                f"({encoder}); run `pointsman train` again, or set signals.embedding.model back"
            )
        if model in manifest.models and not again:
            raise OnboardingError(
                f"policy {name!r} knows model {model!r} already; for a better estimate run `pointsman profile` and "
                "`pointsman train`, or give --again to forget what is known of it and ask anew"
            )
        return cls(model, policy, pool, router, manifest)

    @property
    def known(self) -> list[Candidate]:
        """Return the other models that the router has learned of."""
        return [Candidate(model) for model in self.manifest.models if model != self.model]

    def choose(self, questions: Questions, number: int, rng: Random) -> Choose:
        """Return who chooses the probes: step by step where the estimator can tell what to ask, else beforehand.

        Either way every task gets its share. Raises `OnboardingError` for a number out of bounds.
        """
        if not LEAST_PROBES <= number <= MOST_PROBES:
            raise OnboardingError(f"--probes {number} must be between {LEAST_PROBES} and {MOST_PROBES}")
        contexts = questions.contexts()
        estimator = self.router.newcomers.estimator
        if isinstance(estimator, Examining):
            return Adaptive(estimator, contexts, questions.tasks)
        chances = self.router.newcomers.predict(contexts, self.known).mean.astype(np.float64)
        return Planned(choose_probes(chances, questions.tasks, number, rng))

    def finish(self, questions: Questions, results: Mapping[int, Result]) -> list[Standing]:
        """Take the model in, save the state with all that was said of it, and return how the model stands.

        Raises `OnboardingError` where too few probes were answered.
        """
        answered = [number for number, result in results.items() if result.score is not None]
        if len(answered) < LEAST_PROBES:
            raise OnboardingError(self._too_few(len(answered), list(results.values())))
        self.router.adopt(self.model, questions.outcomes(self.model, results).take(sorted(answered)))
        metadata = {**self.manifest.metadata, f"onboarded {self.model}": f"{len(answered)} probes"}
        self.router.save(self.policy.state, encoder=self.manifest.encoder, metadata=metadata)
        return self._standings(questions)

    def _too_few(self, answered: int, results: Sequence[Result]) -> str:
        errors = [result.asked.error for result in results if result.asked.error]
        said = f" (the last error: {errors[-1]})" if errors else ""
        return (
            f"model {self.model!r} answered {answered} of {len(results)} probes{said}, and {LEAST_PROBES} answers are "
            "needed; run the command again: what was answered is kept"
        )

    def _standings(self, questions: Questions) -> list[Standing]:
        contexts, tasks = questions.contexts(), np.array(questions.tasks)
        estimates = self.router.newcomers.predict(contexts, self.pool)
        own = [candidate.model for candidate in self.pool].index(self.model)
        standings = []
        for task in [*sorted(set(questions.tasks)), "all"]:
            rows = np.flatnonzero(tasks == task) if task != "all" else np.arange(len(tasks))
            means = estimates.mean[rows].mean(axis=0)
            # The mean of standard errors is that of the mean if the errors are all one, and more if they are not.
            reward = Estimate(float(means[own]), float(estimates.std[rows, own].mean()))
            standings.append(Standing(task, reward, 1 + int((means > means[own]).sum()), len(self.pool)))
        return standings
