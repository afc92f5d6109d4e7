"""Virtual keys over HTTP: what they let their bearers do, the admin API, and a command beside a gateway that serves."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from tests.conftest import Running, write_config
from tests.processes import ROOT
from tests.redis_server import redis_server
from tests.upstream import running as serving

ADMIN = "an-admin-key-of-length"
RANDOM = {"router": {"type": "random"}}
#: Bodies that make no key: with the status, and the field that is wrong.
BODIES = [
    (b"", 400, "name"),
    (b"{", 400, None),
    (b'{"name": "a", "name2": 1}', 400, "name2"),
    (b'{"name": "alice"}', 409, "name"),
    (b'{"name": "a", "models": ["smal"]}', 400, "models"),
    (b'{"name": "a", "expires_at": "2020-01-01T00:00:00Z"}', 400, "expires_at"),
    (b'{"name": "a", "quotas": [{"unit": "usd", "amount": 1}]}', 400, "quotas.0"),
    (b'{"name": "a", "role": "' + b"x" * 300_000 + b'"}', 413, None),
    (b'{"name": "a", "role": ' + b"[" * 100_000, 400, None),
    (b'{"name": "a\\u0000"}', 400, "name"),
    (b'{"name": "a", "role": "\\ud800"}', 400, None),
    (b"\xff\xfe", 400, None),
    (b'{"name": "a", "models": ["good"], "models": null}', 400, None),
    (b'{"name": "a", "quotas": [{"unit": "requests", "amount": 1, "amount": 9, "window": "day"}]}', 400, None),
]
POLICIES = {"auto": {"pool": ["good", "other"], **RANDOM}, "spare": {"pool": ["no-usage"], **RANDOM}}
ASK = [{"role": "user", "content": "Say hello."}]
CLASSES = {"names": ["public", "internal"]}


@pytest.fixture
def running(serve):
    return serve(
        POLICIES,
        keys={"path": "keys.db"},
        server={"admin_key": ADMIN, "api_keys": "sk-shared"},
        data_classes=CLASSES,
        store={"type": "memory"},
    )


def admin(running, method, path="", key=ADMIN, kind=None, **options):
    headers = ({"authorization": f"Bearer {key}"} if key else {}) | ({"content-type": kind} if kind else {})
    return httpx2.request(method, f"{running.url}/admin/keys{path}", headers=headers, timeout=20, **options)


def made(running, name="alice", **fields):
    """Make a key; return the whole answer."""
    answer = admin(running, "POST", json={"name": name, **fields})
    assert 201 == answer.status_code, answer.text
    return answer.json()


def post(running, key, model="auto", path="/v1/chat/completions", **body):
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(
        f"{running.url}{path}", json={"model": model, "messages": ASK, **body}, headers=headers, timeout=20
    )


def code(answer):
    """Return the status, and the code of the error if there is one."""
    return answer.status_code, answer.json().get("error", {}).get("code")


def test_the_life_of_a_key(running):
    """Made, used, seen, changed, rotated, revoked: each holds from the next request on."""
    key = made(running, team="blue", max_cost_usd=5, quotas=[{"unit": "requests", "amount": 9, "window": "day"}])
    assert 200 == post(running, key["secret"]).status_code
    shown = admin(running, "GET", f"/{key['id']}").json()
    assert {name: value for name, value in key.items() if name != "secret"} == shown
    assert ("blue", "active", key["secret"][-4:]) == (shown["team"], shown["status"], shown["hint"][-4:])

    changed = admin(running, "PATCH", f"/{key['id']}", json={"policies": ["spare"], "team": ""}).json()
    assert ("", ["spare"], shown["quotas"]) == (changed["team"], changed["policies"], changed["quotas"])
    assert ((403, "not_permitted"), (200, None)) == (
        code(post(running, key["secret"])),
        code(post(running, key["secret"], "spare")),
    )

    rotated = admin(running, "POST", f"/{key['id']}/rotate", json={"grace_s": 3600}).json()
    assert key["id"] == rotated["id"]
    assert [200, 200] == [post(running, one, "spare").status_code for one in (key["secret"], rotated["secret"])]
    again = admin(running, "POST", f"/{key['id']}/rotate", json={"grace_s": 0}).json()
    assert [401, 401, 200] == [post(running, one["secret"], "spare").status_code for one in (key, rotated, again)]

    gone = [admin(running, "DELETE", f"/{key['id']}") for _ in range(2)]
    assert [(200, "revoked")] * 2 == [(one.status_code, one.json()["status"]) for one in gone]
    refused = post(running, again["secret"], "spare")
    assert (401, "invalid_api_key", "This API key was revoked.") == (*code(refused), refused.json()["error"]["message"])
    assert (409, "key_revoked") == code(admin(running, "PATCH", f"/{key['id']}", json={"role": "admin"}))


def test_a_secret_is_told_once(running, caplog):
    """No other answer has it, nor the log, nor the file; and only the file has its digest."""
    caplog.set_level(logging.DEBUG)
    answer = admin(running, "POST", json={"name": "alice"})
    secret = answer.json()["secret"]
    assert "no-store" == answer.headers["cache-control"]
    said = [
        admin(running, method, path).text for method, path in [("GET", ""), ("GET", "/alice"), ("DELETE", "/alice")]
    ]
    said += [post(running, secret).text, httpx2.get(f"{running.url}/metrics").text]
    said += [str(vars(record)) for record in caplog.records]
    stored = b"".join(path.read_bytes() for path in running.folder.iterdir() if path.is_file())

    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert not [text for text in said if secret[3:] in text or digest in text]
    assert secret[3:].encode() not in stored
    assert answer.json()["id"].encode() in stored


def test_each_scope_holds(running, upstream):
    """Models, names, data class: what is not allowed is refused, and nothing is sent."""
    keys = {
        "models": made(running, "models", models=["good"])["secret"],
        "deny": made(running, "deny", deny_models=["good", "other"])["secret"],
        "names": made(running, "names", policies=["auto", "good"])["secret"],
        "class": made(running, "class", data_class="internal")["secret"],
    }
    for scope, model, expected in [
        ("models", "auto", (200, None)),
        ("models", "good", (200, None)),
        ("models", "other", (403, "no_eligible_model")),
        ("models", "spare", (403, "no_eligible_model")),
        ("deny", "auto", (403, "no_eligible_model")),
        ("deny", "spare", (200, None)),
        ("names", "auto", (200, None)),
        ("names", "good", (200, None)),
        ("names", "auto:0.3", (400, "invalid_dial")),
        ("names", "spare", (403, "not_permitted")),
        ("names", "other", (403, "not_permitted")),
        ("names", "nothing", (403, "not_permitted")),
        ("class", "auto", (403, "no_eligible_model")),
    ]:
        assert expected == code(post(running, keys[scope], model)), (scope, model)
        explained = post(running, keys[scope], model, "/v1/route").json()
        told = explained.get("refused") or explained.get("error") or {}  # an explanation tells of a refusal
        assert expected[1] == told.get("code"), (scope, model)
    message = post(running, keys["names"], "spare").json()["error"]["message"]
    assert "This key may not ask for the model 'spare'; it may ask for: auto, good." == message
    assert 5 == upstream.calls.total()


def test_a_key_ends_when_its_time_is_up(running):
    """The caller hears why."""
    soon = datetime.now(UTC) + timedelta(seconds=1)
    secret = made(running, expires_at=soon.isoformat())["secret"]
    assert 200 == post(running, secret).status_code
    until(lambda: datetime.now(UTC) >= soon)
    refused = post(running, secret)
    assert (401, "invalid_api_key", "This API key has expired.") == (*code(refused), refused.json()["error"]["message"])


def test_models_are_listed_as_far_as_they_may_be_asked_for(running):
    """The pool of a policy too."""
    scopes = {"names": {"policies": ["auto", "good"]}, "models": {"models": ["good"]}, "none": {"policies": []}}
    for name, expected in {
        "names": {"auto": ["good", "other"], "good": None},
        "models": {"auto": ["good"], "good": None},
        "none": {},
    }.items():
        headers = {"authorization": f"Bearer {made(running, name, **scopes[name])['secret']}"}
        listed = httpx2.get(f"{running.url}/v1/models", headers=headers).json()["data"]
        assert expected == {one["id"]: one["pointsman"].get("pool") for one in listed}
        for model in ("auto", "good", "spare", "other"):
            one = httpx2.get(f"{running.url}/v1/models/{model}", headers=headers)
            assert (200 if model in expected else 403) == one.status_code
    everything = httpx2.get(f"{running.url}/v1/models", headers={"authorization": "Bearer sk-shared"}).json()["data"]
    assert {"auto", "spare", "good", "unpriced"} <= {one["id"] for one in everything}


def test_only_the_admin_key_opens_the_admin_api(running):
    """A caller's does not, and the admin's opens nothing else."""
    for wrong in (None, "", "sk-shared", ADMIN[:-1], ADMIN + "x", "pm-x"):
        assert (401, "invalid_api_key") == code(admin(running, "GET", key=wrong))
    assert 200 == admin(running, "GET").status_code
    assert 401 == post(running, ADMIN).status_code


def test_a_virtual_key_makes_no_keys(running):
    """Whatever it may ask for."""
    secret = made(running, debug=True)["secret"]
    for method, path in [
        ("GET", ""),
        ("POST", ""),
        ("PATCH", "/alice"),
        ("DELETE", "/alice"),
        ("POST", "/alice/rotate"),
    ]:
        assert (401, "invalid_api_key") == code(admin(running, method, path, key=secret))


def test_without_an_admin_key_there_is_no_admin_api(serve):
    """It looks like any path that is not there; no document tells of it either way."""
    running = serve(POLICIES, keys={}, store={"type": "memory"})
    for method, path in [("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x")]:
        assert (404, "unknown_url") == code(admin(running, method, path))
    assert not [path for path in httpx2.get(f"{running.url}/openapi.json").json()["paths"] if "admin" in path]


def test_where_there_may_be_keys_one_is_asked(serve, upstream):
    """Though none was made yet; what was made before is there when the gateway starts."""
    running = serve(POLICIES, keys={}, store={"type": "memory"})
    assert (401, "invalid_api_key") == code(post(running, "x"))
    assert [] == upstream.requests
    secret = json.loads(pointsman(running, "create", "bob", "--json"))["secret"]
    again = serve(POLICIES, keys={}, store={"type": "memory"})
    assert 200 == post(again, secret).status_code


def test_without_a_store_there_are_no_virtual_keys(serve):
    """The answer says what to write."""
    running = serve(POLICIES, server={"admin_key": ADMIN}, store={"type": "memory"})
    assert (400, "no_keys") == code(admin(running, "GET"))


def test_keys_are_listed_page_by_page(running):
    """In the order of their making, those included that were revoked."""
    ids = []
    for n in range(5):
        ids.append(made(running, f"k{n}")["id"])
        time.sleep(0.002)
    admin(running, "DELETE", f"/{ids[1]}")
    seen, after = [], None
    for _ in range(3):
        page = admin(running, "GET", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [one["id"] for one in page["data"]]
        after = page["last_id"]
    assert (ids, False) == (seen, page["has_more"])
    assert (400, "invalid_value") == code(admin(running, "GET", params={"limit": 0}))
    assert {"data": [], "has_more": False, "first_id": None, "last_id": None, "object": "list"} == admin(
        running, "GET", params={"after": after}
    ).json()


def test_what_cannot_be_made_is_refused_in_openais_shape(running):
    """With the field that is wrong."""
    made(running)
    for body, status, param in BODIES:
        answer = admin(running, "POST", content=body, kind="application/json; charset=utf-8")
        assert status == answer.status_code, answer.text
        assert {"message", "type", "param", "code"} == set(answer.json()["error"])
        assert param is None or param == answer.json()["error"]["param"]
    assert 1 == len(admin(running, "GET").json()["data"])


def test_a_key_that_is_not_there_is_not_found(running):
    """By whatever name."""
    answers = [
        admin(running, method, f"/{reference}{path}")
        for reference in ["nobody", "key_0", "%00", "a%2Fb", "%F0%9F%98%80", "x" * 5000]
        for method, path in [("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/rotate")]
    ]
    assert {404} == {answer.status_code for answer in answers}


def test_hostile_keys_are_unknown_keys(running, upstream):
    """Nothing breaks, and nothing is sent."""
    body = {"model": "auto", "messages": ASK}
    for shown in (b"\xff\xfe", b"pm-\xc3\xa9", b"pm-" + b"x" * 60_000, b"a.b.c", b"pm-", b"Bearer pm-x", b"pm-x\tpm-y"):
        headers = [(b"authorization", b"Bearer " + shown)]
        answer = httpx2.post(f"{running.url}/v1/chat/completions", json=body, headers=headers)
        assert (401, "invalid_api_key") == code(answer)
    huge = raw(running, b"Bearer pm-" + b"x" * 1_000_000)
    assert huge.startswith((b"HTTP/1.1 401", b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert raw(running, b"Bearer pm-\0").startswith((b"HTTP/1.1 401", b"HTTP/1.1 400"))
    assert [] == upstream.requests


def test_what_a_caller_shows_goes_no_further(running, upstream):
    """Neither a virtual key, nor a caller's other credentials, nor any part of them reaches an endpoint."""
    secret = made(running)["secret"]
    headers = {"authorization": f"Bearer {secret}", "cookie": "c=1", "x-api-key": secret, "api-key": secret}
    headers |= {"proxy-authorization": f"Basic {secret}"}
    for stream in (False, True):
        body = {"model": "auto", "messages": ASK, "stream": stream}
        assert 200 == httpx2.post(f"{running.url}/v1/chat/completions", json=body, headers=headers).status_code

    assert ["Bearer upstream-secret"] * 2 == [sent["authorization"] for sent in upstream.headers]
    assert secret not in str(upstream.headers) + str(upstream.raw)
    assert not {"cookie", "x-api-key", "api-key", "proxy-authorization"} & {
        name for sent in upstream.headers for name in sent
    }
    assert secret not in str([vars(event) if hasattr(event, "__dict__") else event for event in running.logged()])


