"""What a request, or an answer, tells of the answers before: from what is remembered to signs, without any I/O."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gateway.events import Feedback
from gateway.implicit.edits import returned
from gateway.implicit.repeats import discontent, dropped
from gateway.implicit.results import tells_failure
from gateway.implicit.rules import CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from uuid import UUID

    from gateway.implicit.conversation import Conversation, Reader
    from gateway.implicit.rules import ImplicitRules, Signal
    from gateway.implicit.seen import Seen
    from gateway.implicit.sketch import Sketcher

#: The header in which OpenAI's clients say that they repeat a request by themselves, after a failure.
CLIENT_RETRY = "x-stainless-retry-count"


@dataclass(slots=True)
class Sign:
    """What was seen, and in which decision's answer. `part` is how much of the answer it concerns, in (0, 1]."""

    decision: UUID
    signal: Signal
    part: float = 1.0
    comment: str | None = None


class Known(NamedTuple):
    """What is remembered: of the very request, of the loop of tools after its user turn, and of the turn before."""

    same: Seen | None
    loop: Seen | None
    before: Seen | None


class Signs:
    """Reads signs with the keys that digests and sketches were made with."""

    def __init__(self, reader: Reader, sketcher: Sketcher) -> None:
        self.reader = reader
        self.sketcher = sketcher

    def of_request(self, now: Conversation, known: Known, after: Seen, rules: ImplicitRules) -> Iterator[Sign]:
        """Yield what a request tells of the answers before; `after` is what is remembered of it from now on."""
        if now.own:
            yield from _of_repetition(now, known, after, rules)
        yield from self._of_return(now, known.before)

    def _of_return(self, now: Conversation, before: Seen | None) -> Iterator[Sign]:
        back = returned(before, now.returned, self.reader, self.sketcher)
        if back is None:
            return
        if tells_failure(now.results):
            yield Sign(back.decision, "tool_failed", comment="the tool told an error")
        elif back.unchanged:
            yield Sign(back.decision, "continued")
        if not back.unchanged and now.before_own:
            yield Sign(back.decision, "edited", 1 - back.shared, f"likeness {back.shared:.2f}")


def _of_repetition(now: Conversation, known: Known, after: Seen, rules: ImplicitRules) -> Iterator[Sign]:
    """Yield what it tells that a request comes again; where a loop of tools had followed, of the loop's answer."""
    few = after.run <= rules.repeats and not after.sampled
    if now.asks and few and known.loop and dropped(known.loop, now.frame, after.asked, rules):
        yield Sign(known.loop.decision, "regenerate", comment="the loop of tools was begun anew")
    elif known.same and discontent(known.same, after, rules):
        yield Sign(known.same.decision, "regenerate" if now.continues else "retry")


def is_clients_own(headers: Mapping[str, str]) -> bool:
    """Tell whether a request is repeated by the client's library, and not by whoever uses it."""
    return headers.get(CLIENT_RETRY, "0").strip() not in ("", "0")


def feedback(sign: Sign, rules: ImplicitRules, caller: str, at: datetime) -> Feedback | None:
    """Return a sign as feedback, None where the rules give it no value; of a part, the rest counts as good.

    What is left of an edited answer counts as that of one that comes back as it was. There is one for each decision and
    signal: seen again, it has the same id.
    """
    value = rules.values.get(sign.signal)
    if value is None:
        return None
    kept = rules.values.get("continued")
    best = 1.0 if sign.signal != "edited" else CONTENT if kept is None else kept
    digest = hashlib.sha256(f"{sign.decision}\n{sign.signal}".encode()).hexdigest()
    return Feedback(
        id=f"im_{digest[:32]}",
        decision_id=sign.decision,
        at=at,
        kind="implicit",
        value=round(best - (best - value) * sign.part, 6),
        model=None,
        other=None,
        source="implicit",
        comment=sign.comment,
        name=sign.signal,
        caller=caller,
    )
