"""Who may call, by key, and what each may ask for."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.constraints import UNBOUNDED, Constraints
from gateway.signals.base import NOBODY, Caller

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Access:
    """A caller, the bounds that its key sets, and whether it may see how decisions were made."""

    caller: Caller = NOBODY
    constraints: Constraints = UNBOUNDED
    debug: bool = False


#: Where no key is asked: the gateway listens on this machine only.
OPEN = Access(debug=True)


class Callers:
    """The keys that callers may show, each with what it gives access to; without keys, everyone is served."""

    def __init__(self, keys: Mapping[str, Access]) -> None:
        self._keys = {key.encode(): access for key, access in keys.items()}

    @property
    def open(self) -> bool:
        """Tell whether no key is asked."""
        return not self._keys

    def identify(self, shown: str) -> Access | None:
        """Return what a key gives access to, None for one that is unknown.

        All are compared, each in constant time, so that the time taken tells nothing.
        """
        secret = shown.encode()
        found = [access for key, access in self._keys.items() if hmac.compare_digest(secret, key)]
        return found[0] if found else None
