from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.implicit.schema import misfits

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["a", "b", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])


def made_of(inner):
    return st.fixed_dictionaries(
        {},
        optional={
            "type": KINDS | st.lists(KINDS, min_size=1, max_size=3, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "additionalProperties": st.booleans(),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "$ref": st.sampled_from(["#/$defs/d", "#/nowhere", "#"]),
            "$defs": st.fixed_dictionaries({"d": inner}),
            "minimum": st.integers(-1, 1),
            "pattern": st.just("^a"),
            "minItems": st.integers(0, 2),
            "not": inner,
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.just({}), made_of, max_leaves=6)


def fits(value, schema):
    """Return what a full validator says, None where the schema leads nowhere or in a circle."""
    jsonschema = pytest.importorskip("jsonschema")
    try:
        return jsonschema.Draft202012Validator(schema).is_valid(value)
    except (RecursionError, jsonschema.exceptions._WrappedReferencingError):
        return None


@settings(max_examples=60)
@given(VALUES, SCHEMAS)
def test_what_fits_is_never_refused(value, schema):
    """Whatever a full validator accepts passes."""
    if misfits(value, schema):
        assert fits(value, schema) is not True


SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "kind": {"enum": ["x", "y"]}, "list": {"items": {"$ref": "#/$defs/one"}}},
    "required": ["n"],
    "additionalProperties": False,
    "$defs": {"one": {"type": ["string", "null"]}},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"n": 1}, False),
        ({"n": 1.0, "kind": "x", "list": ["a", None]}, False),
        ({"n": 10**400}, False),
        ({}, True),
        ({"n": 1.5}, True),
        ({"n": True}, True),
        ({"n": 1, "kind": "z"}, True),
        ({"n": 1, "list": [1]}, True),
        ({"n": 1, "more": 1}, True),
        ([], True),
    ],
)
def test_what_certainly_does_not_fit_is_refused(value, expected):
    """By type, by what is required and known, by lists and references."""
    assert expected == misfits(value, SCHEMA)


def test_a_schema_that_refers_to_itself_is_given_up():
    """It takes no time that anybody would notice, and refuses nothing."""
    began = time.monotonic()

    assert not misfits(1, {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]})
    assert time.monotonic() - began < 1


@given(VALUES, st.dictionaries(st.sampled_from(["type", "enum", "required", "properties", "items", "$ref"]), VALUES))
def test_a_schema_that_is_none_harms_nobody(value, schema):
    """Whatever stands in it, there is an answer."""
    assert misfits(value, schema) in (True, False)
