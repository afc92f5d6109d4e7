"""Takes feedback into the log, whichever way it comes, and out of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gateway.errors import FeedbackConflict, RequestError
from gateway.feedback.errors import FeedbackErased, FeedbackNotFound, FeedbackNotPermitted
from gateway.feedback.heard import Heard, MisheardError, understood
from gateway.feedback.opinion import opinion_of, to_event
from gateway.feedback.rights import FeedbackRules, Rater
from gateway.store.base import Selection, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.events import Erasure, Feedback
    from gateway.feedback.opinion import Piece
    from gateway.metrics import Metrics
    from gateway.recorder import Recorder
    from gateway.store.base import Store

logger = logging.getLogger(__name__)


class Intake:
    """Takes feedback by the rules in force, `rules`, which a reload replaces."""

    def __init__(self, recorder: Recorder, log: Store, metrics: Metrics) -> None:
        self.rules = FeedbackRules()
        self._recorder = recorder
        self._log = log
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()

    async def take(self, pieces: Sequence[Piece], rater: Rater, at: datetime) -> list[Feedback]:
        """Store feedback, each piece once, and return it once it is on disk.

        A decision need not be known yet: feedback may overtake it. Raises `RequestError` for a piece that the rater may
        not give, before any is stored, and for one whose id is that of another or of a deleted one; else `StoreError`.
        """
        unproved = [piece for piece in pieces if not self.rules.proves(piece, rater)]
        if unproved:
            await self._check_owned([piece.decision_id for piece in unproved], rater)
        labels = self.rules.rewards.labels
        events = [to_event(piece, rater.identity, at, labels) for piece in pieces]
        fresh = await asyncio.gather(*(self._recorder.record_durably(event) for event in events))
        for piece, event, new in zip(pieces, events, fresh, strict=True):
            if new:
                self._metrics.feedback.labels(event.kind).inc()
            else:
                await self._check_same(piece, event)
        return events

    def overhear(self, heard: Heard, rater: Rater, at: datetime) -> str:
        """Take what was said along with a request, without keeping it waiting; return why not, empty if it is taken.

        What turns out only later not to be his to say is counted and logged, as is what is returned.
        """
        try:
            pieces = understood(heard)
            for piece in pieces:
                self.rules.proves(piece, rater)
        except (MisheardError, RequestError) as error:
            self._refused(heard.where, str(error))
            return str(error)
        task = asyncio.ensure_future(self._keep(heard.where, pieces, rater, at))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return ""

    async def find(self, feedback_id: str, rater: Rater) -> Feedback:
        """Return a piece of feedback of the rater's own. Raises `FeedbackNotFound` and `StoreError`."""
        found = await asyncio.to_thread(self._log.feedback, feedback_id)
        if found is None or not (rater.open or rater.trusted or found.caller == rater.identity):
            raise FeedbackNotFound(f"There is no feedback {feedback_id!r}.")
        return found

    async def erase(
        self, rater: Rater, at: datetime, *, feedback_id: str | None = None, decision_id: UUID | None = None
    ) -> list[Erasure]:
        """Delete feedback of the rater's own, for good. Raises `FeedbackNotFound` where there is none."""
        await self._recorder.flushed()
        everybodys = rater.open or rater.trusted
        which = Selection(feedback_id, decision_id, caller=None if everybodys else rater.identity)
        erased = await asyncio.to_thread(self._log.erase, which, at)
        if not erased:
            named = f"{feedback_id!r}" if feedback_id is not None else f"on the decision {decision_id}"
            raise FeedbackNotFound(f"There is no feedback {named} that this caller could delete.")
        self._metrics.feedback_deleted.inc(len(erased))
        return erased

    async def aclose(self) -> None:
        """Wait until all that was overheard is on disk."""
        await asyncio.gather(*self._under_way)

    async def _keep(self, where: str, pieces: Sequence[Piece], rater: Rater, at: datetime) -> None:
        try:
            await self.take(pieces, rater, at)
        except (RequestError, StoreError) as error:
            self._refused(where, str(error))

    def _refused(self, where: str, reason: str) -> None:
        self._metrics.feedback_refused.labels(where).inc()
        logger.warning("feedback.refused", extra={"where": where, "reason": reason})

    async def _check_owned(self, ids: Sequence[UUID], rater: Rater) -> None:
        """Raise `FeedbackNotPermitted` where a decision is another caller's.

        One that no log has ever heard of is let pass: it is another replica's, or nobody's, whom feedback cannot harm.
        """
        events = await asyncio.to_thread(self._log.events, ids)
        if len(events) < len(set(ids)):
            await self._recorder.flushed()
            events = await asyncio.to_thread(self._log.events, ids)
        for event in events:
            if not self.rules.owns(rater, event.decision.caller):
                raise FeedbackNotPermitted(
                    f"The decision {event.decision.id} was not made for this caller: it can be rated with its token, "
                    f"or by callers of the role {self.rules.grader_role!r}."
                )

    async def _check_same(self, piece: Piece, event: Feedback) -> None:
        stored = await asyncio.to_thread(self._log.feedback, event.id)
        if stored is None:
            raise FeedbackErased(
                "This feedback was deleted; to give it anew, send it with an Idempotency-Key of its own."
            )
        if opinion_of(stored) != opinion_of(event):
            raise FeedbackConflict(f"The idempotency key {piece.key!r} was used for other feedback on this decision.")
