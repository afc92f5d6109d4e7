"""Whether what is required is met, by the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.replay.answer import Answer, Told
    from gateway.replay.requirement import Clause
    from gateway.replay.settings import Method

#: `met`: with confidence; `broken`: with confidence; `open`: the interval holds both; `no evidence`: nothing is told.
Status = Literal["met", "broken", "open", "no evidence"]
#: What the command exits with.
EXIT: Final[Mapping[Status, int]] = {"met": 0, "broken": 3, "open": 3, "no evidence": 4}
#: The worst first: what is broken stays so whatever else is not known.
WORST: Final[tuple[Status, ...]] = ("broken", "no evidence", "open", "met")


@dataclass(frozen=True, slots=True)
class Judged:
    """A clause, what it was judged by, and how it stands; `reasons` are those for which nothing is told."""

    clause: Clause
    status: Status
    told: Told | None
    reasons: tuple[str, ...] = ()


def judge(clauses: Sequence[Clause], answers: Mapping[str, Answer], method: Method) -> list[Judged]:
    """Return how each clause stands."""
    return [_judged(clause, answers.get(clause.quantity), method) for clause in clauses]


def overall(judged: Sequence[Judged]) -> Status:
    """Return how all stand together; nothing required is met."""
    found = {one.status for one in judged} or {"met"}
    return next(status for status in WORST if status in found)


def _judged(clause: Clause, found: Answer | None, method: Method) -> Judged:
    if found is None:
        return Judged(clause, "no evidence", None, ("no request can be told",))
    if found.refused:
        return Judged(clause, "no evidence", None, found.refused)
    told = found.by[method].on(clause.scale)
    if told.interval is None:
        return Judged(clause, "no evidence", told, (f"{method} gives no interval of {clause}",))
    if clause.holds(told.interval):
        return Judged(clause, "met", told)
    return Judged(clause, "broken" if clause.fails(told.interval) else "open", told)
