"""When a request that comes again tells that its answer was not what was wanted.

Not every repetition does. Who asks before there is an answer, or the moment there is one, is a program that draws
samples; who asks time after time is one that asks all day; and after a failure anybody asks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.implicit.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from gateway.implicit.rules import ImplicitRules
    from gateway.implicit.seen import Given


def asked_again(before: Seen | None, decision: UUID, frame: bytes, now: float, rules: ImplicitRules) -> Seen:
    """Return what is remembered of a request from now on, which is asked at `now` (seconds of 1970)."""
    fresh = Seen(decision, now, frame)
    if before is None or before.frame != frame or now - before.last > rules.window_s:
        return fresh
    again = fresh._replace(run=before.run, sampled=before.sampled, given=before.given)
    if before.failed:
        return again
    return again._replace(run=before.run + 1, sampled=before.sampled or _too_soon(before, now, rules))


def discontent(before: Seen | None, after: Seen, rules: ImplicitRules) -> bool:
    """Tell whether a request that was asked `before`, and is asked again, tells against the answer that it got then."""
    if before is None or before.ended is None or before.failed or after.run == 0:
        return False
    return not after.sampled and after.run <= rules.repeats


def dropped(loop: Seen | None, frame: bytes, now: float, rules: ImplicitRules) -> bool:
    """Tell whether a loop of tools, which had come to an answer, is begun anew from its user turn."""
    if loop is None or loop.ended is None or loop.failed or loop.frame != frame:
        return False
    return rules.pause_s <= now - loop.ended <= rules.window_s


def answered(seen: Seen, decision: UUID, given: Sequence[Given], at: float) -> Seen:
    """Return what is remembered of a request once a decision's answer is complete."""
    remembered = seen.with_given(given)
    if seen.decision != decision:
        return seen._replace(given=remembered)
    return Seen(decision, seen.asked, seen.frame, at, run=seen.run, sampled=seen.sampled, given=remembered)


def came_to_nothing(seen: Seen | None, decision: UUID, at: float) -> Seen | None:
    """Return what is remembered once a decision has come to nothing, or its client has left."""
    return seen if seen is None or seen.decision != decision else seen._replace(ended=at, failed=True)


def _too_soon(before: Seen, now: float, rules: ImplicitRules) -> bool:
    """Tell whether nobody can have read the answer yet."""
    return before.ended is None or now - before.ended < rules.pause_s
