"""What became of an answer in the turn after it: the client sends it back as part of the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.implicit.wording import wording

if TYPE_CHECKING:
    from uuid import UUID

    from gateway.implicit.answer import Choice
    from gateway.implicit.conversation import Reader
    from gateway.implicit.seen import Given, Seen
    from gateway.implicit.sketch import Sketcher

#: Share of pieces that an edited answer has in common with the one that was given; with fewer it is another text,
#: which a client has put in its place: a summary, or its own.
LEAST_SHARED: Final = 0.4
#: Share of its pieces from the answer from which on nothing was put in: it was only cut.
ONLY_CUT: Final = 0.98


@dataclass(frozen=True, slots=True)
class Return:
    """An answer that came back: by which decision it was given, and how much of it is left (1: all)."""

    decision: UUID
    shared: float
    unchanged: bool


def returned(seen: Seen | None, message: Choice | None, reader: Reader, sketcher: Sketcher) -> Return | None:
    """Return which of the answers that were given came back; None where it is none of them, or was only cut.

    Programs cut long answers to save tokens far more often than people do to mend them.
    """
    if seen is None or message is None or not seen.given:
        return None
    words = wording(message)
    said = reader.said(words)
    same = next((one for one in reversed(seen.given) if one.said == said), None)
    if same is not None:
        return Return(same.decision, 1.0, unchanged=True)
    return _edited(seen.given, words, sketcher)


def _edited(given: tuple[Given, ...], text: str, sketcher: Sketcher) -> Return | None:
    found = [(sketcher.likeness(one.sketch, text), one) for one in given]
    likest, answer = max(found, key=lambda pair: pair[0].shared)
    only_cut = likest.contained >= ONLY_CUT and len(text) < answer.characters
    if likest.shared < LEAST_SHARED or only_cut:
        return None
    return Return(answer.decision, likest.shared, unchanged=False)
