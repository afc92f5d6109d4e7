from __future__ import annotations

import logging
import sys

from gateway.logs import FieldFormatter


def line(event: str, **fields: object) -> str:
    record = logging.makeLogRecord({"msg": event, "levelname": "INFO", "created": 0.0, **fields})
    return FieldFormatter().format(record)


def test_an_event_is_a_line_of_fields():
    """Time, level, name, then what was given."""
    assert "1970-01-01T00:00:00.000+00:00 INFO attempt.failed model=a status=500" == line(
        "attempt.failed", model="a", status=500
    )


def test_what_upstream_says_cannot_forge_a_line():
    """Line ends, quotes and control characters are escaped."""
    assert line("x", reason='a\nERROR forged="1"').endswith(r'reason="a\nERROR forged=\"1\""')
    assert 1 == len(line("x\ny").splitlines())


def test_a_defect_shows_its_trace():
    """Below the line."""
    try:
        int("broken")
    except ValueError:
        formatted = line("request.crashed", exc_info=sys.exc_info())

    assert "ValueError: invalid literal" in formatted
