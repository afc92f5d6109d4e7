"""The states that a candidate goes through: what the evidence moves, what an operator moves, what the log remembers."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from gateway.events import Move
from gateway.promotion.finding import findings
from gateway.promotion.types import ROLLED_BACK, Stage, Standing, State, Step
from routers.sequential.contrast import Contrast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.promotion.finding import Finding
    from gateway.promotion.types import Rules
    from routers.sums import Sums

#: Who moves a candidate where no operator does: the tests, or a configuration with another version.
TEST, CONFIGURATION = "test", "configuration"
#: The state before the first one.
NOWHERE: Final = "none"
#: The measure that counts requests, by the number of the standing in which they were decided.
REQUESTS: Final = "requests:"


def advance(standing: Standing, sums: Sums, rules: Rules) -> Step | None:
    """Return the step that the evidence asks for, None for none. Looking more often changes nothing of its errors."""
    if not standing.tested or standing.version != rules.version:
        return None
    found = findings(rules, sums, watching=standing.state == "shadow")
    chosen = _chosen(standing, sums, rules, found)
    if chosen is None:
        return None
    stage, why = chosen
    return Step(stage, TEST, why, evidence_of(standing, sums, rules, found))


def _chosen(standing: Standing, sums: Sums, rules: Rules, found: list[Finding]) -> tuple[Stage, str] | None:
    """Return the stage that the evidence asks for, and why."""
    if worse := [finding.limit.measure for finding in found if finding.crossed]:
        return ROLLED_BACK, f"worse: {', '.join(worse)}"
    above = next_stage(standing, rules)
    if above is not None and may_rise(standing, sums, rules, found, above):
        return above, "enough seen" if standing.state == "shadow" else "not worse"
    if served(sums) >= rules.within and rules.on_end == "roll_back":
        return ROLLED_BACK, f"undecided after {rules.within} requests"
    return None


def may_rise(standing: Standing, sums: Sums, rules: Rules, found: list[Finding], above: Stage) -> bool:
    """Tell whether enough is known for the next stage.

    A share of the traffic may be given if certainly no harm is done to all of it beyond the margin: a quarter of it to
    what is certainly not four margins worse. Before the candidate serves at all, it is enough to have watched it.
    """
    if decided(sums, standing) < rules.min_requests:
        return False
    return standing.state == "shadow" or all(finding.cleared(above.share) for finding in found)


def next_stage(standing: Standing, rules: Rules) -> Stage | None:
    """Return the stage above; None above the last one, and for a candidate that was taken back."""
    if standing.state == "rolled_back":
        return None
    return next((stage for stage in rules.stages if stage.share > standing.share), None)


def decided(sums: Sums, standing: Standing) -> int:
    """Return how many requests the candidate has decided where it stands."""
    return Contrast.of(sums, f"{REQUESTS}{standing.number}").promoted


def served(sums: Sums) -> int:
    """Return how many requests have been served on trial, by either version."""
    names = [name.removesuffix(":totals") for name in sums.parts if name.startswith(REQUESTS)]
    return sum(Contrast.of(sums, name).kept + Contrast.of(sums, name).promoted for name in set(names))


def evidence_of(standing: Standing, sums: Sums, rules: Rules, found: list[Finding]) -> dict[str, Any]:
    """Return the numbers of this moment, as they go into the log."""
    return {
        "alpha": rules.alpha,
        "within": rules.within,
        "requests": served(sums),
        "decided": decided(sums, standing),
        "tests": {finding.limit.measure: finding.as_json() for finding in found},
    }


def begin(rules: Rules) -> Step:
    """Return the first step of a candidate."""
    return Step(rules.stages[0], CONFIGURATION, f"{rules.candidate} is the candidate of {rules.policy}")


def move(rules: Rules, before: Standing | None, step: Step, at: datetime) -> Move:
    """Return a step as an event: its id is the same for whoever takes it, so that only one move can follow another."""
    number = before.number + 1 if before else 1
    fresh = before is None or before.version != rules.version or before.state == "rolled_back"
    run, began = (number, at) if fresh or before is None else (before.run, before.began)
    return Move(
        id=move_id(rules.policy, number),
        at=at,
        policy=rules.policy,
        version=rules.version,
        before=before.state if before else NOWHERE,
        after=step.stage.state,
        share=step.stage.share,
        by=step.by,
        why=step.why,
        evidence={**step.evidence, "number": number, "run": run, "began": began.isoformat()},
    )


def move_id(policy: str, number: int) -> UUID:
    """Return the id of a policy's move of that number."""
    digest = hashlib.blake2b(f"{policy}\n{number}".encode(), digest_size=16).digest()
    return UUID(int=_version_8(int.from_bytes(digest, "big")))


def _version_8(value: int) -> int:
    """Return 128 bits as a UUID of version 8 has them (RFC 9562, section 5.8)."""
    value = value & ~(0xF << 76) | 0x8 << 76
    return value & ~(0b11 << 62) | 0b10 << 62


def standing_after(moved: Move) -> Standing:
    """Return where a candidate stands after a move."""
    number, run = (int(cast("int", moved.evidence[name])) for name in ("number", "run"))
    began = datetime.fromisoformat(str(moved.evidence["began"]))
    return Standing(moved.version, cast("State", moved.after), moved.share, number, run, moved.at, began)


def last_standing(moves: Iterable[Move]) -> Standing | None:
    """Return where the moves of one policy lead, in whatever order they come; None where there are none."""
    standings = [standing_after(one) for one in moves]
    return max(standings, key=lambda standing: standing.number, default=None)
