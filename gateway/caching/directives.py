"""What a client asks of the cache by `cache-control` (RFC 9111, section 5.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A directive's name, and its value if it has one, perhaps quoted.
_DIRECTIVE = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|([^\s,\"]*)))?", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]+")
#: Seconds that no answer is older than: more than that means "any" (section 1.2.2).
_MOST_S: Final = 2**31


@dataclass(frozen=True, slots=True)
class Directives:
    """`read`: the cache may answer; `write`: the answer may be kept; `only`: nobody else is to be asked.

    Where nothing may be kept, nothing is read. `max_age_s` is how old an answer may be, None for any age.
    """

    read: bool = True
    write: bool = True
    only: bool = False
    max_age_s: int | None = None


def directives_of(headers: Mapping[str, str]) -> Directives:
    """Return what the headers ask for, their names in lower case; what is not known is passed over.

    An age that is no number asks for a fresh answer, and of two ages the lower one counts (section 4.2.1).
    """
    written = headers.get("cache-control")
    if written is None:
        return Directives(read="no-cache" not in headers.get("pragma", "").lower())
    found = [(match[1].lower(), match[2] or match[3] or "") for match in _DIRECTIVE.finditer(written)]
    names = {name for name, _ in found}
    ages = [_seconds(value) for name, value in found if name == "max-age"]
    return Directives(
        read=names.isdisjoint({"no-store", "no-cache"}),
        write="no-store" not in names,
        only="only-if-cached" in names,
        max_age_s=min(ages, default=None),
    )


def _seconds(value: str) -> int:
    if not _SECONDS.fullmatch(value):
        return 0
    return min(int(value[:20]), _MOST_S)
