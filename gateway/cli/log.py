"""`pointsman log`: what was decided, and what came of it."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.options import DEFAULT_CONFIG, Config

PIPED_WIDTH = 200
_AGE = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def command(
    config: Config = DEFAULT_CONFIG,
    since: Annotated[str | None, typer.Option(help="Since then: an age (90s, 15m, 24h, 7d) or an ISO time.")] = None,
    policy: Annotated[str | None, typer.Option(help="Only requests under this policy.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest; 20 in a terminal.")] = None,
    jsonl: Annotated[str | None, typer.Option(help="Write JSON Lines to this file; '-' is standard output.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write a Parquet file.")] = None,
) -> None:
    """Print the log, or export it."""
    from gateway.application import open_store
    from gateway.config.files import read_files
    from gateway.store.export import print_log, rows, write_jsonl, write_parquet

    if jsonl is not None and parquet is not None:
        raise typer.BadParameter("--jsonl and --parquet are one export each: ask for one after the other")
    start = moment(since, datetime.now(UTC)) if since else None
    store = open_store(read_files(config, os.environ), read_only=True)
    exports = jsonl is not None or parquet is not None
    limit = last if last or exports else 20
    try:
        found = rows(store, since=start, policy=policy, limit=limit, newest_first=limit is not None)
        if jsonl == "-":
            write_jsonl(found, sys.stdout)
        elif jsonl is not None:
            with Path(jsonl).open("w", encoding="utf-8") as file:
                _say(write_jsonl(found, file), jsonl)
        elif parquet is not None:
            _say(write_parquet(found, parquet), str(parquet))
        else:
            # What is piped on has no width of its own.
            print_log(found, Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH))
    finally:
        store.close()


def moment(text: str, now: datetime) -> datetime:
    """Return the time that an age or an ISO time stands for; a time without zone is UTC.

    Raises `typer.BadParameter`.
    """
    if match := _AGE.fullmatch(text):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither an age (90s, 15m, 24h, 7d) nor an ISO time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _say(count: int, path: str) -> None:
    typer.echo(f"{count} requests written to {path}", err=True)
