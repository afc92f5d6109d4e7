"""One policy for any preference, taught by what came of its choices."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from routers.barp.actor import Actor
from routers.barp.lessons import cap_of, of_log, of_table
from routers.barp.reinforce import Teaching, taught
from routers.costs.mean import Mean
from routers.dial import checked_weight
from routers.parts import below, prefixed
from routers.rows import check_length
from routers.rules.floor import FLOOR, least_share
from routers.state import Manifest, load_state, save_state
from routers.types import Call, Finish, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from numpy.typing import NDArray

    from routers.barp.lessons import Lessons
    from routers.observations import Observations
    from routers.types import Candidate, Context, Costs, Outcomes, Plan


class PreferenceBandit:
    """Draw from a policy that is a network of the request and of what the caller prefers.

    Nothing is estimated: the network turns embedding and dial into probabilities, and REINFORCE moves them towards
    choices that earned more than expected, `w` times the reward less `1 - w` times the cost (as a share of a dear one).
    Of each row it sees only what came of the model that it chose, even of a table that has all; preferences are drawn
    while it learns, so that one policy serves every dial. A log's rows are weighed by how much likelier the policy
    makes the choice than it was, at most fivefold.

    Parameters: `hidden` units; `epochs`, how often each row is seen; `learning_rate`; `entropy`, what staying open is
    worth; `floor`, the least probability of every candidate; `quality_weight`, the dial; `seed`.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("large"), Candidate("small")]
    >>> next(PreferenceBandit().plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.5, 'small': 0.5}

    BaRP (https://arxiv.org/abs/2510.07429).
    """

    requires: frozenset[str] = frozenset({"embedding"})
    #: Steps of descent depend on what they are taken together with.
    learns_in_batches = True

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        hidden: int = 128,
        epochs: int = 10,
        learning_rate: float = 1e-3,
        entropy: float = 0.01,
        floor: float = FLOOR,
        quality_weight: float = 0.7,
        *,
        seed: int = 0,
    ) -> None:
        if hidden < 1 or epochs < 1:
            raise ValueError(f"hidden={hidden} and epochs={epochs} must be at least 1")
        if not learning_rate > 0 or entropy < 0:
            raise ValueError(f"learning_rate={learning_rate} must be positive, entropy={entropy} not negative")
        if not 0 <= floor <= 1:
            raise ValueError(f"floor={floor} must be a probability")
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.entropy = entropy
        self.floor = floor
        self.quality_weight = checked_weight(quality_weight)
        self.seed = seed
        self._explores = True
        self._costs: Costs = Mean()
        self._actor: Actor | None = None
        self._cap_usd = 0.0
        self._lessons = 0

    def with_quality_weight(self, quality_weight: float) -> PreferenceBandit:
        """Return this router with the dial elsewhere. It shares what was learned, and copies nothing."""
        view = copy(self)
        view.quality_weight = checked_weight(quality_weight)
        return view

    def without_exploration(self) -> PreferenceBandit:
        """Return this router taking only the likeliest candidate. It shares what was learned, and copies nothing."""
        view = copy(self)
        view._explores = False  # noqa: SLF001 - a view of its own
        return view

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Make one call, drawn from the policy. Raises `ValueError` where there is no candidate."""
        if not candidates:
            raise ValueError("there is no candidate to choose from")
        ordered = sorted(candidates, key=lambda candidate: candidate.model)
        models = [candidate.model for candidate in ordered]
        chances = self._chances(context, models)
        best = chances.index(max(chances))
        least = least_share(self.floor, None, len(models))
        explored = [least + max(1 - least * len(models), 0.0) * chance for chance in chances]
        distribution = explored if self._explores else [float(place == best) for place in range(len(models))]
        usd = zip(models, self._costs.predict([context], ordered)[0].tolist(), strict=True)
        (answer,) = yield Call(
            candidates=tuple(rng.choices(ordered, weights=distribution)),
            propensities=dict(zip(models, distribution, strict=True)),
            why=f"preference_bandit w={self.quality_weight:g}",
            expected_cost_usd={model: cost for model, cost in usd if not np.isnan(cost)},
            best=models[best],
        )
        return Finish(answer)

    def learn(self, outcomes: Outcomes) -> None:
        """Go through a table: of each row, what came of the choice, by its logged propensity if there is one.

        The rows are not kept. Raises `ValueError` where the embeddings have another length than those learned before.
        """
        self._costs.learn(outcomes)
        actor = self._knowing(outcomes.models, outcomes.embeddings.shape[1])
        self._take(actor, of_table(outcomes, actor.models), self.epochs)

    def observe(self, observations: Observations) -> None:
        """Go once through rows of a log, whose propensities are known. The rows are not kept.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        lengths = [len(one.embedding) for one in observations.contexts if one.embedding is not None]
        if not lengths:
            return
        actor = self._knowing(tuple(dict.fromkeys(observations.actions)), lengths[0])
        self._take(actor, of_log(observations, actor.models, lengths[0]), epochs=1)

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write the network, and what it measures costs by."""
        arrays: dict[str, NDArray[np.generic]] = prefixed("costs", self._costs.state())
        models: tuple[str, ...] = ()
        if self._actor is not None:
            models = self._actor.models
            arrays |= prefixed("actor", self._actor.parameters)
        arrays |= {"models": np.array(models, np.str_), "cap_usd": np.array(self._cap_usd)}
        arrays["lessons"] = np.array(self._lessons)
        save_state(directory, arrays, Manifest("preference_bandit", models, encoder, dict(metadata or {})))

    def load(self, directory: Path) -> None:
        """Replace what was learned. Raises `StateError` where the folder holds nothing that fits."""
        arrays = load_state(directory, "preference_bandit")
        try:
            self._costs.restore(below("costs", arrays))
            parameters = {name: array.astype(np.float64) for name, array in below("actor", arrays).items()}
            self._actor = Actor(tuple(arrays["models"].tolist()), parameters) if parameters else None
            self._cap_usd = float(arrays["cap_usd"].astype(np.float64))
            self._lessons = int(arrays["lessons"].astype(np.int64))
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing

    def _chances(self, context: Context, models: Sequence[str]) -> list[float]:
        if self._actor is None:
            return [1 / len(models)] * len(models)
        embedding = np.zeros(self._actor.dimension)
        if context.embedding is not None:
            check_length(len(context.embedding), self._actor.dimension)
            embedding = context.embedding.astype(np.float64)
        return self._actor.chances(embedding, self.quality_weight, models)

    def _knowing(self, models: Sequence[str], dimension: int) -> Actor:
        actor = self._actor or Actor.new(dimension, self.hidden, self.seed)
        check_length(dimension, actor.dimension)
        return actor.knowing(models)

    def _take(self, actor: Actor, lessons: Lessons, epochs: int) -> None:
        """Learn lessons; what costs are measured by is told by the first that have any."""
        self._cap_usd = self._cap_usd or cap_of(lessons.costs_usd)
        teaching = Teaching(epochs, self.learning_rate, self.entropy, self._cap_usd, self.seed + self._lessons)
        self._actor = taught(actor, lessons, teaching) if lessons.n else actor
        self._lessons += lessons.n
