"""Pairs what people said of answers with what judges and signs said of the same ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.learning.rewards import RewardRules, last_words, worth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.events import Feedback
    from gateway.store.base import LoggedEvent

#: Sources that judges and signs are held against.
HUMAN: Final = frozenset({"user", "grader"})
#: How a judge's source, and the name of a sign, begin.
JUDGE: Final = "judge"
IMPLICIT: Final = "implicit"


@dataclass(frozen=True, slots=True)
class Said:
    """What a judge or a sign said of an answer, in [0, 1]; the answer's length in characters is 0 where unknown."""

    value: float
    characters: int = 0


@dataclass(frozen=True, slots=True)
class Rated:
    """An answer that people have rated: its model, the domain of its request, and what was said of it.

    `human` is the mean of what they said, in [0, 1]; `others` have judges and signs by name: `judge:gpt-5`,
    `implicit:retry`.
    """

    model: str
    domain: str
    human: float
    others: Mapping[str, Said]


def ratings(
    events: Iterable[LoggedEvent], labels: Mapping[str, float], human: frozenset[str] = HUMAN
) -> Iterator[Rated]:
    """Yield the answers that people have rated; `labels` says what labels are worth, `human` which sources people are.

    Who rates an answer again is taken at his last word.
    """
    rules = RewardRules(labels=labels)
    for event in events:
        if event.outcome is None or event.outcome.served_by is None:
            continue
        words = [(one, value) for one in last_words(event.feedback) if (value := worth(one, event, rules)) is not None]
        told = [value for one, value in words if _kind(one.source) in human]
        if told:
            others = {
                name: said for one, value in words if (name := _voice(one)) for said in [Said(value, _length(one))]
            }
            domain = str(event.decision.features.get("domain", ""))
            yield Rated(event.outcome.served_by, domain, sum(told) / len(told), others)


def _kind(source: str) -> str:
    return source.partition(":")[0]


def _voice(feedback: Feedback) -> str | None:
    """Return by what name a judge or a sign is known, None for anybody else."""
    if feedback.kind == "implicit":
        return f"{IMPLICIT}:{feedback.name}"
    return feedback.source if _kind(feedback.source) == JUDGE else None


def _length(feedback: Feedback) -> int:
    """Return how long the answer was that was judged, as the judgement says."""
    try:
        written = json.loads(feedback.comment or "")
        return int(written["characters"][0])
    except (ValueError, KeyError, TypeError, IndexError):
        return 0
