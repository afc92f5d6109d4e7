"""What the words before a number say that it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: How far before a number a word may stand to say what it is.
REACH = 48
#: How far after it, where nothing before it says anything.
REACH_AFTER = 28

#: Numbers of things and not of people.
_THINGS: Final = (
    "order|invoice|ticket|track|tracking|isbn|issn|part|serial|ref|reference|sku|version|ver|v|release|build|case|claim"
    "|batch|lot|item|product|code|model|transaction|confirmation|booking|reservation|commit|hash|uuid|guid|checksum|sha"
    "|md5|timestamp|epoch|date|price|total|amount|cost|sum|population|score|seed|po|parcel|shipment|doi|ean|upc|gtin"
    "|barcode|imei|vin|patent|port|page|row|line|issue|bug|pull request|pr|catalog|catalogue|asset"
    "|device|session|request"
    "|trace|span|user|customer|client|record|document|file|job|task|process|pid|meeting|vertrag|vertragsnummer|kundennummer|auftrag|auftragsnummer|bestellung|bestellnummer|rechnung"
    "|rechnungsnummer|artikelnummer|commande|facture|référence|colis|pedido|factura|referencia|artículo|ordine|fattura"
    "|riferimento|articolo|bestelling|factuur|订单|编号"
)
_OF_THINGS: Final = rf"(?:{_THINGS})s?(?:[ _-]?(?:ids?|no|nr|numbers?|num|code|key|numéro|número|numero)(?![a-z]))?"


@dataclass(frozen=True, slots=True)
class Labels:
    """The words for a kind of number. The nearest word counts: "order, phone" is a phone, "phone order" an order."""

    words: re.Pattern[str]

    def says(self, text: str, start: int, end: int) -> bool | None:
        """Tell whether a word says that `text[start:end]` is of the kind (or of another); None where none does."""
        before = self._last(text[max(0, start - REACH) : start].lower())
        return self._first(text[end : end + REACH_AFTER].lower()) if before is None else before

    def _last(self, window: str) -> bool | None:
        said = None
        for match in self.words.finditer(window):
            said = match["kind"] is not None
        return said

    def _first(self, window: str) -> bool | None:
        # What follows a number says what it is only in the same clause, and only that it is of the kind.
        match = self.words.search(re.split(r"[.;\n,]\s", window, maxsplit=1)[0])
        return True if match is not None and match["kind"] is not None else None


def labels(kind: str, others: str = _OF_THINGS) -> Labels:
    """Return labels from the words of the kind and those of others, each the alternatives of an expression."""
    return Labels(re.compile(rf"(?<![^\W\d_])(?:(?P<kind>{kind})|(?:{others}))(?![^\W\d_])"))
