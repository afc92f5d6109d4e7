"""HTTP/1.1 to endpoints: a transport beneath httpx2's types that does little for each request."""

from __future__ import annotations

import httpx2

from providers.transport.transport import Transport

__all__ = ["Transport", "open_transport"]

#: Any number at once: how many an endpoint takes is for its gate to say.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=30)


def open_transport(proxy: str | None = None) -> httpx2.AsyncBaseTransport:
    """Return what carries requests to endpoints: directly, or through a proxy, which is httpx2's own business.

    The environment's proxies are not asked: prompts and keys go to hosts that the configuration names. Raises
    `ValueError` for what is no address of a proxy.
    """
    if proxy is not None:
        return httpx2.AsyncHTTPTransport(limits=LIMITS, trust_env=False, proxy=proxy)
    return Transport(httpx2.create_ssl_context(trust_env=False), LIMITS)
