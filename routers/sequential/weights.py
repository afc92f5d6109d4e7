"""How much an answer tells of each of two policies: by whose side gave it, or by how likely each was to give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Whose decision a request is served by.
Side = Literal["candidate", "live"]
#: Weight beyond which an answer does not count more, where one policy alone serves: it would decide all by itself.
MOST: Final = 20.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What an answer counts for each of the two; `overlap` is what both count for on average."""

    candidate: float
    live: float
    overlap: float


def by_side(side: Side, share: float) -> Weights:
    """Return the weights where all that is known is whose side answered.

    The candidate serves `share` of the requests. Each counts by the share of the other side (overlap weights: Li,
    Morgan and Zaslavsky 2018): so what was seen at several shares adds up with the least variance, each share compared
    in itself, and what changes with time changes for both.
    """
    mine, other = (1 - share, 0.0) if side == "candidate" else (0.0, share)
    return Weights(mine, other, share * (1 - share))


def by_chance(share: float, candidate: float, live: float) -> Weights:
    """Return the weights of a model that the two policies choose with these probabilities.

    Whichever side it was that answered, the other might have: the answer counts for each as likely as it was to come
    from it (the balance heuristic of multiple importance sampling: Veach and Guibas 1995; Agarwal et al., arXiv
    1703.04886). Where both choose alike, there is no difference and no noise. Raises `ValueError` where neither could
    have chosen it.
    """
    overlap = share * (1 - share)
    mixed = share * candidate + (1 - share) * live
    if mixed <= 0:
        raise ValueError("neither policy could have chosen the model that answered")
    return Weights(overlap * candidate / mixed, overlap * live / mixed, overlap)


def unserved(candidate: float, live: float) -> Weights:
    """Return the weights of an answer while the candidate only watches: importance weights, cut at `MOST`."""
    if live <= 0:
        raise ValueError("the live policy could not have chosen the model that answered")
    return Weights(min(candidate / live, MOST), 1.0, 1.0)


def covered(candidate: Mapping[str, float], live: Mapping[str, float]) -> float:
    """Return how much of the candidate's probability is on models that the live policy could have chosen."""
    return sum(chance for model, chance in candidate.items() if live.get(model, 0.0) > 0)


def controls(weights: Weights, expected: Mapping[str, float], chosen: str, chances: Chances) -> tuple[float, float]:
    """Return two control variates, zero on average: how much better than on average a draw was expected to turn out.

    `expected` is what was expected of each model; where one that may be chosen lacks, both are zero.
    """
    known = {model for side in (chances.candidate, chances.live) for model, chance in side.items() if chance > 0}
    if not known <= expected.keys() or chosen not in expected:
        return 0.0, 0.0
    means = (sum(side.get(model, 0.0) * expected[model] for model in known) for side in chances.both)
    candidate, live = (weights.overlap * mean for mean in means)
    return weights.candidate * expected[chosen] - candidate, weights.live * expected[chosen] - live


@dataclass(frozen=True, slots=True)
class Chances:
    """With which probability each of the two chooses each model."""

    candidate: Mapping[str, float]
    live: Mapping[str, float]

    @property
    def both(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Return both, the candidate's first."""
        return self.candidate, self.live
