"""What was found in a text: where, and which kind of personal data. Never what it says."""

from __future__ import annotations

from dataclasses import dataclass

#: The kinds of personal data, in the order in which they claim a stretch of text: the first takes it.
KINDS = ("secret", "email", "iban", "card", "national_id", "ip", "phone", "name")


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of text that holds personal data: `text[start:end]`. It does not keep the text."""

    kind: str
    start: int
    end: int
