"""`pointsman policy`: policies as code: tested, and compared before they serve."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gateway.cli.explain import DEADLINE_MS, WIDTH
from gateway.cli.log import moment
from gateway.cli.options import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from gateway.config.files import Files
    from gateway.redeciding.difference import Difference

app = typer.Typer(help="Policies as code: test them, and see what a change would do.", no_args_is_help=True)

FixtureFiles = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILES]...", help="Files of fixtures; by default tests/*.yaml beside the policies."),
]


@app.command("test")
def run_fixtures(paths: FixtureFiles = None, *, config: Config = DEFAULT_CONFIG) -> None:
    """Run the fixtures of policies: a line for each expectation that is not met, and status 1 if there is one.

    No model is called. Features that a fixture gives stand in for what signals would find.
    """
    from gateway.config.files import read_files

    failures, count, failed = asyncio.run(_test(read_files(config, os.environ), paths))
    console = Console(soft_wrap=True)
    for line in failures:
        console.print(line, markup=False, highlight=False)
    good = f"{count} fixture{'s' if count != 1 else ''}: {count - failed} good, {failed} failed"
    console.print(good, style="red" if failed else "green", highlight=False)
    if failed:
        raise typer.Exit(1)


async def _test(files: Files, paths: list[Path] | None) -> tuple[list[str], int, int]:
    """Return the failures, how many fixtures there were, and how many failed."""
    from gateway.config.loader import ConfigError
    from gateway.fixtures.read import FOLDER, fixture_paths, read_fixtures
    from gateway.fixtures.run import run
    from gateway.rehearsal import open_decider

    if not (chosen := paths or fixture_paths(files)):
        raise ConfigError(f"there are no fixtures: name files, or write {FOLDER}/NAME.yaml beside the policies")
    async with open_decider(files, DEADLINE_MS) as decider:
        fixtures = [one for path in chosen for one in read_fixtures(path, files, decider, os.environ)]
        found = [await run(fixture, decider, files.config) for fixture in fixtures]
    return [line for lines in found for line in lines], len(found), sum(map(bool, found))


@app.command("diff")
def compare(  # noqa: PLR0913 - there is one for each option
    old: Annotated[Path, typer.Argument(help="A gateway's file, or a policy's, as it is.")],
    new: Annotated[Path, typer.Argument(help="A gateway's file, or a policy's, as it would be.")],
    *,
    log: Annotated[Path | None, typer.Option(help="The log's database; by default that of OLD.")] = None,
    since: Annotated[str | None, typer.Option(help="Since then: an age (90s, 15m, 24h, 7d) or an ISO time.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many requests, the newest.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Say what a change of policies would do to the requests of a log. No model is called, and no text is shown.

    A policy's file is read in place of the policy of its name in --config. What depends on something that the log
    does not have is counted, and never guessed.
    """
    from gateway.cli.differences import document, tables

    found = _difference((old, new), config, log, (moment(since, datetime.now(UTC)) if since else None, limit))
    if as_json:
        typer.echo(json.dumps(document(found), indent=1, allow_nan=False))
        return
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    for part in tables(found):
        console.print(part)


def _difference(
    paths: tuple[Path, Path], config: Path, log: Path | None, span: tuple[datetime | None, int | None]
) -> Difference:
    from gateway.application import open_store
    from gateway.config.replacing import read_either
    from gateway.config.sides import open_side, stale_features
    from gateway.redeciding.difference import difference, pairs_of
    from gateway.store.sqlite import SQLiteStore

    (old, old_name), (new, new_name) = (read_either(path, config, os.environ) for path in paths)
    subject = old_name or new_name
    sides = (
        open_side(old, old_name),
        open_side(new, new_name, stale_features(old.config, new.config)),
    )
    store = open_store(old, read_only=True) if log is None else SQLiteStore.open(log, read_only=True)
    try:
        since, limit = span
        logged = store.joined(since, policy=subject, limit=limit, newest_first=limit is not None)
        return difference(pairs_of(logged, *sides))
    finally:
        store.close()
