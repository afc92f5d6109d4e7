"""How log lines look: time, level, a constant event name, then fields. One event a line, whatever it holds."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

#: What a record has anyway; all else was given as a field.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class FieldFormatter(logging.Formatter):
    """Formats `logger.info("event.name", extra={...})` as `TIME LEVEL event.name field=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a trace follows on lines of its own."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        event = record.getMessage().replace("\n", "\\n").replace("\r", "\\r")
        line = " ".join([at, record.levelname, event, *(f"{name}={_plain(value)}" for name, value in fields.items())])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _plain(value: object) -> str:
    """Return a value on one line, quoted if it is not a single word."""
    text = str(value)
    return text if text.isprintable() and text and " " not in text and '"' not in text else json.dumps(text)


def set_up(level: str) -> None:
    """Send all logs of the process to standard error, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What they say at INFO is said better elsewhere.
    for name in ("httpx2", "httpcore2", "watchfiles", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
