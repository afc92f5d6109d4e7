"""The public keys of an identity provider: a JSON Web Key Set (RFC 7517), as far as it can be used."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from gateway.identity.errors import JwksError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

logger = logging.getLogger("pointsman")

#: The signatures that each kind of public key can verify. A shared secret (`oct`) is none, nor is `none`.
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_CURVE: Final = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",), "Ed25519": ("EdDSA",)}
#: Bits of a weak RSA key (NIST SP 800-131A).
_LEAST_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Signers:
    """Public keys by id and algorithm: one is used with the algorithm that it is for, whatever a token says."""

    keys: Mapping[tuple[str, str], PyJWK]

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """Return the key of that id; of None, the only one for the algorithm, if there is but one."""
        if kid is not None:
            return self.keys.get((kid, algorithm))
        fitting = [key for (_, name), key in self.keys.items() if name == algorithm]
        return fitting[0] if len(fitting) == 1 else None


def parse_signers(raw: bytes, algorithms: Collection[str]) -> Signers:
    """Return the keys of a set that may be used with some of the algorithms; others are passed over, and logged.

    Raises `JwksError` where there is none.
    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise JwksError("the key set is not JSON") from error
    written = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(written, list):
        raise JwksError("the key set has no list 'keys'")
    found: dict[tuple[str, str], PyJWK] = {}
    for n, jwk in enumerate(written):
        for key in _usable(n, jwk, algorithms):
            found.setdefault((key.key_id or f"#{n}", key.algorithm_name), key)
    if not found:
        raise JwksError(f"the key set has no public key for {', '.join(algorithms)}")
    return Signers(found)


def _usable(n: int, jwk: Any, algorithms: Collection[str]) -> list[PyJWK]:
    """Return a key, once for each algorithm that it may be used with."""
    if not isinstance(jwk, dict) or not _verifies(jwk):
        return []
    able = _RSA if jwk.get("kty") == "RSA" else _BY_CURVE.get(str(jwk.get("crv")), ())
    own = [jwk["alg"]] if "alg" in jwk else able
    wanted = [name for name in able if name in own and name in algorithms]
    try:
        keys = [PyJWK(jwk, name) for name in wanted]
    except PyJWTError as error:
        logger.warning("jwks.key_refused", extra={"index": n, "reason": type(error).__name__})
        return []
    return [key for key in keys if _strong(key)]


def _verifies(jwk: dict[str, Any]) -> bool:
    """Tell whether it is a public key for signatures; a private one is not there for us."""
    uses = jwk.get("key_ops", ["verify"])
    signs = jwk.get("use", "sig") == "sig" and isinstance(uses, list) and "verify" in uses
    return signs and "d" not in jwk and isinstance(jwk.get("kid"), str | None)


def _strong(key: PyJWK) -> bool:
    return key.key_type != "RSA" or key.key.key_size >= _LEAST_BITS
