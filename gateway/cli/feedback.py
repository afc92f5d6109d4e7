"""`pointsman feedback`: opinions on answers, from files into the log, and out of it for good."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from gateway.cli.options import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from gateway.config.files import Files
    from gateway.store.base import Selection
    from gateway.store.sqlite import SQLiteStore

app = typer.Typer(help="Feedback: imported into the log, or deleted from it for good.", no_args_is_help=True)

#: Seconds that another process may hold the log.
BUSY_S: Final = 10.0


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .jsonl or .parquet file.")],
    *,
    source: Annotated[str, typer.Option(help="Who says so, where a row does not tell.")] = "grader",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and store nothing.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Store the feedback of a file: all of it, or none where a row is wrong. Imported again, it is counted once."""
    from gateway.config.files import read_files
    from gateway.feedback.importing import Import

    files = read_files(config, os.environ)
    read = Import(file, source=source, now=datetime.now(UTC), labels=files.config.feedback.labels)
    rows = read.check()
    if dry_run:
        typer.echo(f"{rows} rows are right; nothing was stored")
        return
    log = _open(files)
    try:
        done = read.store(log)
    finally:
        log.close()
    typer.echo(f"{done.new} stored, {done.known} were there before or had been deleted")
    if done.waiting:
        typer.echo(
            f"{done.waiting} are on decisions that are not in this log: they count once those are there", err=True
        )


@app.command("delete")
def delete(
    *,
    id_: Annotated[str | None, typer.Option("--id", help="This piece.")] = None,
    decision: Annotated[UUID | None, typer.Option(help="All on this decision.")] = None,
    caller: Annotated[str | None, typer.Option(help="All of this caller: its name, or its key's id.")] = None,
    source: Annotated[str | None, typer.Option(help="All from this source.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Delete feedback for good: what has all that is given. What was learned from it is unlearned."""
    from gateway.config.files import read_files
    from gateway.feedback.errors import FeedbackNotFound
    from gateway.feedback.rights import known_as
    from gateway.store.base import Selection

    if (id_, decision, caller, source) == (None,) * 4:
        raise typer.BadParameter("say what to delete: --id, --decision, --caller or --source")
    files = read_files(config, os.environ)
    identities = [None] if caller is None else known_as(caller, files.config.callers)
    erased = _erase(files, [Selection(id_, decision, identity, source) for identity in identities])
    if not erased:
        raise FeedbackNotFound("There is no such feedback.")
    typer.echo(f"{erased} deleted")


def _erase(files: Files, selections: list[Selection]) -> int:
    log = _open(files)
    try:
        return sum(len(log.erase(which, datetime.now(UTC))) for which in selections)
    finally:
        log.close()


def _open(files: Files) -> SQLiteStore:
    """Open the log, which a gateway may be writing to. Raises `StoreError`."""
    from gateway.store.base import StoreError
    from gateway.store.sqlite import SQLiteStore

    store = files.config.store
    path = files.path.parent / store.path
    if store.type == "memory":
        raise StoreError("the log is in memory, and ends with the gateway: set store.type to sqlite")
    if not path.exists():
        raise StoreError(f"{path} does not exist: name the log in store.path of the configuration")
    return SQLiteStore.open(path, busy_timeout_s=BUSY_S)
