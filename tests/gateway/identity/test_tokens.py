"""Tokens against a real provider: who signed them, whatever they say of themselves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.config.key_models import JwtConfig
from gateway.errors import Unauthorized
from gateway.identity.bearer import ClaimNames
from gateway.identity.claims import Expected
from gateway.identity.errors import JwksError, ProviderAway
from gateway.identity.keyset import Keyset
from gateway.identity.opening import open_tokens
from gateway.identity.sources import MAX_BYTES, FileSource, WebSource
from gateway.identity.tokens import Tokens
from tests.gateway.identity.provider import AT, AUDIENCE, NOW, claims, jwk, jwks, private_key, provider, token

ALGORITHMS = ("RS256", "ES256")
#: Whose keys are in a file.
ISSUER = "https://login.example"


@dataclass
class Clock:
    """A monotonic clock that goes when it is told to."""

    now: float = 0.0

    def __call__(self):
        return self.now


@asynccontextmanager
async def verifying(source, issuer, clock=time.monotonic, max_known=100):
    keyset = Keyset(source, ALGORITHMS, refresh_s=600, pause_s=30, clock=clock)
    tokens = Tokens(keyset, ALGORITHMS, Expected(issuer, frozenset({AUDIENCE}), 30, {}), ClaimNames(), max_known)
    try:
        await keyset.watch()
        yield tokens
    finally:
        await tokens.aclose()


@asynccontextmanager
async def serving(*names, clock=time.monotonic):
    """Verify tokens of a provider that publishes these keys."""
    with provider(*names) as played:
        async with verifying(WebSource(played.url, None), played.url, clock) as tokens:
            yield played, tokens


@pytest.fixture
async def tokens(tmp_path):
    """Verify tokens by keys in a file."""
    (tmp_path / "jwks.json").write_bytes(jwks("rsa-1", "ec-1"))
    async with verifying(FileSource(tmp_path / "jwks.json"), ISSUER) as opened:
        yield opened


def b64(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header, payload, secret=b""):
    """Return a token with any header, signed with a shared secret if there is one."""
    signed = f"{b64(header)}.{b64(payload)}"
    signature = b64(hmac.digest(secret, signed.encode(), hashlib.sha256)) if secret else ""
    return f"{signed}.{signature}"


def pem(name):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(name).public_key().public_bytes(serialization.Encoding.PEM, form)


async def test_a_token_of_the_provider_says_who_calls():
    """By keys that its configuration leads to; they are fetched once."""
    async with serving("rsa-1", "ec-1") as (played, tokens):
        for name, algorithm in (("rsa-1", "RS256"), ("ec-1", "ES256")):
            access = await tokens.admit(token(claims(played.url), name, algorithm), AT)
            assert "ann" == access.user
        assert {"configuration": 1, "jwks": 1} == played.calls


@pytest.mark.parametrize("shown", ["", "pm-x", "sk.a", "a.b.c.d", "x" * 16_000, "é.é.é", "\ud800.b.c"])
async def test_what_is_no_token_is_not_looked_at(tokens, shown):
    """It may be a key."""
    assert None is await tokens.admit(shown, AT)


@pytest.mark.parametrize(
    "shown",
    [
        "..",
        "a.b.c",
        "\0.\0.\0",
        "e30.e30.e30",
        b64([]) + ".e30.e30",
        b64(b"[" * 9000) + ".a.a",
        "." + "x" * 16_000 + ".",
    ],
)
async def test_what_only_looks_like_a_token_is_refused(tokens, shown):
    """However hostile."""
    with pytest.raises(Unauthorized):
        await tokens.admit(shown, AT)


async def test_a_token_that_nobody_signed_is_refused(tokens):
    """`none` is no signature, however it is written."""
    for algorithm in ("none", "None", "NONE", "", None, ["RS256"], {"a": 1}):
        with pytest.raises(Unauthorized, match="not signed with an algorithm"):
            await tokens.admit(by_hand({"alg": algorithm, "kid": "rsa-1"}, claims(ISSUER)), AT)


async def test_a_public_key_is_no_shared_secret(tokens):
    """Who signs with the published key as if it were one is refused, whichever way it is written."""
    published = [pem("rsa-1"), pem("rsa-1").strip(), json.dumps(jwk("rsa-1")).encode(), jwks("rsa-1")]
    for secret in published:
        for algorithm in ("HS256", "RS256"):
            forged = by_hand({"alg": algorithm, "kid": "rsa-1"}, claims(ISSUER), secret)
            with pytest.raises(Unauthorized):
                await tokens.admit(forged, AT)


async def test_a_token_brings_no_keys_of_its_own():
    """Addresses and keys in its header are not looked at."""
    async with serving("rsa-1") as (played, tokens):
        own = {"jku": f"{played.url}/forged", "x5u": f"{played.url}/forged", "jwk": jwk("rsa-forged")}
        for kid in ("rsa-1", "rsa-forged"):
            with pytest.raises(Unauthorized):
                await tokens.admit(token(claims(played.url), "rsa-forged", **own, kid=kid), AT)
        assert 0 == played.calls["forged"]


@pytest.mark.parametrize(
    ("algorithm", "name", "header"),
    [
        ("RS384", "rsa-1", {}),
        ("RS256", "rsa-2", {"kid": "rsa-1"}),
        ("ES256", "ec-1", {"kid": "rsa-1"}),
        ("RS256", "rsa-1", {"crit": ["exp"], "exp": 1}),
        ("RS256", "rsa-1", {"b64": False, "crit": ["b64"]}),
    ],
)
async def test_a_signature_that_does_not_fit_is_refused(tokens, algorithm, name, header):
    """Another algorithm, another key, another kind of key, extensions that nobody knows."""
    with pytest.raises(Unauthorized):
        await tokens.admit(token(claims(ISSUER), name, algorithm, **header), AT)


async def test_a_token_that_was_changed_is_refused(tokens):
    """Each letter of it counts, once the whole is known too."""
    good = token(claims(ISSUER))
    assert await tokens.admit(good, AT)
    head, payload, signature = good.split(".")
    other = b64(claims(ISSUER, sub="root"))
    for bad in (f"{head}.{other}.{signature}", f"{head}.{payload}.{signature[:-8]}AAAAAAAA", f"{head}.{payload}."):
        with pytest.raises(Unauthorized):
            await tokens.admit(bad, AT)


@pytest.mark.parametrize(
    "more",
    [
        {"exp": NOW - 31},
        {"nbf": NOW + 60},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": None},
        {"sub": None},
    ],
)
async def test_a_signature_is_not_all(tokens, more):
    """What the token claims counts as well."""
    with pytest.raises(Unauthorized):
        await tokens.admit(token({k: v for k, v in (claims(ISSUER) | more).items() if v is not None}), AT)


async def test_a_token_that_is_known_still_expires(tokens):
    """At its end, to the second."""
    good = token(claims(ISSUER, exp=NOW + 60))
    for at in (AT, AT + timedelta(seconds=89)):
        assert await tokens.admit(good, at)
    with pytest.raises(Unauthorized, match="has expired"):
        await tokens.admit(good, AT + timedelta(seconds=90))


async def test_only_so_many_tokens_are_remembered(tmp_path):
    """Those that were shown last; a bad one is never among them."""
    (tmp_path / "jwks.json").write_bytes(jwks("rsa-1"))
    shown = [token(claims(ISSUER, jti=str(n))) for n in range(4)]
    async with verifying(FileSource(tmp_path / "jwks.json"), ISSUER, max_known=3) as tokens:
        for n in (0, 1, 2, 0, 3):
            await tokens.admit(shown[n], AT)
            with pytest.raises(Unauthorized):
                await tokens.admit(token(claims(ISSUER, jti=str(n), aud="x")), AT)
        assert [hashlib.sha256(shown[n].encode()).digest() for n in (2, 0, 3)] == list(tokens._known)


async def test_a_new_key_of_the_provider_is_fetched_once_for_all_who_need_it():
    """Then not again before the pause is over, however many tokens name keys that there are not."""
    clock = Clock()
    async with serving("rsa-1", clock=clock) as (played, tokens):
        played.keys = jwks("rsa-2")
        with pytest.raises(Unauthorized, match="does not publish"):
            await tokens.admit(token(claims(played.url), "rsa-2"), AT)
        assert 1 == played.calls["jwks"]

        clock.now += 30
        shown = [token(claims(played.url, jti=str(n)), "rsa-2") for n in range(20)]
        assert {"ann"} == {access.user for access in await asyncio.gather(*(tokens.admit(one, AT) for one in shown))}
        for n in range(20):
            with pytest.raises(Unauthorized, match="does not publish"):
                await tokens.admit(token(claims(played.url), "rsa-1", kid=f"made-up-{n}"), AT)
        assert 2 == played.calls["jwks"]


async def test_a_key_that_the_provider_withdrew_is_good_no_more():
    """Nor are the tokens that it had signed, though they were known."""
    clock = Clock()
    async with serving("rsa-1", clock=clock) as (played, tokens):
        old = token(claims(played.url))
        assert await tokens.admit(old, AT)
        played.keys = jwks("rsa-2")
        clock.now += 30
        assert await tokens.admit(token(claims(played.url), "rsa-2"), AT)
        with pytest.raises(Unauthorized, match="does not publish"):
            await tokens.admit(old, AT)


@pytest.mark.parametrize("failure", ["status", "no keys", "not JSON", "too large", "another issuer"])
async def test_known_keys_stay_while_the_provider_fails(failure, caplog):
    """Their tokens are good; of others nobody can tell; once it answers again, all is well."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    async with serving("rsa-1", clock=clock) as (played, tokens):
        if failure == "status":
            played.status = 503
        elif failure == "another issuer":
            played.issuer = "https://evil.example"
        played.keys = {
            "no keys": b'{"keys": []}',
            "not JSON": b"<html>",
            "too large": jwks("rsa-2") + b" " * MAX_BYTES,
        }.get(failure, jwks("rsa-1", "rsa-2"))
        clock.now += 30
        with pytest.raises(ProviderAway):
            await tokens.admit(token(claims(played.url), "rsa-2"), AT)
        assert "ann" == (await tokens.admit(token(claims(played.url)), AT)).user

        played.status, played.issuer, played.keys = 200, None, jwks("rsa-1", "rsa-2")
        clock.now += 30
        assert "ann" == (await tokens.admit(token(claims(played.url), "rsa-2"), AT)).user
    events = [record.getMessage() for record in caplog.records if record.getMessage().startswith("jwks")]
    assert ["jwks.refused", "jwks.back"] == events


