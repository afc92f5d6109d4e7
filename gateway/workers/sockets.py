"""Where workers listen: each on a socket of its own, over all of which the kernel spreads new connections.

With one socket for all, whichever worker wakes first may take all connections that wait, and keeps them. SO_REUSEPORT
deals them out by a hash of their addresses. A worker's socket ends with it, so that no connection waits for a worker
that has died.
"""

from __future__ import annotations

import socket
from typing import Any

from gateway.config.loader import ConfigError


def listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to an address, one for each that its name stands for; whoever serves listens on them.

    Port 0 takes a free one, the same for all. Raises `ConfigError`.
    """
    found: list[socket.socket] = []
    for family, kind, protocol, _, address in _addresses(host, port):
        one = socket.socket(family, kind, protocol)
        found.append(one)
        taken = found[0].getsockname()[1] if port == 0 and len(found) > 1 else address[1]
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(one, (address[0], taken, *address[2:]))
    return found


def held(host: str, port: int) -> list[socket.socket]:
    """Return sockets that keep an address for workers, and take no connections themselves.

    Raises `ConfigError` where somebody listens there: another that lets others in would get half of the connections.
    """
    if port:
        for family, kind, protocol, _, address in _addresses(host, port):
            with socket.socket(family, kind, protocol) as probe:
                _bind(probe, address)
    return listening(host, port)


def _addresses(host: str, port: int) -> list[tuple[int, int, int, str, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigError(f"{host!r} cannot be listened on: {error.strerror}: set server.host") from error
    return list(dict.fromkeys(found))


def _bind(one: socket.socket, address: tuple[str | int, ...]) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        one.bind(address)
    except OSError as error:
        said = f"{address[0]}, port {address[1]}: cannot listen there: {(error.strerror or str(error)).lower()}"
        raise ConfigError(f"{said}: end whoever does, or set server.port") from error
