"""Tokens of an identity provider over HTTP, in place of keys."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

import httpx2
import pytest

from gateway.application import Gateway
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from tests.conftest import write_config
from tests.gateway.identity.provider import AUDIENCE, claims, jwks, provider, token

POLICIES = {
    "auto": {
        "pool": ["good", "other"],
        "router": {"type": "random"},
        "rules": [{"name": "blue", "when": {"team": "blue"}, "pool": ["other"]}],
    },
    "spare": {"pool": ["no-usage"], "router": {"type": "random"}},
}
ASK = [{"role": "user", "content": "Say hello."}]
CLAIMS = {"team": "org.team", "tags": "groups", "policies": "scope"}


@pytest.fixture
def issuer():
    with provider("rsa-1", "ec-1") as played:
        yield played


@pytest.fixture
def running(serve, issuer):
    jwt = {"issuer": issuer.url, "audience": AUDIENCE, "claims": CLAIMS, "pause_s": 0.2, "required": {"active": True}}
    return serve(POLICIES, jwt=jwt, keys={}, server={"api_keys": "sk-shared"}, store={"type": "memory"})


def signed(issuer, name="rsa-1", algorithm="RS256", **more):
    """Return a token that is good now, but for what is said otherwise."""
    good = {"scope": "auto spare", "active": True}
    return token(claims(issuer.url, int(time.time()), **{**good, **more}), name, algorithm)


def post(running, shown, model="auto", path="/v1/chat/completions"):
    headers = {"authorization": f"Bearer {shown}"}
    return httpx2.post(f"{running.url}{path}", json={"model": model, "messages": ASK}, headers=headers, timeout=20)


def code(answer):
    return answer.status_code, answer.json().get("error", {}).get("code")


def test_a_token_is_as_good_as_a_key(running, issuer):
    """Both kinds of signature; beside keys, which stay good."""
    shown = [signed(issuer), signed(issuer, "ec-1", "ES256"), "sk-shared"]
    assert [200] * 3 == [post(running, one).status_code for one in shown]


def test_claims_bind_as_keys_do(running, issuer):
    """Rules see the team; names that are not claimed may not be asked for."""
    blue = signed(issuer, org={"team": "blue"}, scope="auto")
    told = post(running, blue, path="/v1/route").json()

    assert ("blue", {"other": 1.0}) == (told["rule"], {one["model"]: one["propensity"] for one in told["candidates"]})
    assert (403, "not_permitted") == code(post(running, blue, "spare"))
    assert (403, "not_permitted") == code(post(running, signed(issuer, scope=None)))
    headers = {"authorization": f"Bearer {blue}"}
    assert ["auto"] == [one["id"] for one in httpx2.get(f"{running.url}/v1/models", headers=headers).json()["data"]]


def test_a_token_that_is_not_good_is_refused(running, issuer, upstream):
    """Nothing is sent, and none of it is repeated."""
    wrong, barred = (401, "invalid_api_key"), (403, "not_permitted")
    for more, expected in [
        ({"exp": 1}, wrong),
        ({"nbf": 4_000_000_000}, wrong),
        ({"aud": "another"}, wrong),
        ({"iss": "https://evil.example"}, wrong),
        ({"sub": None}, wrong),
        ({"active": False}, barred),
        ({"active": None}, barred),
    ]:
        answer = post(running, signed(issuer, **more))
        assert expected == code(answer)
        assert "evil.example" not in answer.text
    for shown in ("a.b.c", "..", "x" * 30_000 + ".y.z", "pm-.a.b", "e30.e30."):
        assert wrong == code(post(running, shown))
    assert [] == upstream.requests


def test_a_token_goes_no_further(running, issuer, upstream, caplog):
    """Neither to the endpoint nor into the log, good or bad."""
    caplog.set_level(logging.DEBUG)
    good, bad = signed(issuer), signed(issuer, aud="another")
    answers = [post(running, one).text for one in (good, bad)]
    written = answers + [str(vars(record)) for record in caplog.records] + [str(upstream.headers), str(upstream.raw)]

    assert "Bearer upstream-secret" == upstream.headers[0]["authorization"]
    for part in (*good.split(".")[1:], *bad.split(".")[1:]):
        assert not [text for text in written if part in text]


def test_keys_of_the_provider_may_change_and_the_provider_may_go(running, issuer):
    """A new key is taken up, one that was withdrawn is good no more, and a failure withdraws none."""
    old = signed(issuer)
    assert 200 == post(running, old).status_code
    issuer.keys = jwks("rsa-2")
    time.sleep(0.2)
    assert 200 == post(running, signed(issuer, "rsa-2")).status_code
    assert (401, "invalid_api_key") == code(post(running, old))

    issuer.status = 500
    time.sleep(0.2)
    assert 200 == post(running, signed(issuer, "rsa-2", jti="another")).status_code
    assert (503, "identity_provider_unavailable") == code(post(running, signed(issuer, "rsa-3")))
    assert 200 == post(running, "sk-shared").status_code


def test_where_tokens_are_accepted_one_is_asked(serve, issuer, upstream):
    """Nobody is served without, though there are no keys."""
    running = serve(POLICIES, jwt={"issuer": issuer.url, "audience": AUDIENCE}, store={"type": "memory"})
    assert (401, "invalid_api_key") == code(post(running, "x"))
    assert [] == upstream.requests
    assert 200 == post(running, signed(issuer)).status_code


def test_a_gateway_starts_without_its_provider(serve):
    """Keys are served; of tokens nobody can tell yet."""
    jwt = {"issuer": "http://127.0.0.1:9", "audience": AUDIENCE}
    running = serve(POLICIES, jwt=jwt, server={"api_keys": "sk-shared"}, store={"type": "memory"})
    shown = token(claims("http://127.0.0.1:9", int(datetime.now(UTC).timestamp())))

    assert (503, "identity_provider_unavailable") == code(post(running, shown))
    assert [200, 401] == [post(running, key).status_code for key in ("sk-shared", "sk-unknown")]


@pytest.mark.parametrize(
    ("jwt", "said"),
    [
        ({"audience": "a"}, r"jwt\.issuer: is missing"),
        ({"issuer": "https://x.example"}, r"jwt\.audience: is missing"),
        ({"issuer": "http://x.example", "audience": "a"}, r"jwt\.issuer: .*must begin with https://.*or set jwks_url"),
        (
            {"issuer": "i", "audience": "a", "jwks_url": "http://x.example"},
            r"jwt\.jwks_url: .*must begin with https://",
        ),
        (
            {"issuer": "i", "audience": "a", "jwks_url": "https://x", "jwks_file": "f"},
            r"jwt\.jwks_file: is a second source",
        ),
        ({"issuer": "i", "audience": "a", "algorithms": ["none"]}, r"jwt\.algorithms\.0"),
        ({"issuer": "i", "audience": "a", "algorithms": ["HS256"]}, r"jwt\.algorithms\.0"),
        ({"issuer": "i", "audience": "a", "algorithms": []}, r"jwt\.algorithms"),
        ({"issuer": "i", "audience": [], "jwks_file": "f"}, r"jwt\.audience: .*at least 1 item"),
        ({"issuer": "i", "audience": ["a", 7], "jwks_file": "f"}, r"jwt\.audience\.1: .*valid string"),
        (
            {"issuer": "i", "audience": "a", "jwks_file": "f", "claims": {"teem": "t"}},
            r"jwt\.claims\.teem: .*did you mean 'team'",
        ),
        ({"issuer": "i", "audience": "a", "jwks_file": "f", "leeway_s": 3600}, r"jwt\.leeway_s"),
    ],
)
def test_a_bad_configuration_is_refused_with_its_place(tmp_path, jwt, said):
    """File, line, name, remedy."""
    path = write_config(tmp_path, "http://127.0.0.1:9/v1", POLICIES, jwt=jwt)
    with pytest.raises(ConfigError, match=rf"gateway\.yaml:\d+: {said}"):
        read_files(path, {})


async def test_a_file_of_keys_that_cannot_be_used_is_named(tmp_path, upstream):
    """When the gateway starts, not when the first token comes."""
    jwt = {"issuer": "i", "audience": "a", "jwks_file": "jwks.json"}
    path = write_config(tmp_path, upstream.url, POLICIES, jwt=jwt, store={"type": "memory"})
    with pytest.raises(ConfigError, match=r"jwt\.jwks_file: .*jwks\.json: cannot be read"):
        await Gateway(path, {}).open()


def test_with_tokens_other_machines_may_be_served(tmp_path):
    """Somebody is asked who they are."""
    jwt = {"issuer": "https://login.example", "audience": "a"}
    path = write_config(tmp_path, "http://127.0.0.1:9/v1", POLICIES, jwt=jwt, server={"host": "0.0.0.0"})
    assert read_files(path, {}).config.jwt
