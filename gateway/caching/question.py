"""What a request asks, as keys: equal keys mean that one answer does for both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.caching.canonical import canonical, read_exactly
from gateway.caching.fitness import choices_of, question_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.caching.types import CacheRules, Holder, Sight
    from gateway.deciding import Ask
    from gateway.deliberation import Routed
    from routers.types import FloatArray

#: Goes into every key: what older versions have written is not found.
FORMAT: Final = "1"
#: Stands in a request for the question that is compared by its meaning.
_QUESTION: Final = None


@dataclass(frozen=True, slots=True)
class Near:
    """A question that may be compared by its meaning: only with those of its `bucket`, where all else is the same."""

    bucket: bytes
    text: str
    vector: FloatArray


@dataclass(frozen=True, slots=True)
class Question:
    """A request's key, how many choices it wants, and what it is compared by; None: by its key only."""

    key: bytes
    choices: int
    near: Near | None


def question_of(ask: Ask, routed: Routed, rules: CacheRules, holder: Holder, sight: Sight | None) -> Question | None:
    """Return what a request asks; None where it cannot be written in one form.

    Beside the request as it is sent, an answer belongs to who may see it, to the data class, and to the policy as it is
    written and trained, with the rule that matched and the dial.
    """
    first = routed.matched.steps[0].policy
    data_class = routed.trace.data_class[0] if routed.trace.data_class else ""
    frame = (
        *(FORMAT, *holder.within(rules.scope), data_class),
        *(first.name, first.digest, routed.matched.rule or "", repr(ask.constraints.quality_weight)),
    )
    try:
        body = read_exactly(routed.chat.text)
        key = _digest(("exact", *frame), canonical(body))
        near = _near(body, routed, rules, frame, sight)
    except (RecursionError, ValueError):
        return None  # nested beyond reading, or with numbers beyond any use: such a request is not cached
    return Question(key, choices_of(routed.chat.body) or 1, near)


def _near(
    body: dict[str, Any], routed: Routed, rules: CacheRules, frame: tuple[str, ...], sight: Sight | None
) -> Near | None:
    """Return what a request is compared by; its key is that of the request without the question."""
    text, vector = routed.context.text, routed.context.embedding
    if rules.semantic is None or sight is None or vector is None:
        return None
    at = question_at(routed.chat.body, text, sight)
    if at is None:
        return None
    messages = list(body["messages"])
    messages[at] = {**messages[at], "content": _QUESTION}
    bucket = _digest(("near", sight.digest, *frame), canonical({**body, "messages": messages}))
    return Near(bucket, text, vector)


def _digest(frame: Iterable[str], written: bytes) -> bytes:
    """Return a key of 32 bytes; the frame's parts are told apart by their lengths."""
    digest = hashlib.blake2b(digest_size=32, person=b"pointsman cache")
    for part in frame:
        encoded = part.encode(errors="surrogatepass")
        digest.update(b"%d:" % len(encoded) + encoded)
    digest.update(written)
    return digest.digest()
