from __future__ import annotations

import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from gateway.identity.errors import JwksError
from gateway.identity.signers import parse_signers
from tests.gateway.identity.provider import jwk, jwks, private_key

ALL = ("RS256", "PS256", "ES256", "EdDSA")


def parsed(*keys, algorithms=ALL):
    return parse_signers(json.dumps({"keys": keys}).encode(), algorithms)


def test_a_key_is_for_the_algorithms_that_its_kind_can_verify():
    """As far as they are accepted, and only its own where it names one."""
    found = set(parsed(jwk("rsa-1"), jwk("rsa-2", alg="RS256"), jwk("ec-1"), jwk("ed-1")).keys)

    assert {("rsa-1", "RS256"), ("rsa-1", "PS256"), ("rsa-2", "RS256"), ("ec-1", "ES256"), ("ed-1", "EdDSA")} == found
    assert {("ec-1", "ES256")} == set(parsed(jwk("rsa-1"), jwk("ec-1"), algorithms=("ES256", "ES384")).keys)


@pytest.mark.parametrize(
    "bad",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "HS256"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "s"},
        {"kty": "RSA", "kid": "x", "n": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": 7, "e": []},
        {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "x", "crv": "P-256K", "x": "AA", "y": "AA"},
        {"kid": "x"},
        "text",
        None,
        7,
    ],
)
def test_what_is_no_public_key_for_signatures_is_passed_over(bad):
    """One bad key does not spoil the others; a shared secret is never one."""
    assert {("rsa-1", "RS256"), ("rsa-1", "PS256")} == set(parsed(bad, jwk("rsa-1")).keys)
    with pytest.raises(JwksError, match="no public key for RS256"):
        parsed(bad)


@pytest.mark.parametrize(
    "more",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": 7},
        {"alg": "HS256"},
        {"alg": "none"},
        {"kid": 7},
    ],
)
def test_a_key_for_something_else_is_passed_over(more):
    """Encryption, another algorithm, or nobody knows what."""
    with pytest.raises(JwksError):
        parsed(jwk("rsa-1", **more))


def test_a_private_key_is_passed_over():
    """It should not have been there: whoever read it can sign."""
    private = json.loads(RSAAlgorithm.to_jwk(private_key("rsa-1")))
    with pytest.raises(JwksError):
        parsed({**private, "kid": "rsa-1", "key_ops": ["verify"]})


def test_a_weak_key_is_passed_over():
    """1024 bits can be factored."""
    with pytest.raises(JwksError):
        parsed(jwk("weak-1"))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"keys": {}}', b'{"keys": []}', b"\xff", b"[" * 100_000])
def test_what_is_no_key_set_is_refused(raw):
    """The last good one stays in force then."""
    with pytest.raises(JwksError):
        parse_signers(raw, ALL)


def test_without_an_id_the_only_key_is_meant():
    """Where there are several for the algorithm, none is."""
    signers = parse_signers(jwks("rsa-1", "ec-1", "ec-2"), ALL)

    assert "rsa-1" == signers.find(None, "RS256").key_id
    assert None is signers.find(None, "ES256")
    assert ("ec-2", None) == (signers.find("ec-2", "ES256").key_id, signers.find("ec-2", "RS256"))
    assert None is signers.find("", "RS256")


def test_the_public_half_of_a_pair_verifies_what_the_other_signed():
    """With the algorithm that the key is for."""
    signed = jwt.PyJWS().encode(b"{}", private_key("rsa-1"), "PS256")
    key = parse_signers(jwks("rsa-1"), ALL).find("rsa-1", "PS256")

    assert b"{}" == jwt.PyJWS().decode(signed, key, ["PS256"])


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "n", "e", "x", "y", "alg", "use", "kid", "key_ops"]),
        st.sampled_from(
            ["RSA", "EC", "OKP", "oct", "P-256", "P-384", "Ed25519", "AQAB", "sig", "RS256", "", None, 3, [], {}, "!"]
        ),
    )
)
def test_whatever_a_key_set_holds_it_is_read_or_refused(odd):
    """Nothing else comes of it."""
    assert len(parsed(odd, jwk("ec-1")).keys) >= 1
