"""`pointsman feedback calibration`: how far judges and implicit signs agree with people."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.evaluations import screen
from gateway.cli.log import moment
from gateway.cli.options import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from gateway.config.files import Files
    from gateway.judging.calibration import Calibration


def command(
    *,
    config: Config = DEFAULT_CONFIG,
    since: Annotated[str | None, typer.Option(help="Since then: an age (90s, 15m, 24h, 7d) or an ISO time.")] = None,
    human: Annotated[
        list[str] | None, typer.Option(help="A source that is people's; by default user and grader.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Hold what judges and implicit signs said of answers against what people said, and suggest how far to trust them.

    It reads the log, in which answers are that both have rated; below a hundred of them it suggests nothing.
    """
    from gateway.config.files import read_files
    from gateway.judging.calibration_grid import calibration_grids
    from gateway.judging.calibration_page import calibration_page

    now = datetime.now(UTC)
    start = moment(since, now) if since else None
    found = _calibrate(read_files(config, os.environ), start, frozenset(human or ()))
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(calibration_page(found, now), encoding="utf-8", errors="xmlcharrefreplace")
        typer.echo(f"report written to {html}", err=True)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=1, allow_nan=False))
        return
    for grid in calibration_grids(found):
        screen(as_json=False).print(grid)


def _calibrate(files: Files, since: datetime | None, human: frozenset[str]) -> Calibration:
    from gateway.application import open_store
    from gateway.judging.calibration import calibrate
    from gateway.judging.ratings import HUMAN, ratings

    judging = files.config.judging
    store = open_store(files, read_only=True)
    try:
        rows = list(ratings(store.joined(since=since), files.config.feedback.labels, human or HUMAN))
    finally:
        store.close()
    return calibrate(rows, judging.families if judging else {})
