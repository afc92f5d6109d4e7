"""Tells who shows a token: a JSON Web Token (RFC 7519) that the identity provider signed, verified as RFC 8725 advises.

What a token says of itself decides nothing: algorithms are those of the configuration, a key is used with its own
only, and addresses of keys in a token's header (`jku`, `x5u`, `jwk`) are not looked at.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from gateway.errors import Unauthorized
from gateway.identity.bearer import access_of
from gateway.identity.claims import check

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.callers import Access
    from gateway.identity.bearer import ClaimNames
    from gateway.identity.claims import Expected
    from gateway.identity.keyset import Keyset
    from gateway.identity.signers import Signers

#: Tokens that are remembered once they were verified; beyond that, those that were not shown for longest are forgotten.
MAX_KNOWN: Final = 10_000
_OPTIONS: Final[Any] = {"verify_signature": True, "enforce_minimum_key_length": True}


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a token gives access to, until when (seconds since 1970), and the key set by which that was found."""

    access: Access
    ends: float
    signers: Signers | None


class Tokens:
    """Verifies tokens, and remembers those that were good as long as they are, and the provider's keys the same."""

    def __init__(
        self,
        keyset: Keyset,
        algorithms: tuple[str, ...],
        expected: Expected,
        names: ClaimNames,
        max_known: int = MAX_KNOWN,
    ) -> None:
        self._keyset = keyset
        self._algorithms = algorithms
        self._expected = expected
        self._names = names
        self._max_known = max_known
        self._known: OrderedDict[bytes, _Verified] = OrderedDict()
        self._jws = PyJWS(algorithms)

    async def admit(self, shown: str, at: datetime) -> Access | None:
        """Return what a token gives access to, None for what is no token.

        Raises `Unauthorized` for one that is not good, `NotPermitted` for a bearer who may not use the gateway, and
        `ProviderAway` where nobody can tell who signed it.
        """
        if shown.count(".") != 2 or not shown.isascii():
            return None
        digest = hashlib.sha256(shown.encode()).digest()
        known = self._known.get(digest)
        if known is None or known.signers is not self._keyset.signers:
            known = await self._verified(shown, at)
            self._remember(digest, known)
        if at.timestamp() >= known.ends:
            raise Unauthorized("The token has expired.")
        self._known.move_to_end(digest)
        return known.access

    async def aclose(self) -> None:
        """Stop fetching keys."""
        await self._keyset.aclose()

    async def _verified(self, shown: str, at: datetime) -> _Verified:
        claims = await self._claims(shown)
        return _Verified(access_of(claims, self._names), check(claims, self._expected, at), self._keyset.signers)

    async def _claims(self, shown: str) -> dict[str, Any]:
        """Return what a token claims, if one of the provider's keys signed it."""
        try:
            header = self._jws.get_unverified_header(shown)
            algorithm, kid = header.get("alg"), header.get("kid")
            if algorithm not in self._algorithms:
                raise Unauthorized("The token is not signed with an algorithm that this gateway accepts.")
            key = await self._keyset.find(kid, algorithm)
            if key is None:
                raise Unauthorized("The token is signed with a key that its issuer does not publish.")
            payload = self._jws.decode_complete(shown, key, [algorithm], _OPTIONS)["payload"]
        except PyJWTError as error:
            raise Unauthorized("The token cannot be verified.") from error
        return _object(payload)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._known[digest] = verified
        if len(self._known) > self._max_known:
            self._known.popitem(last=False)


def _object(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unauthorized("The token's claims are not JSON.") from error
    if not isinstance(claims, dict):
        raise Unauthorized("The token's claims are no object.")
    return claims
