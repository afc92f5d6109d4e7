"""What a grader is, and the one way to use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.profiling.probes import Probe

#: No probe asks for an answer of this many characters; a longer one is a model that does not stop.
LONGEST = 20_000


class Grader(Protocol):
    """Judges an answer. A grader is a frozen value: what a correct answer is, as the probe's file says it."""

    def score(self, answer: str, prompt: str) -> float:
        """Return a score in [0, 1]. The prompt tells words that merely repeat the question."""
        ...


def grade(probe: Probe, answer: str) -> float:
    """Return the score of an answer, in [0, 1]; an empty or endless one scores 0. Never raises."""
    if not answer.strip() or len(answer) > LONGEST:
        return 0.0
    return probe.grader.score(answer, probe.prompt)
