from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import uuid7


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1)), st.randoms())  # noqa: DTZ001 - made aware below
def test_a_uuid_of_version_7_begins_with_its_milliseconds(naive, rng):
    """RFC 9562, section 5.7: 48 bits of time, version, variant."""
    at = naive.replace(tzinfo=UTC)
    made = uuid7(at, rng)

    assert int(at.timestamp() * 1000) == made.int >> 80
    assert (7, "specified in RFC 4122") == (made.version, made.variant)


def test_ids_of_one_moment_differ():
    """The rest is random."""
    rng, at = Random(0), datetime(2026, 1, 1, tzinfo=UTC)

    assert 1000 == len({uuid7(at, rng) for _ in range(1000)})
