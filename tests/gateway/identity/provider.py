"""A real identity provider: keys, tokens, and a server that publishes the keys."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.upstream import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
AUDIENCE = "pointsman"


@cache
def private_key(name: str) -> Any:
    """Return a key: `rsa…`, `ec…`, `ed…` or `weak…`; the same one for the same name."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65_537, 1024 if name.startswith("weak") else 2048)


def jwk(name: str, **more: Any) -> dict[str, Any]:
    """Return the public half of a key, as a provider publishes it."""
    public = private_key(name).public_key()
    kind = ECAlgorithm if name.startswith("ec") else OKPAlgorithm if name.startswith("ed") else RSAAlgorithm
    return {**json.loads(kind.to_jwk(public)), "kid": name, "use": "sig", **more}


def jwks(*names: str) -> bytes:
    return json.dumps({"keys": [jwk(name) for name in names]}).encode()


def claims(issuer: str, now: int = NOW, **more: Any) -> dict[str, Any]:
    """Return what a good token claims; None leaves a claim out."""
    good = {"iss": issuer, "aud": AUDIENCE, "sub": "ann", "iat": now, "nbf": now, "exp": now + 3600}
    return {name: value for name, value in (good | more).items() if value is not None}


def token(payload: dict[str, Any], name: str = "rsa-1", algorithm: str = "RS256", **header: Any) -> str:
    headers = {"kid": name, **header}
    return jwt.encode(payload, private_key(name), algorithm, {k: v for k, v in headers.items() if v is not None})


@dataclass
class Provider:
    """What it publishes, and how often it was asked."""

    url: str = ""
    keys: bytes = b""
    jwks_uri: str | None = None
    issuer: str | None = None
    status: int = 200
    calls: Counter[str] = field(default_factory=Counter)

    async def configuration(self, _: Request) -> Response:
        self.calls["configuration"] += 1
        return JSONResponse({"issuer": self.issuer or self.url, "jwks_uri": self.jwks_uri or f"{self.url}/jwks"})

    async def jwks(self, _: Request) -> Response:
        self.calls["jwks"] += 1
        return Response(self.keys, self.status, media_type="application/json")

    async def elsewhere(self, _: Request) -> Response:
        return RedirectResponse("/jwks")

    async def forged(self, _: Request) -> Response:
        self.calls["forged"] += 1
        return Response(jwks("rsa-forged"), media_type="application/json")


@contextlib.contextmanager
def provider(*names: str) -> Iterator[Provider]:
    """Serve a provider that publishes these keys."""
    played = Provider(keys=jwks(*names))
    paths = {
        "/.well-known/openid-configuration": played.configuration,
        "/jwks": played.jwks,
        "/elsewhere": played.elsewhere,
        "/forged": played.forged,
    }
    with running(Starlette(routes=[Route(path, endpoint) for path, endpoint in paths.items()])) as url:
        played.url = url
        yield played
