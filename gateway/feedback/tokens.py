"""Tokens that prove that who shows one was given the answer that it names.

A token is the decision's id and an HMAC-SHA256 over it and the caller, cut to 128 bits: 43 characters that may stand in
an address. It is good for the caller whom the answer was given to, and for nobody else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID_BYTES: Final = 16
_MAC_BYTES: Final = 16
#: The form of a token. Its last character holds two bits less than it could: one token has one spelling.
PATTERN: Final = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
# Apart from all else that the same secret may be used for.
_PURPOSE: Final = b"pointsman feedback token 1\0"


class Signer:
    """Makes tokens with the first of several secrets, and accepts those that any of them made."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("tokens cannot be signed without a secret: set feedback.secret")
        self._keys = tuple(secret.encode() for secret in secrets)

    def sign(self, decision_id: UUID, caller: str) -> str:
        """Return the token of an answer that was given to a caller."""
        raw = decision_id.bytes + _mac(self._keys[0], decision_id, caller)
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    def accepts(self, token: str, decision_id: UUID, caller: str) -> bool:
        """Tell whether a token is the caller's own, of this answer, in a time that tells nothing of the right one."""
        if not is_token(token) or decision_of(token) != decision_id:
            return False
        shown = _decoded(token)[_ID_BYTES:]
        # All are compared: which secret made it is nobody's business.
        found = [hmac.compare_digest(_mac(key, decision_id, caller), shown) for key in self._keys]
        return True in found


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token."""
    return re.fullmatch(PATTERN, text) is not None


def decision_of(token: str) -> UUID:
    """Return the decision that a token names, whoever made it. Raises `ValueError` for what is no token."""
    return UUID(bytes=_decoded(token)[:_ID_BYTES])


def _decoded(token: str) -> bytes:
    return urlsafe_b64decode(token + "=")


def _mac(key: bytes, decision_id: UUID, caller: str) -> bytes:
    message = _PURPOSE + decision_id.bytes + caller.encode(errors="surrogatepass")
    return hmac.new(key, message, hashlib.sha256).digest()[:_MAC_BYTES]