async def test_a_provider_that_is_gone_is_no_reason_to_refuse_a_token():
    """The keys that were fetched last stay in force."""
    clock = Clock()
    with provider("rsa-1") as played:
        source = WebSource(played.url, f"{played.url}/jwks")
        context = verifying(source, played.url, clock)
        tokens = await context.__aenter__()
    try:
        clock.now += 1000
        with pytest.raises(ProviderAway):
            await tokens.admit(token(claims(played.url), "rsa-2"), AT)
        assert "ann" == (await tokens.admit(token(claims(played.url)), AT)).user
    finally:
        await context.__aexit__(None, None, None)


async def test_until_the_provider_answered_nobody_can_tell():
    """It is asked again by itself; a gateway starts without it."""
    async with verifying(WebSource("http://127.0.0.1:9", None), "http://127.0.0.1:9") as tokens:
        with pytest.raises(ProviderAway, match="nobody can tell who signed the token"):
            await tokens.admit(token(claims("http://127.0.0.1:9")), AT)


async def test_waiting_for_a_slow_provider_keeps_nobody_else(tmp_path):
    """The event loop goes on; tokens whose keys are known are verified meanwhile."""

    class Slow(FileSource):
        async def read(self):
            await asyncio.sleep(0.3)
            return await super().read()

    clock = Clock()
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks("rsa-1"))
    async with verifying(Slow(path), "i", clock) as tokens:
        path.write_bytes(jwks("rsa-1", "rsa-2"))
        clock.now += 30
        waiting = asyncio.ensure_future(tokens.admit(token(claims("i"), "rsa-2"), AT))
        await asyncio.sleep(0.01)
        assert "ann" == (await tokens.admit(token(claims("i")), AT)).user
        assert not waiting.done()
        assert "ann" == (await waiting).user


