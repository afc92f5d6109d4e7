from __future__ import annotations

import json

import pytest

from gateway.keys.codec import decode, encode
from gateway.keys.errors import KeysAway
from gateway.keys.issuing import changed, revoked, rotated
from tests.gateway.keys.made import AT, HOUR, WHOLE, key, secret


def test_a_key_is_read_as_it_was_written():
    """Whatever it allows, and however often it was changed."""
    whole = revoked(rotated(changed(key(1), "other", WHOLE), secret(2), HOUR, AT), AT)

    assert whole == decode(encode(whole))
    assert key(1) == decode(encode(key(1)).encode())


def test_no_secret_is_in_a_record():
    """Nor most of one."""
    assert secret(7)[3:] not in encode(key(7))


def test_a_key_of_a_newer_version_is_refused():
    """What is not known of it may be a bound."""
    for place in ("", "scopes"):
        record = json.loads(encode(key(1)))
        (record[place] if place else record)["weekdays"] = ["monday"]
        with pytest.raises(KeysAway, match=r"weekdays.*upgrade"):
            decode(json.dumps(record))


@pytest.mark.parametrize("record", ["", "{", "null", "{}", '{"id": 1}'])
def test_what_is_no_key_is_refused(record):
    """A damaged store is not served by."""
    with pytest.raises(KeysAway, match="a stored key cannot be read"):
        decode(record)


def test_a_key_without_a_secret_is_none():
    """It would have no secret in force."""
    record = json.loads(encode(key(1))) | {"secrets": []}
    with pytest.raises(KeysAway, match="secrets"):
        decode(json.dumps(record))
