"""Where the public keys of an identity provider come from: a file, or one configured address and no other."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import httpx2

from gateway.identity.addresses import url_problem
from gateway.identity.errors import JwksError

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes of a document at most.
MAX_BYTES: Final = 512 * 1024
#: Seconds that fetching a document may take.
FETCH_S: Final = 5.0
DISCOVERY: Final = "/.well-known/openid-configuration"


class Source(Protocol):
    """Where a key set is read from."""

    async def read(self) -> bytes:
        """Return the key set as it is now. Raises `JwksError`."""
        ...

    async def aclose(self) -> None:
        """Let go of it."""
        ...


class FileSource:
    """A key set in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> bytes:
        """Return what is in the file. Raises `JwksError`."""
        try:
            return await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise JwksError(f"{self._path}: cannot be read: {error.strerror}") from error

    async def aclose(self) -> None:
        """Do nothing: no file is open."""


class WebSource:
    """A key set at an address, or at the one that its issuer publishes (OpenID Connect Discovery 1.0, section 4).

    Only the configured host is asked: no redirect is followed, and an issuer that publishes its keys at another host
    is refused.
    """

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        # What runs on this machine is not reached through a proxy, whatever the environment says.
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
        # Unpacked, a small answer may be a large one.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        self._client = httpx2.AsyncClient(headers=headers, timeout=FETCH_S, follow_redirects=False, mounts=direct)

    async def read(self) -> bytes:
        """Return what is published. Raises `JwksError`."""
        try:
            async with asyncio.timeout(FETCH_S):
                return await self._fetch(self._jwks_url or await self._discovered())
        except TimeoutError as error:
            raise JwksError(f"it took longer than {FETCH_S:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise JwksError(f"{type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _discovered(self) -> str:
        raw = await self._fetch(self._issuer.rstrip("/") + DISCOVERY)
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise JwksError("the issuer's configuration is not JSON") from error
        if not isinstance(document, dict) or document.get("issuer") != self._issuer:
            raise JwksError("the issuer's configuration is another issuer's")
        url = document.get("jwks_uri")
        if not isinstance(url, str) or url_problem(url) or urlsplit(url).netloc != urlsplit(self._issuer).netloc:
            raise JwksError("the issuer publishes its keys at another host: set jwt.jwks_url if you trust it")
        return url

    async def _fetch(self, url: str) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", url) as answer:
            if answer.status_code != httpx2.codes.OK:
                raise JwksError(f"{url} answered {answer.status_code}")
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise JwksError(f"{url} answered more than {MAX_BYTES} bytes")
        return bytes(body)