async def test_who_leaves_while_keys_are_fetched_does_not_stop_it_for_others():
    """A client that hangs up takes nobody with it."""
    clock = Clock()
    async with serving("rsa-1", clock=clock) as (played, tokens):
        played.keys = jwks("rsa-2")
        clock.now += 30
        one, two = (
            asyncio.ensure_future(tokens.admit(token(claims(played.url, jti=n), "rsa-2"), AT)) for n in ("1", "2")
        )
        await asyncio.sleep(0)
        one.cancel()
        assert "ann" == (await two).user


@pytest.mark.parametrize("path", ["/elsewhere", "/nothing"])
async def test_no_other_address_is_asked(path):
    """A redirect is not followed."""
    with provider("rsa-1") as played:
        source = WebSource(played.url, played.url + path)
        with pytest.raises(JwksError, match=r"answered (307|404)"):
            await source.read()
        await source.aclose()
        assert 0 == played.calls["jwks"]


async def test_an_issuer_that_publishes_its_keys_elsewhere_is_refused():
    """Who answers for it could lead the gateway anywhere."""
    with provider("rsa-1") as played:
        for uri in (
            "http://127.0.0.1:1/jwks",
            "file:///etc/passwd",
            f"{played.url.replace('127.0.0.1', 'localhost')}/jwks",
            "//x/y",
            "",
        ):
            played.jwks_uri = uri or "x"
            source = WebSource(played.url, None)
            with pytest.raises(JwksError, match=r"another host: set jwt\.jwks_url"):
                await source.read()
            await source.aclose()


async def test_keys_in_a_file(tmp_path):
    """They are read as the configuration says; a file that cannot be used is an error at once."""
    config = JwtConfig(issuer="i", audience=AUDIENCE, jwks_file="jwks.json")
    with pytest.raises(JwksError, match=r"jwks\.json: cannot be read: No such file"):
        await open_tokens(config, tmp_path)
    (tmp_path / "jwks.json").write_bytes(b"{}")
    with pytest.raises(JwksError, match="no list 'keys'"):
        await open_tokens(config, tmp_path)

    (tmp_path / "jwks.json").write_bytes(jwks("rsa-1"))
    tokens = await open_tokens(config, tmp_path)
    try:
        assert "ann" == (await tokens.admit(token(claims("i")), AT)).user
    finally:
        await tokens.aclose()
