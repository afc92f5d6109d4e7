"""Which addresses may be asked for the keys of an identity provider. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def url_problem(url: str) -> str | None:
    """Return why an address may not be asked for keys, if so: whoever is between could give keys of their own."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return f"{url!r} is no address"
    if not host or parts.username is not None or parts.fragment:
        return f"{url!r} must be an address with a host, and without user or fragment"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return None
    return f"{url!r} must begin with https:// (http:// is for this machine only)"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
