"""Payment cards and bank accounts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.checksums import luhn, mod_97
from gateway.signals.pii.finding import Finding
from gateway.signals.pii.labels import labels

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Issuers by how their numbers begin, and how long these are.
_ISSUERS: Final = tuple(
    (re.compile(prefix), frozenset(lengths))
    for prefix, lengths in (
        (r"4", (13, 16, 19)),  # Visa
        (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
        (r"3[47]", (15,)),  # American Express
        (r"6011|64[4-9]|65|622", (16, 17, 18, 19)),  # Discover, UnionPay
        (r"62|81", (16, 17, 18, 19)),  # UnionPay
        (r"35", (16, 17, 18, 19)),  # JCB: 3528 to 3589
        (r"2131|1800", (15,)),  # JCB, old
        (r"30[0-59]|36|3[89]", (14, 16, 19)),  # Diners Club
        (r"0604|5018|50[2-9]|5[6-9]|6304|67|6[0-9]", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        (r"220[0-4]", (16, 17, 18, 19)),  # Mir
    )
)
_CARD: Final = re.compile(r"(?<![\w.+/])(?<!\d[-])\d(?:[ -]?\d){11,18}(?![-]?\w|\.\d)")
#: Of these lengths are nearly all cards; of others, numbers of orders and goods may look the same.
_USUAL: Final = (15, 16)
_THINGS: Final = labels("cards?|debit|credit|visa|maestro|mastercard|amex|karte|carte|tarjeta|carta")
#: How the digits of a card are grouped: 4-4-4-4 and the like, 4-6-5, 4-6-4, or not at all.
_GROUPS: Final = re.compile(r"\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}")

#: Countries by the length of their IBANs (the registry of SWIFT, ISO 13616).
_COUNTRIES: Final = (
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ DZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
)
_LENGTHS: Final = {country: length for length, countries in _COUNTRIES for country in countries.split()}
_IBAN: Final = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])")
_REST: Final = re.compile(r"[ -]?([A-Za-z0-9])")


def cards(text: str) -> Iterator[Finding]:
    """Yield the numbers of payment cards: of a known issuer, as long as its are, and right by Luhn."""
    for match in _CARD.finditer(text):
        digits = re.sub("[ -]", "", match[0])
        usual = len(digits) in _USUAL or _THINGS.says(text, *match.span()) is not False
        if _GROUPS.fullmatch(match[0]) and usual and _issued(digits) and luhn(digits):
            yield Finding("card", *match.span())


def ibans(text: str) -> Iterator[Finding]:
    """Yield account numbers: of a country that has them, of its length, and right by ISO 7064 (mod 97)."""
    for match in _IBAN.finditer(text):
        length = _LENGTHS.get(match[0][:2].upper())
        if length is not None and (end := _end(text, match.start(), length)):
            yield Finding("iban", match.start(), end)


def _issued(digits: str) -> bool:
    distinct = len(set(digits)) > 1
    return distinct and any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in _ISSUERS)


def _end(text: str, start: int, length: int) -> int:
    """Return where the account number that begins at `start` ends; 0 where there is none."""
    compact, place = "", start
    while len(compact) < length:
        match = _REST.match(text, place)
        if match is None:
            return 0
        compact, place = compact + match[1].upper(), match.end()
    # ISO 7064 gives 02 to 98; others may be right by the remainder and are never made.
    whole = not text[place : place + 1].isalnum() and "02" <= compact[2:4] <= "98"
    return place if whole and compact.isascii() and mod_97(compact[4:] + compact[:4]) == 1 else 0
