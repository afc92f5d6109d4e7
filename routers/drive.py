"""Drive a plan to its end, with something other than live endpoints answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from routers.types import Answer, Call, Candidate, Finish, Plan

#: Calls after which a plan is taken to be endless.
MAX_CALLS = 100


def drive(plan: Plan, answer: Callable[[Candidate], Answer]) -> tuple[tuple[Call, ...], Finish]:
    """Answer every call of the plan; return the calls it made and how it ended.

    Raises `RuntimeError` after `MAX_CALLS` calls.
    """
    calls: list[Call] = []
    try:
        call = next(plan)
        while len(calls) < MAX_CALLS:
            calls.append(call)
            call = plan.send([answer(candidate) for candidate in call.candidates])
    except StopIteration as end:
        finish: Finish = end.value
        return tuple(calls), finish
    raise RuntimeError(f"the plan did not end within {MAX_CALLS} calls; the last was {calls[-1].why!r}")
