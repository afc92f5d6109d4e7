from __future__ import annotations

import pytest

from gateway.signals.base import Caller
from gateway.signals.metadata import MAX_ENTRIES, MAX_VALUE_CHARACTERS, Metadata
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal


def read(body=None, headers=None, caller=None, named=()):
    return Metadata(headers=named).read(request({"messages": [], **(body or {})}, headers, caller), None)


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Metadata(headers=("X-Session-Id",)))


def test_metadata_is_given_as_texts():
    """Numbers and truth values as JSON writes them."""
    body = {"metadata": {"plan": "gold", "level": 3, "share": 0.5, "trial": True, "list": [1], "none": None}}

    assert {"metadata.plan": "gold", "metadata.level": "3", "metadata.share": "0.5", "metadata.trial": "true"} == read(
        body
    )


def test_only_headers_that_are_named_are_given():
    """Whatever the case they are named in."""
    headers = {"x-department": "law", "x-other": "1"}

    assert {"header.x-department": "law"} == read(headers=headers, named=("X-Department", "x-absent"))


@pytest.mark.parametrize(
    ("body", "user"),
    [
        ({"user": "u"}, "u"),
        ({"safety_identifier": "s", "user": "u"}, "s"),
        ({"safety_identifier": "", "user": "u"}, "u"),
        ({"user": 5}, None),
        ({}, None),
    ],
)
def test_the_user_is_who_the_request_is_for(body, user):
    """OpenAI's newer name wins."""
    assert user == read(body).get("user")


def test_tags_come_from_headers_metadata_and_the_caller():
    """Each once, in this order."""
    headers = {"x-pointsman-tags": "a, b,,", "x-litellm-tags": "b,c"}

    assert ("a", "b", "c", "d", "e") == read({"metadata": {"tags": ["d", 5, "a"]}}, headers, Caller(tags=("e",)))[
        "tags"
    ]


def test_tags_in_metadata_may_be_one_text():
    """OpenAI's metadata holds texts alone."""
    assert ("a", "b") == read({"metadata": {"tags": "a, b"}})["tags"]


def test_without_tags_there_is_no_such_feature():
    """What is not said is left out."""
    assert {} == read()


def test_what_is_beyond_bounds_is_cut():
    """A caller cannot make the log grow."""
    features = read({"metadata": {str(n): "x" * 10_000 for n in range(1000)}})

    assert MAX_ENTRIES == len(features)
    assert {MAX_VALUE_CHARACTERS} == {len(value) for value in features.values()}


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan")])
def test_a_number_that_cannot_be_written_does_not_raise(value):
    """JSON has integers of any length."""
    assert isinstance(read({"metadata": {"n": value}}).get("metadata.n", ""), str)
