"""Finds personal data in a text, and replaces it."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.contacts import addresses, emails
from gateway.signals.pii.finding import KINDS, Finding
from gateway.signals.pii.keys import secrets
from gateway.signals.pii.legible import legible
from gateway.signals.pii.names import names
from gateway.signals.pii.national_ids import national_ids
from gateway.signals.pii.payment import cards, ibans
from gateway.signals.pii.phones import phones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DIGITS: Final = frozenset({"iban", "card", "national_id", "phone"})
_FINDERS: Final[dict[str, Callable[[str], Iterator[Finding]]]] = {
    "secret": secrets,
    "email": emails,
    "iban": ibans,
    "card": cards,
    "national_id": national_ids,
    "ip": addresses,
    "phone": phones,
    "name": names,
}


def find(text: str) -> list[Finding]:
    """Return the personal data of a text, by place. What overlaps counts once, as the first of `KINDS`."""
    plain = legible(text)
    taken: list[Finding] = []
    has_digits = any(digit in plain.text for digit in "0123456789")
    for kind in KINDS:
        if has_digits or kind not in _DIGITS:
            taken = _joined(taken, _FINDERS[kind](plain.text))
    return [Finding(found.kind, *plain.span(found.start, found.end)) for found in taken]


def redact(text: str) -> str:
    """Return the text with its kind, such as `<EMAIL>`, in the place of each piece of personal data."""
    parts, place = [], 0
    for found in find(text):
        parts += [text[place : found.start], f"<{found.kind.upper()}>"]
        place = found.end
    return "".join([*parts, text[place:]])


def _joined(taken: list[Finding], findings: Iterator[Finding]) -> list[Finding]:
    """Return what is taken with those findings that are free, by place; of those that begin together the longest."""
    starts = [found.start for found in taken]
    free: list[Finding] = []
    for found in sorted(findings, key=lambda found: (found.start, -found.end)):
        after = bisect(starts, found.start)
        before_it = taken[after - 1].end if after else 0
        next_one = taken[after].start if after < len(taken) else found.end
        if before_it <= found.start and found.end <= next_one and (not free or free[-1].end <= found.start):
            free.append(found)
    return sorted(taken + free, key=lambda found: found.start)
