from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from providers.errors import Overloaded, RateLimited, UpstreamRejected, from_response

NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


def answered(status, error=None, **headers):
    """Return what an answer with an error object and header fields stands for."""
    content = json.dumps({"error": error or {"message": "no"}}).encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return from_response("up", status, fields, content, NOW)


@pytest.mark.parametrize(
    "date", ["Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "Fri, 31 Dec 2027 23:59:59 +999999999999999999"]
)
def test_a_date_beyond_all_calendars_is_none(date):
    """The status says what to do all the same."""
    errors = [answered(status, retry_after=date) for status in (429, 503)]

    assert [(RateLimited, None), (Overloaded, None)] == [(type(error), error.retry_after_s) for error in errors]


@pytest.mark.parametrize("odd", [[1], {"a": [1]}, 7, True])
def test_members_of_an_error_may_be_anything(odd):
    """What is no name names nothing."""
    error = answered(400, {"message": odd, "code": odd, "type": odd, "param": odd})

    assert UpstreamRejected is type(error)


@pytest.mark.parametrize(
    "date",
    [
        "Wed, 21 Oct 2026 07:28:40 GMT",
        "Wed, 21 Oct 2026 07:28:40 -0000",
        "Wed, 21 Oct 2026 09:28:40 +0200",
        "Wednesday, 21-Oct-26 07:28:40 GMT",
        "Wed Oct 21 07:28:40 2026",
    ],
)
def test_every_form_of_a_date_is_kept_to(date):
    """Those of RFC 9110, and zones that mail knows; without one it is UTC."""
    assert 40.0 == answered(429, retry_after=date).retry_after_s


@pytest.mark.parametrize("odd", ["soon", "", "-1", "nan", "inf"])
def test_milliseconds_that_are_none_do_not_hide_the_seconds(odd):
    """The better known of the two is still good; where both are, the milliseconds are more exact."""
    assert 40.0 == answered(429, retry_after_ms=odd, retry_after="40").retry_after_s
    assert 39.5 == answered(429, retry_after_ms="39500", retry_after="40").retry_after_s
