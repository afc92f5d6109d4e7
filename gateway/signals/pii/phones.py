"""Telephone numbers, told by how they are written and by the words about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.finding import Finding
from gateway.signals.pii.labels import labels

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS: Final = labels(
    "phones?|telephones?|tel|tél|mobile|cell|cellphone|fax|call|calls|called|calling|ring|dial|text|texted|sms|whatsapp"
    "|signal|reach|reached|contact|hotline|landline|extension|handy|handynummer|mobilnummer|telefon|telefonnummer"
    "|telefonisch|ruf|rufe|appelle|rufnummer|anrufen|erreichbar|erreichen|rufen|festnetz|téléphone|portable|appeler|appelez|joindre"
    "|joignable|numéro|móvil|teléfono|llamar|llámame|llame|contactar|cellulare|telefono|chiamare|chiamami|chiama|telefoon"
    "|telefoonnummer|mobiel|bellen|telefone|celular|ligar|ligue|telefonu|komórka|zadzwoń|puhelin"
    "|phone_?number|my number"
    "|his number|her number|your number|new number|number is|nummer|手机|电话|號碼|号码|電話|тел|телефон|номер|τηλέφωνο"
)
_EXTENSION: Final = r"(?:[ ,]{0,2}(?:x|ext\.?|extension)[ .]?\d{1,6})?"
#: Ways of writing that nothing else has: with a country code, with an area code in parentheses, as in North America,
#: and in groups of which the first begins with a zero.
_WRITTEN: Final = re.compile(
    r"(?<![\w.+/(-])(?<!\d[ ,:])(?:"
    rf"(?:\+|00[ -]?)\(?[1-9]\d{{0,3}}\)?(?:[ ./-]{{0,2}}\(?\d{{1,12}}\)?){{1,7}}{_EXTENSION}"
    rf"|(?:[18][ .-]?)?\(\d{{2,5}}\)[ ./-]{{0,2}}\d{{2,8}}(?:[ .-]\d{{2,5}}){{0,3}}{_EXTENSION}"
    rf"|(?:1[ .-])?[2-9]\d{{2}}([.-])\d{{3}}\1\d{{4}}{_EXTENSION}"
    r"|0[1-9]\d{0,3}[ /-](?:\d{2,8})(?:[ -]\d{2,4}){0,4}"
    r"|0\d(?:\.\d\d){4}|0[1-9]\d{8,10}"
    r")(?![\w]|[-./]\d)"
)
#: What may be a telephone number where a word says so.
_POSSIBLE: Final = re.compile(
    rf"(?<![\w.+/(-])\(?\d{{1,5}}\)?(?:[ ./-]{{0,2}}\d{{1,8}}){{0,5}}{_EXTENSION}(?![\w]|[-./]\d)"
)
#: Dates, with an hour or without, and numbers of social security.
_OTHERS: Final = re.compile(
    r"\d{3}-\d\d-\d{4}"
    r"|(?:(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?([-./])\d\d?\1(?:19|20)?\d\d)(?: \d\d?)?"
)
_DIGITS: Final = range(7, 16)
#: Where no word says what it is: a call abroad, and any other.
_ABROAD, _FEWEST = 11, 9


def phones(text: str) -> Iterator[Finding]:
    """Yield telephone numbers. A number in a form that other numbers have too needs a word that says what it is."""
    for match in _WRITTEN.finditer(text):
        least = _ABROAD if match[0].startswith("00") else _FEWEST
        if _plausible(match[0], least) and (match[0].startswith("+") or _WORDS.says(text, *match.span()) is not False):
            yield Finding("phone", *match.span())
    for match in _POSSIBLE.finditer(text):
        if _plausible(match[0], 7) and _WORDS.says(text, *match.span()) is True:
            yield Finding("phone", *match.span())


def _plausible(written: str, least: int) -> bool:
    number = re.split("[ext,]", written, maxsplit=1)[0].strip()
    digits = [char for char in number if char.isdigit()]
    return (
        least <= len(digits) in _DIGITS
        and len(set(digits)) > 1
        and number.count("(") == number.count(")")
        and _OTHERS.fullmatch(number) is None
    )
