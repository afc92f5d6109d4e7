"""Secrets: keys of providers, private keys, tokens, passwords in addresses and assignments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMS: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,200}"  # OpenAI, Anthropic, OpenRouter
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{22,251}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,200}|xapp-[A-Za-z0-9-]{10,200}"  # Slack
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}|whsec_[A-Za-z0-9]{24,100}"  # Stripe
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|hf_[A-Za-z0-9]{30,60}|gsk_[A-Za-z0-9]{40,80}|glpat-[A-Za-z0-9_-]{20,60}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[A-Za-z0-9_-]{50,250}|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}|dop_v1_[a-f0-9]{64}"
    r"|eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}"  # JWT
    r")(?![A-Za-z0-9_-])"
)
_PRIVATE: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_END: Final = re.compile(r"-----END (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_URL: Final = re.compile(r"://[^\s:/@\"'<>{}]{1,64}:([^\s:/@\"'<>]{3,64})@")
_ASSIGNED: Final = re.compile(
    r"(?<![A-Za-z])(?:api[ _-]?key|secret(?:[ _-]?(?:access)?[ _-]?key)?|(?:access|auth"
    r"|bearer)[ _-]?token|token|passw(?:or)?d"
    r"|pwd|passphrase|client[ _-]?secret|authorization)[\"']?\s{0,3}(?:[:=]|=>| is )\s{0,3}[\"']?(?:bearer )?"
    r"([^\s\"'<>{}()\[\],;$]{8,200})",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(
    r"your|example|changeme|placeholder|xxx|\*\*\*|\.\.\.|env|process|config|dummy", re.IGNORECASE
)
#: How long a private key without an end may be, in characters.
_KEY_LENGTH: Final = 8000


def secrets(text: str) -> Iterator[Finding]:
    """Yield what opens something: keys of known forms, private keys, passwords that are assigned or in an address."""
    for match in _FORMS.finditer(text):
        if _mixed(match[0]):
            yield Finding("secret", *match.span())
    if "-----BEGIN " in text:
        yield from _private(text)
    if "://" in text:
        yield from (Finding("secret", *match.span(1)) for match in _URL.finditer(text) if _real(match[1]))
    for match in _ASSIGNED.finditer(text):
        if _mixed(match[1]) and _real(match[1]):
            yield Finding("secret", *match.span(1))


def _private(text: str) -> Iterator[Finding]:
    for match in _PRIVATE.finditer(text):
        end = _PRIVATE_END.search(text, match.end(), match.end() + _KEY_LENGTH)
        yield Finding("secret", match.start(), end.end() if end else match.end())


def _mixed(text: str) -> bool:
    """Tell whether it has digits and letters, and is more than a few characters repeated."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text)) and len(set(text)) > 5


def _real(text: str) -> bool:
    return _PLACEHOLDER.search(text) is None
