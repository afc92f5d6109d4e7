"""Decides one request by two versions: one serves, and the other one can neither break it nor hold it up for long."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import RequestError
from gateway.promotion.observation import noted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.deliberation import Routed
    from gateway.policy import Policy
    from gateway.promotion.trial import Trial

logger = logging.getLogger("pointsman")

#: Seconds that a version on trial may take to decide; one that takes longer has failed.
PATIENCE_S: Final = 2.0


async def decided(
    trial: Trial, live: Policy, candidate: Policy, decide: Callable[[Policy], Coroutine[Any, Any, Routed]]
) -> Routed:
    """Return the decision of the version whose turn it is, with a note of the comparison in its trace.

    Where the candidate cannot decide, the live version does: to the client nothing is lost. Raises `RequestError` where
    the version refuses.
    """
    note = noted(trial, None, None)
    if trial.side == "live":
        served, other = await _refusing(decide(live), note), candidate
    else:
        found = await attempted(decide(candidate))
        if isinstance(found, RequestError):
            raise _refused(found, note)
        if isinstance(found, BaseException):
            return await _stood_in(trial, found, decide(live))
        served, other = found, live
    compared = await attempted(decide(other)) if trial.compared else None
    served.trace.promotion = noted(trial, served, compared)
    return served


async def attempted(deciding: Coroutine[Any, Any, Routed]) -> Routed | BaseException:
    """Return a decision, or why there is none: a refusal, a defect, or that it took too long."""
    task = asyncio.ensure_future(deciding)
    try:
        await asyncio.wait({task}, timeout=PATIENCE_S)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        return TimeoutError(f"no decision within {PATIENCE_S:g} s")
    return task.exception() or task.result()


async def _stood_in(trial: Trial, error: BaseException, deciding: Coroutine[Any, Any, Routed]) -> Routed:
    """Return the live version's decision in the place of one that failed, which counts against the candidate."""
    version = trial.rules.version
    logger.error("promotion.candidate_failed", extra={"version": version}, exc_info=error)
    served = await deciding
    served.trace.promotion = {**noted(trial, None, None), "failed": True}
    return served


async def _refusing(deciding: Coroutine[Any, Any, Routed], note: dict[str, Any]) -> Routed:
    try:
        return await deciding
    except RequestError as error:
        _refused(error, note)
        raise


def _refused(error: RequestError, note: dict[str, Any]) -> RequestError:
    if error.trace is not None:
        error.trace.promotion = note
    return error
