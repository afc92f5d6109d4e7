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
