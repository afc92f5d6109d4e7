"""E-mail and network addresses."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.finding import Finding
from gateway.signals.pii.labels import labels
from gateway.signals.pii.lexicon import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: RFC 5321 allows 64 characters before the sign; letters of all scripts are allowed (RFC 6531).
_AT: Final = re.compile(r"(?<=[\w!#$%&'*+/=?^`{|}~\"-])@(?=[^\W_])")
_BEFORE: Final = re.compile(r"[\w!#$%&'*+=?^`{|}~.-]{1,64}")
_AFTER: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w@])")
_FILES: Final = words_of("endings of files")
_SPELT: Final = re.compile(
    r"(?<![\w.])[\w+-]{1,32}(?:(?: dot |[. ]?[(\[]dot[)\]][. ]?|\.)[\w+-]{1,32}){0,3}"
    r"(?: at | ?[(\[](?:at|@)[)\]] ?)"
    r"[\w-]{1,40}(?:(?: dot | ?[(\[](?:dot|\.)[)\]] ?|\.)[\w-]{1,40}){0,2}"
    r"(?: dot | ?[(\[](?:dot|\.)[)\]] ?|\.)(?:com|org|net|edu|gov|io|co|uk|de|fr|es|it|nl|info|eu|ch"
    r"|at|ca|au|in|br|pl)\b",
    re.IGNORECASE,
)
_IS_SPELT: Final = re.compile(r"(?: dot |[(\[](?:dot|at|@)[)\]])", re.IGNORECASE)

_V4: Final = re.compile(r"(?<![\w.+-])(?<!\d,)(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-[A-Za-z0-9])")
_V6: Final = re.compile(
    r"(?<![\w:.])(?=[0-9a-fA-F]{0,4}:)[0-9a-fA-F:]{3,39}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])"
)
_NETWORK: Final = labels(
    "ips?|ipv4|ipv6|address|addr|host|server|ping|dns|ssh|subnet|gateway|login|logged|connect|connected|connection|network"
    "|netmask|firewall|traffic|remote|adresse|dirección|indirizzo|requests?|clients?|visitors?"
    "|came from|proxy|vpn|router"
    "",
    r"versions?|ver|v|release[sd]?|builds?|firmware|upgrade[sd]?|upgrading|update[sd]?|install(?:ed|ing)?|package|library"
    r"|driver|section|chapter|clause|paragraph|patch|module|plugin|changelog|python|java|node|chrome|firefox|dotnet"
    r"|oid|kernel|softwareversion|versión|versione|fassung|kapitel|abschnitt",
)
#: Below this, all four parts are as likely those of a version or a section as of an address.
_SMALL: Final = 30
#: Addresses of nobody: this machine, all machines, masks.
_NOBODY: Final = ("0.", "127.0.0.", "255.")


def emails(text: str) -> Iterator[Finding]:
    """Yield e-mail addresses, also those with "at" and "dot" spelt out."""
    for at in _AT.finditer(text):
        after = _AFTER.match(text, at.end())
        if after is None or after[0].rpartition(".")[2].lower() in _FILES:
            continue
        start = _start(text, at.start())
        if text[start : at.start()] not in {"", "git"} and not _in_url(text, start):
            yield Finding("email", start, after.end())
    if _IS_SPELT.search(text):
        yield from (Finding("email", *match.span()) for match in _SPELT.finditer(text) if _IS_SPELT.search(match[0]))


def addresses(text: str) -> Iterator[Finding]:
    """Yield network addresses: of IPv4, told from versions by the words about, and of IPv6."""
    for match in _V4.finditer(text):
        if _is_v4(match[0]) and _means_address(text, match):
            yield Finding("ip", *match.span())
    if text.count(":") > 1:
        yield from (Finding("ip", *match.span()) for match in _V6.finditer(text) if _is_v6(match[0]))


def _start(text: str, at: int) -> int:
    before = _BEFORE.match(text[max(0, at - 64) : at][::-1])
    start = at - (before.end() if before else 0)
    # Allowed in addresses, and hardly ever there: far more often these part the query of a URL.
    start = max(start, *(text.rfind(mark, start, at) + 1 for mark in "=?&"))
    while start < at and text[start] in ".'`=":
        start += 1
    return start


def _in_url(text: str, start: int) -> bool:
    """Tell whether what stands before the sign is the name and password of an address such as postgres://a:b@c."""
    scheme = text.rfind("://", max(0, start - 80), start)
    return text[max(0, start - 1) : start] in {":", "/"} and scheme >= 0 and "/" not in text[scheme + 3 : start]


def _is_v4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return not text.startswith(_NOBODY)


def _means_address(text: str, match: re.Match[str]) -> bool:
    said = _NETWORK.says(text, *match.span())
    if text[max(0, match.start() - 2) : match.start()] in {"==", ">=", "<=", "~="}:
        return False
    small = max(map(int, match[0].split("."))) <= _SMALL
    return said is True or (said is None and (not small or len(set(match[0].split("."))) == 1))


def _is_v6(text: str) -> bool:
    try:
        number = int(IPv6Address(text))
    except AddressValueError:
        return False
    # "::" is common in code. What is short is an address only where it is in a range that is in use.
    first = number >> 112
    used = 0x2000 <= first < 0x4000 or 0xFC00 <= first < 0xFE00 or 0xFE80 <= first < 0xFEC0 or number >> 32 == 0xFFFF
    return "::" not in text or (used and any(char.isdigit() for char in text))