def test_a_command_beside_the_gateway_is_heard_within_a_second(running):
    """The store is where they meet."""
    made_by_hand = json.loads(pointsman(running, "create", "bob", "--policy", "auto", "--json"))
    came = until(lambda: post(running, made_by_hand["secret"]).status_code == 200)
    assert 403 == post(running, made_by_hand["secret"], "spare").status_code
    pointsman(running, "revoke", "bob")
    went = until(lambda: post(running, made_by_hand["secret"]).status_code == 401)

    assert max(came, went) < 1.0
    assert "revoked" == admin(running, "GET", f"/{made_by_hand['id']}").json()["status"]


def test_callers_are_served_while_the_store_of_keys_fails(running):
    """Only who wants to change keys hears of it; a key that nobody knows may be new."""
    secret = made(running)["secret"]
    lock = sqlite3.connect(running.folder / "keys.db", isolation_level=None)
    (running.folder / "keys.db").rename(running.folder / "away.db")
    until(lambda: not running.gateway.runtime.callers.ring.current)
    try:
        assert 200 == post(running, secret).status_code
        assert (503, "store_unavailable") == code(post(running, "pm-unknown"))
        assert (401, "invalid_api_key") == code(post(running, "sk-unknown"))
        assert (503, "store_unavailable") == code(admin(running, "POST", json={"name": "bob"}))
    finally:
        lock.close()
        (running.folder / "away.db").rename(running.folder / "keys.db")
    until(lambda: post(running, "pm-unknown").status_code == 401)
    assert 201 == admin(running, "POST", json={"name": "bob"}).status_code


