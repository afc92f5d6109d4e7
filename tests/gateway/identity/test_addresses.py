from __future__ import annotations

import pytest

from gateway.identity.addresses import url_problem


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example",
        "https://login.example:8443/realms/a?x=1",
        "http://127.0.0.1:9",
        "http://localhost/x",
        "http://[::1]:8080/jwks",
    ],
)
def test_keys_may_be_fetched_from_where_nobody_is_between(url):
    """By https, or on this machine."""
    assert None is url_problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "https://user:pw@login.example",
        "https://login.example#x",
        "ftp://login.example",
        "file:///etc/passwd",
        "login.example",
        "https://",
        "http://[::1",
        "",
    ],
)
def test_keys_are_fetched_from_nowhere_else(url):
    """The address is named."""
    assert repr(url) in url_problem(url)
