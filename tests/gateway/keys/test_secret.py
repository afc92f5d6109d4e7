from __future__ import annotations

import hashlib
import re
import secrets

import pytest

from gateway.keys.secret import digest_of, hashed, new_secret


def test_a_secret_is_its_random_bytes_after_a_prefix():
    """256 bits, in letters that any header takes."""
    made = {new_secret(secrets.token_bytes(32)) for _ in range(100)}

    assert 100 == len(made)
    assert all(re.fullmatch(r"pm-[A-Za-z0-9_-]{43}", secret) for secret in made)
    assert "pm-" + "A" * 43 == new_secret(bytes(32))


def test_a_secret_of_fewer_bytes_is_refused():
    """It could be guessed."""
    with pytest.raises(ValueError, match="32 random bytes, not 16"):
        new_secret(bytes(16))


def test_what_is_kept_of_a_secret_is_its_digest_and_its_end():
    """Nothing that could be shown in its place."""
    secret = new_secret(bytes(range(32)))
    kept = hashed(secret)

    assert (hashlib.sha256(secret.encode()).hexdigest(), "pm-..." + secret[-4:]) == (kept.digest, kept.hint)
    assert secret[3:20] not in str(kept)


@pytest.mark.parametrize("hostile", ["", "\0", "pm-\0", "pm-" + "x" * 1_000_000, "pm-\ud800", "pm-ключ"])
def test_anything_has_a_digest(hostile):
    """Callers may show what they like."""
    assert 64 == len(digest_of(hostile))
