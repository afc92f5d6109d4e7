"""Where a request goes, and how a connection to it is made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import httpx2

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from providers.transport.connection import Connection

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """A scheme, a host and a port."""

    scheme: str
    host: str
    port: int


def origin_of(url: httpx2.URL) -> Origin:
    """Return the origin of a URL. Raises `httpx2.UnsupportedProtocol` for a scheme other than http and https."""
    if (default := _PORTS.get(url.scheme)) is None:
        raise httpx2.UnsupportedProtocol(f"{url.scheme!r} is no scheme of endpoints: use http or https")
    return Origin(url.scheme, url.host, url.port or default)


def check_address(address: str) -> None:
    """Raise `ValueError` for an address that no connection can be made to, whatever the network."""
    try:
        host = origin_of(httpx2.URL(address)).host
        host.encode("idna")  # as whoever looks it up will do
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError) as error:
        raise ValueError(f"is no address: {error}") from error
    if not host:
        raise ValueError("names no host")


async def connect(
    origin: Origin, make: Callable[[], Connection], tls: ssl.SSLContext, limit_s: float | None
) -> Connection:
    """Return a new connection. Raises `httpx2.ConnectTimeout` and `httpx2.ConnectError`."""
    loop = asyncio.get_running_loop()
    context = tls if origin.scheme == "https" else None
    try:
        async with asyncio.timeout(limit_s):
            _, connection = await loop.create_connection(make, origin.host, origin.port, ssl=context)
    except TimeoutError as error:
        raise httpx2.ConnectTimeout(f"{origin.host}:{origin.port} did not accept a connection in time") from error
    # ssl.SSLError is an OSError; a host that is no name is told by the codec that writes it for the look-up.
    except (OSError, UnicodeError) as error:
        raise httpx2.ConnectError(f"{origin.host}:{origin.port}: {error}") from error
    return connection
