"""Columns of JSON text hold what was given, whoever writes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.values import from_micros, json_text, to_micros

# Also lone surrogates: JSON lets a client send them.
TEXTS = st.text(st.characters(codec=None, exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_written_is_read_again(value):
    """Every number to the last bit, every text to the last sign."""
    assert json.loads(json.dumps(value)) == json.loads(json_text(value))


def test_tuples_are_lists_and_any_mapping_is_an_object():
    """As everywhere in JSON."""
    assert '{"a":[1,[true,null]]}' == json_text(MappingProxyType({"a": (1, [True, None])}))


def test_what_is_not_finite_stays_so():
    """An unbounded uncertainty is logged as such."""
    assert '{"a":Infinity,"b":-Infinity}' == json_text({"a": float("inf"), "b": float("-inf")})


def test_what_json_does_not_have_is_refused():
    """By its type."""
    with pytest.raises(TypeError, match="object"):
        json_text({"a": object()})


@given(st.datetimes(datetime(1900, 1, 1), datetime(9999, 1, 1)))  # noqa: DTZ001 - made aware below
def test_times_are_kept_to_the_microsecond(naive):
    """Before 1970 too."""
    at = naive.replace(tzinfo=UTC)

    assert at == from_micros(to_micros(at))
    assert (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == to_micros(at)
