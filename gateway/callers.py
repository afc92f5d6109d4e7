"""Who may call, by key or token, and what each may ask for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.constraints import UNBOUNDED, Constraints
from gateway.errors import Unauthorized
from gateway.signals.base import NOBODY, Caller
from routers.efforts import stands_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.identity.tokens import Tokens
    from gateway.keys.key import KeyQuota
    from gateway.keys.ring import KeyRing
    from gateway.priority import Priority
    from gateway.quotas.types import Quota

#: Characters of a key or a token at most; longer ones are not looked at.
MAX_SHOWN: Final = 16_384


@dataclass(frozen=True, slots=True)
class Access:
    """A caller, the bounds that its key sets, and whether it may see how decisions were made.

    `names` may be asked for as `model` (None: all). `key` is what budgets of the key go by, empty for a key that
    several share and for tokens; `user` is on whose behalf it calls, empty where nobody says. `quotas` are those of a
    virtual key, `own` those of a caller in the file. `shown` is a
    digest of a key that is not named. `explores` tells whether its requests may be explored with.
    """

    caller: Caller = NOBODY
    constraints: Constraints = UNBOUNDED
    debug: bool = False
    names: frozenset[str] | None = None
    key: str = ""
    user: str = ""
    quotas: tuple[KeyQuota, ...] = ()
    priority: Priority = "normal"
    own: tuple[Quota, ...] = ()
    shown: str = ""
    explores: bool = True

    @property
    def identity(self) -> str:
        """Return what tells this key, or the bearer of this token, from every other; empty where nobody is asked."""
        return self.key or self.shown or (f"{self.caller.name}\n{self.user}" if self.caller.name else "")

    def may_ask(self, *names: str) -> bool:
        """Tell whether one of these names may be asked for."""
        return self.names is None or any(stands_for(name, self.names) for name in names)

    def may_answer(self, model: str) -> bool:
        """Tell whether a model may answer, as far as its name says."""
        allow = self.constraints.allow
        return not stands_for(model, self.constraints.deny) and (allow is None or stands_for(model, allow))


#: Where no key is asked: the gateway listens on this machine only.
OPEN = Access(debug=True)


class Callers:
    """The keys that callers may show, each with what it gives access to; without any, everyone is served.

    `keys` are those of the configuration. `ring` has the virtual ones, `tokens` tell who shows a token; None where
    there are none. `admin_key` opens the admin API, empty for nobody.
    """

    def __init__(
        self,
        keys: Mapping[str, Access],
        ring: KeyRing | None = None,
        tokens: Tokens | None = None,
        admin_key: str = "",
    ) -> None:
        # With its key already taken in: that is half of a digest.
        self._salted = hashlib.blake2b(digest_size=32, key=secrets.token_bytes(16))
        self._keys = {self._digest(key): access for key, access in keys.items()}
        self._tokens = tokens
        self._admin_key = _encoded(admin_key)
        self.ring = ring
        #: Whether no key is asked.
        self.open = not keys and ring is None and tokens is None

    @property
    def administered(self) -> bool:
        """Tell whether there is an admin key."""
        return bool(self._admin_key)

    def identify(self, shown: str) -> Access | None:
        """Return what a key of the configuration gives access to, None for one that is unknown.

        It is looked up by a digest that nobody outside can compute, so that the time taken tells nothing of any key,
        however many there are.
        """
        return self._keys.get(self._digest(shown)) if len(shown) <= MAX_SHOWN else None

    def is_admin(self, shown: str) -> bool:
        """Tell whether it is the admin key, in constant time."""
        return self.administered and hmac.compare_digest(_encoded(shown), self._admin_key)

    def _digest(self, key: str) -> bytes:
        digest = self._salted.copy()
        digest.update(_encoded(key))
        return digest.digest()

    async def admit(self, shown: str, at: datetime) -> Access:
        """Return what a key or a token gives access to.

        Raises `Unauthorized` for one that is unknown, was revoked or has expired, `NotPermitted` for a token whose
        bearer may not use the gateway, and `KeysAway` or `ProviderAway` where nobody can tell.
        """
        if (access := self.identify(shown)) is not None:
            return access
        if len(shown) <= MAX_SHOWN:
            if self.ring is not None and (access := self.ring.admit(shown, at)) is not None:
                return access
            if self._tokens is not None and (access := await self._tokens.admit(shown, at)) is not None:
                return access
        raise Unauthorized("Incorrect API key provided.")


def _encoded(shown: str) -> bytes:
    return shown.encode(errors="surrogatepass")
