from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, Unauthorized
from gateway.identity.bearer import ClaimNames, access_of
from gateway.identity.claims import Expected, check, read
from gateway.keys.errors import NotPermitted
from tests.gateway.identity.provider import AT, NOW, claims

ISSUER = "https://login.example"
EXPECTED = Expected(ISSUER, frozenset({"pointsman", "other"}), 30.0, {"email_verified": True, "groups": "llm"})
REQUIRED = {"email_verified": True, "groups": ["staff", "llm"]}


def good(**more):
    return claims(ISSUER, **{**REQUIRED, **more})


@pytest.mark.parametrize("audience", ["pointsman", ["x", "other"], ["pointsman"]])
def test_a_good_token_is_good_until_it_ends(audience):
    """One audience of several is enough; the leeway counts."""
    assert NOW + 3600 + 30 == check(good(aud=audience), EXPECTED, AT)
    assert NOW + 3600.5 + 30 == check(good(aud=audience, exp=NOW + 3600.5), EXPECTED, AT)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"iss": "https://login.example/"}, "identity provider that this gateway trusts"),
        ({"iss": None}, "identity provider that this gateway trusts"),
        ({"iss": [ISSUER]}, "identity provider that this gateway trusts"),
        ({"aud": "pointsman2"}, "not meant for this gateway"),
        ({"aud": []}, "not meant for this gateway"),
        ({"aud": None}, "not meant for this gateway"),
        ({"aud": {"pointsman": 1}}, "not meant for this gateway"),
        ({"exp": None}, "never expires"),
        ({"exp": NOW - 30}, "has expired"),
        ({"exp": str(NOW + 10)}, "'exp' is no time"),
        ({"exp": True}, "'exp' is no time"),
        ({"exp": math.inf}, "'exp' is no time"),
        ({"exp": math.nan}, "'exp' is no time"),
        ({"nbf": NOW + 31}, "not yet valid"),
        ({"iat": NOW + 31}, "not yet valid"),
        ({"nbf": "now"}, "'nbf' is no time"),
    ],
)
def test_a_token_that_is_not_good_is_refused(more, said):
    """With the claim, and without what it holds."""
    with pytest.raises(Unauthorized, match=said) as refused:
        check({name: value for name, value in (good() | more).items() if value is not None}, EXPECTED, AT)
    assert "pointsman2" not in str(refused.value)


@pytest.mark.parametrize(
    "more",
    [{"email_verified": None}, {"email_verified": 1}, {"email_verified": "true"}, {"groups": "staff"}, {"groups": []}],
)
def test_what_is_required_has_to_be_there(more):
    """As it is required, or in a list; true is neither 1 nor a text."""
    with pytest.raises(NotPermitted, match="does not let its bearer use this gateway"):
        check({**good(), **more}, EXPECTED, AT)


def test_clocks_may_differ_a_little():
    """By the leeway, and no more, in both directions."""
    assert check(good(exp=NOW - 29, nbf=NOW - 100, iat=NOW - 100), EXPECTED, AT)
    assert check(good(nbf=NOW + 30, iat=NOW + 30), EXPECTED, AT)
    with pytest.raises(Unauthorized):
        check(good(), EXPECTED, AT + timedelta(seconds=3630))


def test_a_claim_may_lie_within_others():
    """A name that has dots is taken as it is first."""
    nested = {"realm_access": {"roles": ["admin"]}, "https://x.example/team": "blue", "a": 1}

    assert ["admin"] == read(nested, "realm_access.roles")
    assert "blue" == read(nested, "https://x.example/team")
    assert [None] * 3 == [read(nested, path) for path in ("a.b", "b", "realm_access.none.x")]


NAMES = ClaimNames(team="team", role="realm_access.roles", tags="scope", models="models", policies="policies")


def test_claims_say_who_calls_and_what_that_allows():
    """A text may be several between spaces, a list of one is that one."""
    access = access_of(
        good(
            team="blue",
            realm_access={"roles": ["admin"]},
            scope="openid llm",
            models=["small", 7],
            policies="auto small",
        ),
        NAMES,
    )
    caller = access.caller

    assert ("ann", "admin", "blue", ("openid", "llm")) == (caller.name, caller.role, caller.team, caller.tags)
    assert (frozenset({"small"}), frozenset({"auto", "small"})) == (access.constraints.allow, access.names)
    assert ("ann", "", False) == (access.user, access.key, access.debug)


def test_a_token_that_does_not_say_what_it_allows_allows_nothing():
    """Where the configuration asks it; else nothing is asked."""
    access = access_of(good(), NAMES)
    assert (frozenset(), frozenset()) == (access.constraints.allow, access.names)
    assert (None, None) == ((free := access_of(good(), ClaimNames())).constraints.allow, free.names)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"sub": ""}, Unauthorized),
        ({"sub": 7}, Unauthorized),
        ({"sub": "a\nb"}, Unauthorized),
        ({"sub": "x" * 257}, Unauthorized),
        ({"team": "\x1b[2J"}, Unauthorized),
        ({"scope": ["a", "b\0"]}, Unauthorized),
        ({"team": ["a", "b"]}, NotPermitted),
    ],
)
def test_what_cannot_be_a_name_is_refused(more, error):
    """It would end up in logs, and in what rules see."""
    with pytest.raises(error):
        access_of(good(**more), NAMES)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMED = st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "team", "scope", "realm_access", "groups", "models"])


@given(st.dictionaries(NAMED, JSON))
def test_whatever_a_token_claims_it_is_good_or_refused(odd):
    """Nothing else comes of it."""
    status = 200
    try:
        check({**good(), **odd}, EXPECTED, AT)
        access_of({**good(), **odd}, NAMES)
    except GatewayError as error:
        status = error.status
    assert status in (200, 401, 403)
