"""The part of `pointsman evaluate` in which routers learn as they go (`--online`)."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.evaluations import embedder, screen
from gateway.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gateway.evaluation.online.settings import Online
    from gateway.evaluation.settings import Settings

PANEL = "Learning as they go (--online)"

AsStream = Annotated[
    bool,
    typer.Option(
        "--online",
        help="Let routers learn as they go: the training fold is a stream, of which only what was chosen is told, and "
        "the test fold judges the final policies.",
        rich_help_panel=PANEL,
    ),
]
Price = Annotated[
    float | None,
    typer.Option(
        help="What the mean cost of the model that scores best is worth, in score; 0.15.", rich_help_panel=PANEL
    ),
]
KnownPrices = Annotated[
    bool, typer.Option("--known-prices", help="Tell routers what models cost.", rich_help_panel=PANEL)
]
Warm = Annotated[float, typer.Option(help="The share of the stream told in full beforehand.", rich_help_panel=PANEL)]
Batch = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Learn from every N requests; by default after each of the first 500, then from every 20.",
        rich_help_panel=PANEL,
    ),
]
Delay = Annotated[int, typer.Option(metavar="N", help="What came of a request is told N later.", rich_help_panel=PANEL)]
Missing = Annotated[float, typer.Option(help="The share of requests that nobody rates.", rich_help_panel=PANEL)]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--change",
        metavar="CHANGE@SHARE",
        help="What changes after a share of the stream: price:MODELxFACTOR@0.5, swap:A,B@0.5, add:MODEL@0.3, "
        "remove:MODEL@0.6; several times.",
        rich_help_panel=PANEL,
    ),
]
Interval = Annotated[float, typer.Option(metavar="S", help="Seconds between requests.", rich_help_panel=PANEL)]


def replayed(paths: Sequence[Path], asked: tuple[Settings, Online], config: Path | None, engine: str) -> dict[str, Any]:
    """Replay the tables, and return the report. Raises `EvaluationError`, `TableError` and `ConfigError`."""
    from gateway.config.files import read_files
    from gateway.engines.engine import open_engine
    from gateway.evaluation.bench import no_embeddings, open_benches
    from gateway.evaluation.online.names import online_routers
    from gateway.evaluation.online.report import document
    from gateway.evaluation.online.run import replay_online

    settings, online = asked
    files = read_files(config, os.environ) if config else None
    routers = online_routers(settings.routers, files, os.environ)
    reads_vectors = any("embedding" in one.build().requires for one in routers)
    with open_engine(engine) as opened:
        benches = open_benches(paths, settings, embedder(files, opened) if reads_vectors else no_embeddings)
        with progress_bar("replaying") as progress:
            sections = replay_online(benches, routers, asked, opened, progress)
    return document(["pointsman", *sys.argv[1:]], datetime.now(UTC), settings, online, sections)


def tell(document: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """Write `report.json` and `report.html` into a folder, and print the numbers."""
    from gateway.evaluation.online.grid import grids
    from gateway.evaluation.online.page import page

    text = json.dumps(document, indent=1, allow_nan=False)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(text, encoding="utf-8")
    # A name may hold half of a surrogate pair, which UTF-8 cannot write.
    (out / "report.html").write_text(page(document), encoding="utf-8", errors="xmlcharrefreplace")
    console = screen(as_json=as_json)
    for grid in grids(document):
        console.print(grid)
    console.print(f"report written to {out}", highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(text)
