from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys.errors import KeyRevoked
from gateway.keys.issuing import changed, revoked, rotated
from gateway.keys.secret import digest_of
from tests.gateway.keys.made import AT, HOUR, WHOLE, key, secret


def good(one, shown, at):
    """Tell whether a secret may be shown for a key."""
    found = one.secret(digest_of(shown))
    return found is not None and found.good(at)


def test_the_old_secret_is_good_for_the_grace_period():
    """To the moment; the new one from the beginning; id and name stay."""
    after = rotated(key(1), secret(2), HOUR, AT)

    assert (key(1).id, key(1).name, 2) == (after.id, after.name, after.revision)
    assert good(after, secret(1), AT + HOUR - timedelta(microseconds=1))
    assert not good(after, secret(1), AT + HOUR)
    assert good(after, secret(2), AT)
    assert good(after, secret(2), AT + 1000 * HOUR)


def test_without_grace_the_old_secret_is_refused_at_once():
    """That is for one that leaked."""
    assert not good(rotated(key(1), secret(2), timedelta(0), AT), secret(1), AT)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), max_size=12))
def test_no_rotation_lengthens_the_time_of_an_old_secret(rotations):
    """And what is kept does not grow with the rotations of the past."""
    one, now, ends = key(0), AT, {}
    for n, (wait, grace) in enumerate(rotations, start=1):
        now += timedelta(minutes=wait)
        one = rotated(one, secret(n), timedelta(minutes=grace), now)
        for digest, old in {old.digest: old for old in one.secrets[:-1]}.items():
            assert old.expires_at <= ends.setdefault(digest, now + timedelta(minutes=grace))
        assert one.secrets[-1].expires_at is None
        assert all(old.good(now) for old in one.secrets[:-2])
    assert len(rotations) + 1 == one.revision


def test_a_change_that_changes_nothing_is_none():
    """The revision stays."""
    one = key(1)
    assert one is changed(one, one.name, one.scopes)
    assert replace(key(1), name="other", scopes=WHOLE, revision=2) == changed(key(1), "other", WHOLE)


def test_a_key_that_was_revoked_stays_so():
    """Neither a change nor another secret brings it back; to revoke it again is harmless."""
    gone = revoked(key(1), AT)

    assert gone is revoked(gone, AT + HOUR)
    assert "revoked" == gone.status(AT)
    for attempt in (lambda: changed(gone, "x", WHOLE), lambda: rotated(gone, secret(2), HOUR, AT)):
        with pytest.raises(KeyRevoked, match=r"name-1.*make another one"):
            attempt()


def test_a_key_ends_when_its_time_is_up():
    """From that moment on."""
    one = key(1, expires_at=AT)

    assert ("active", "expired") == (one.status(AT - timedelta(microseconds=1)), one.status(AT))
    assert "active" == key(1).status(AT + 100_000 * HOUR)
