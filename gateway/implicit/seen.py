"""What is remembered of a request that was asked, and of the answers that it was given."""

from __future__ import annotations

import json
from base64 import b85decode, b85encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Answers to one request that are remembered; of more, the newest.
MAX_GIVEN: Final = 8


class Given(NamedTuple):
    """An answer: by which decision, the digest of what it says, its sketch, and its length in characters."""

    decision: UUID
    said: bytes
    sketch: bytes
    characters: int


class Seen(NamedTuple):
    """A request, however often it was asked.

    `decision` is the last one made on it, `asked` when (seconds of 1970), `ended` when its answer was complete; None
    while it is under way. `failed` tells that it came to nothing. `frame` is what was asked beside the conversation,
    `run` how often it was asked again, and `sampled` that a program did so, to have several answers.
    """

    decision: UUID
    asked: float
    frame: bytes
    ended: float | None = None
    failed: bool = False
    run: int = 0
    sampled: bool = False
    given: tuple[Given, ...] = ()

    @property
    def last(self) -> float:
        """Return when it was last heard of."""
        return self.asked if self.ended is None or self.ended < self.asked else self.ended

    def with_given(self, more: Sequence[Given]) -> tuple[Given, ...]:
        """Return the answers that are remembered, with more."""
        return (*self.given, *more)[-MAX_GIVEN:]


def encoded(seen: Seen) -> bytes:
    """Return it as bytes."""
    given = [[str(one.decision), _text(one.said), _text(one.sketch), one.characters] for one in seen.given]
    times = [seen.asked, seen.ended, seen.failed, seen.run, seen.sampled]
    return json.dumps([str(seen.decision), _text(seen.frame), times, given]).encode()


def decoded(value: bytes) -> Seen | None:
    """Return what `encoded` wrote; None for what cannot be read."""
    try:
        return _read(json.loads(value))
    except (ValueError, TypeError):
        return None


def _read(value: Any) -> Seen:
    decision, frame, (asked, ended, failed, run, sampled), given = value
    return Seen(
        decision=UUID(decision),
        asked=float(asked),
        frame=b85decode(frame),
        ended=None if ended is None else float(ended),
        failed=bool(failed),
        run=int(run),
        sampled=bool(sampled),
        given=tuple(Given(UUID(one), b85decode(said), b85decode(sketch), int(n)) for one, said, sketch, n in given),
    )


def _text(value: bytes) -> str:
    return b85encode(value).decode()
