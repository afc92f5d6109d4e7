"""Secrets: how they are made, and how they are kept.

A secret has 256 random bits. Nobody can try out so many, with a fast hash or with a slow one: what bcrypt and its kin
slow down is guessing passwords, which people make up. So SHA-256 without salt is enough, and a request pays a
microsecond for it; and since equal secrets have equal digests, a key is found by its digest in one step.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Final

from gateway.keys.key import HashedSecret

#: How every secret begins: by this a scanner of repositories can tell one that leaked.
PREFIX: Final = "pm-"
#: Random bytes of a secret.
ENTROPY_BYTES: Final = 32
#: Characters of its end that are kept, to tell it by.
HINT: Final = 4


def new_secret(entropy: bytes) -> str:
    """Return a secret made of random bytes. Raises `ValueError` for another number of them than `ENTROPY_BYTES`."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a secret takes {ENTROPY_BYTES} random bytes, not {len(entropy)}")
    return PREFIX + urlsafe_b64encode(entropy).rstrip(b"=").decode()


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret, as 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def hashed(secret: str) -> HashedSecret:
    """Return a secret as it is kept."""
    return HashedSecret(digest_of(secret), f"{PREFIX}...{secret[-HINT:]}")
