"""What an operator may do: move a candidate up, put it into a state, or take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.promotion.machine import move, next_stage
from gateway.promotion.types import ROLLED_BACK, Stage, Step

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.events import Move
    from gateway.promotion.register import Register
    from gateway.promotion.types import Rules, Standing


#: How often a move is tried that others forestall.
TRIES: Final = 5


class PromotionError(Exception):
    """A candidate cannot be moved so; the message says why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator wants: the next stage, or the state `to`; who he is, and why."""

    to: str | None
    by: str
    why: str = ""


async def steer(register: Register, rules: Rules, known: Standing | None, wish: Wish, at: datetime) -> Move:
    """Move a candidate as an operator wishes; return the move, which is written down.

    `known` is where it is known to stand. Where it is moved by others in the same moment, the wish is for what comes of
    that. Raises `PromotionError` and `StoreError`.
    """
    for _ in range(TRIES):
        standing = await register.standing(rules.policy, known)
        if standing is None or (known is not None and known.number > standing.number):
            standing = known
        made = move(rules, standing, promoted(rules, standing, wish.to, wish.by, wish.why), at)
        if await register.put(made):
            return made
    raise PromotionError(f"{rules.policy!r} could not be moved: others move it, or Redis is away; try again")


def promoted(rules: Rules, standing: Standing | None, to: str | None, by: str, why: str) -> Step:
    """Return the step to the next stage, or to the first one of state `to`.

    A candidate that was taken back begins anew, without the evidence against it. Raises `PromotionError`.
    """
    standing = standing if standing is not None and standing.version == rules.version else None
    if to == "rolled_back":
        return taken_back(rules, standing, by, why)
    stage = _first(rules, standing) if to is None else _named(rules, to)
    if standing is not None and (standing.state, standing.share) == (stage.state, stage.share):
        raise PromotionError(f"{rules.version} is {stage.state} at {stage.share:.0%} already")
    return Step(stage, by, why or "by hand")


def taken_back(rules: Rules, standing: Standing | None, by: str, why: str) -> Step:
    """Return the step back. Raises `PromotionError` where the candidate serves nothing and is not on trial."""
    if standing is None or standing.version != rules.version:
        raise PromotionError(f"{rules.version} is not on trial: there is nothing to take back")
    if standing.state == "rolled_back":
        raise PromotionError(f"{rules.version} was rolled back already")
    return Step(ROLLED_BACK, by, why or "by hand")


def _first(rules: Rules, standing: Standing | None) -> Stage:
    if standing is None or standing.state == "rolled_back":
        return rules.stages[0]
    stage = next_stage(standing, rules)
    if stage is None:
        raise PromotionError(f"{rules.version} is {standing.state} at {standing.share:.0%}: there is no stage above it")
    return stage


def _named(rules: Rules, to: str) -> Stage:
    found = next((stage for stage in rules.stages if stage.state == to), None)
    if found is None and to == "live":
        return Stage("live", 1.0)
    if found is None:
        known = ", ".join(dict.fromkeys([*(stage.state for stage in rules.stages), "live"]))
        raise PromotionError(f"{rules.policy!r} has no stage {to!r}; it has {known}")
    return found
