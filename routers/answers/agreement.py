"""How far answers agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routers.answers.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Answer


@dataclass(frozen=True, slots=True)
class Ballot:
    """Answers that come to the same, and the weight that speaks for them."""

    answers: tuple[Answer, ...]
    weight: float


def ballots(answers: Sequence[Answer], weights: Sequence[float] | None = None) -> list[Ballot]:
    """Return the groups of answers that come to the same, the heaviest first; of equals, the one that came first.

    What is no answer (an error, a refusal, nothing) abstains.
    """
    weighed = zip(answers, [1.0] * len(answers) if weights is None else weights, strict=True)
    groups: dict[str, list[tuple[Answer, float]]] = {}
    for answer, weight in weighed:
        if form := canonical(answer):
            groups.setdefault(form, []).append((answer, weight))
    made = [Ballot(tuple(a for a, _ in group), sum(w for _, w in group)) for group in groups.values()]
    return sorted(made, key=lambda ballot: -ballot.weight)


def disagreement(answers: Sequence[Answer]) -> float:
    """Return ACAR's sigma: 0 where all samples agree, 1 where each says something else.

    A sample that is no answer disagrees with all.
    """
    if len(answers) < 2:
        return 0.0
    silent = sum(not canonical(answer) for answer in answers)
    return (len(ballots(answers)) + silent - 1) / (len(answers) - 1)