def test_a_reload_keeps_the_keys(running):
    """They belong to the store, not to a configuration."""
    key = made(running, data_class="internal", policies=["auto"])
    config = (running.folder / "gateway.yaml").read_text()
    (running.folder / "gateway.yaml").write_text(config.replace("- public\n  - internal", "- public\n  - secret"))
    until(lambda: "secret" in running.gateway.runtime.config.data_classes.names)

    refused = post(running, key["secret"])
    assert (403, "not_permitted") == code(refused)
    assert "'internal', a data class that this gateway does not know" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("sections", "environment", "said"),
    [
        ({"server": {"admin_key": "short"}}, {}, r"server\.admin_key: .*at least 16"),
        ({}, {"POINTSMAN_ADMIN_KEY": "short"}, "POINTSMAN_ADMIN_KEY has 5 characters: give at least 16"),
        ({"server": {"admin_key": ADMIN, "api_keys": [ADMIN]}}, {}, "is a caller's key too"),
        ({"callers": {"a": {"key": ADMIN}}}, {"POINTSMAN_ADMIN_KEY": ADMIN}, "is a caller's key too"),
        (
            {"callers": {"a": {"key": "k", "policies": ["aut"]}}},
            {},
            r"callers\.a\.policies\.0: no policy or model 'aut'; did you mean",
        ),
        ({"keys": {"stor": "redis"}}, {}, r"keys\.stor: unknown option; did you mean 'store'"),
        ({"keys": {"store": "redis"}}, {}, r"keys\.store: .*needs the section redis"),
        ({"server": {"host": "0.0.0.0"}}, {}, "is open to other machines"),
    ],
)
def test_a_bad_configuration_is_refused_with_its_place(tmp_path, sections, environment, said):
    """And without the key."""
    path = write_config(tmp_path, "http://127.0.0.1:9/v1", POLICIES, **sections)
    with pytest.raises(ConfigError, match=said) as refused:
        read_files(path, environment)
    assert ADMIN not in str(refused.value)
    assert "'short'" not in str(refused.value)


def test_with_virtual_keys_other_machines_may_be_served(tmp_path):
    """A key is asked, though there is none yet."""
    path = write_config(tmp_path, "http://127.0.0.1:9/v1", POLICIES, keys={}, server={"host": "0.0.0.0"})
    assert read_files(path, {}).config.keys


def test_replicas_share_their_keys_in_redis(tmp_path, upstream):
    """What one makes, or a command, all know within a second; with Redis gone they go on, and a new one starts."""
    redis_folder, *folders = (tmp_path / name for name in ("redis", "one", "two"))
    redis_folder.mkdir()
    with redis_server(redis_folder) as server, ExitStack() as stack:
        replicas = []
        for folder in folders:
            folder.mkdir()
            shared = {"keys": {"store": "redis"}, "redis": {"url": server.url, "timeout_ms": 1000}}
            path = write_config(folder, upstream.url, POLICIES, server={"admin_key": ADMIN}, **shared)
            gateway = Gateway(path, {})
            url = stack.enter_context(serving(create_app(gateway)))
            replicas.append(Running(url, gateway, folder))
        one, two = replicas
        key = made(one)
        by_hand = json.loads(pointsman(two, "create", "bob", "--json"))
        knew = until(lambda: post(two, key["secret"]).status_code == 200)
        until(lambda: post(one, by_hand["secret"]).status_code == 200)
        admin(two, "DELETE", "/bob")
        refused = until(lambda: post(one, by_hand["secret"]).status_code == 401)
        assert max(knew, refused) < 1.0

        server.stop()
        until(lambda: not any(replica.gateway.runtime.callers.ring.current for replica in replicas))
        for replica in replicas:
            assert [200, 401, 503] == [
                post(replica, shown).status_code for shown in (key["secret"], by_hand["secret"], "pm-unknown")
            ]
            assert (503, "store_unavailable") == code(admin(replica, "POST", json={"name": "carol"}))
        server.start()
        until(lambda: post(one, "pm-unknown").status_code == 401)
        assert 201 == admin(one, "POST", json={"name": "carol"}).status_code


def test_callers_of_the_file_may_be_bound_to_names_too(serve):
    """As virtual keys are."""
    running = serve(POLICIES, callers={"a": {"key": "sk-a", "policies": ["spare"]}}, store={"type": "memory"})
    assert ((200, None), (403, "not_permitted")) == (code(post(running, "sk-a", "spare")), code(post(running, "sk-a")))


def until(true, patience_s=5.0):
    """Wait until something is so; return how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + patience_s, "it never came to be"
        time.sleep(0.01)
    return time.monotonic() - began


def raw(running, authorization):
    """Send a header as it is, which no client would; return what comes back."""
    head = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + authorization
    address = urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head + b"\r\n\r\n")
        return connection.recv(65_536)


def pointsman(running, *arguments):
    """Run `pointsman key` on the gateway's configuration; return what it prints."""
    command = [sys.executable, "-m", "gateway", "key", *arguments, "--config", str(running.folder / "gateway.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout
