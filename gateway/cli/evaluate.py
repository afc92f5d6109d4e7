"""`pointsman evaluate`: say how good routers are on outcome tables, fitted to a fold, or learning as they go."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import evaluate_online as stream
from gateway.cli.evaluations import AsJson, Config, EngineName, Jobs, Tables, embedder, refusals, screen
from gateway.cli.progress import progress_bar
from gateway.evaluation.problem import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.evaluation.online.settings import Online
    from gateway.evaluation.settings import Settings

Out = Annotated[Path, typer.Option(help="The folder to write the report to.")]
Routers = Annotated[
    list[str] | None,
    typer.Option(
        "--router",
        metavar="NAME",
        help="An estimator, a router, a policy of --config, or a policy's file; may be given several times, or with "
        "commas. By default 'all': every estimator, and every router that needs no option; with --online, every router "
        "that learns by sums.",
    ),
]
Seeds = Annotated[int, typer.Option(help="How often a router that draws is fitted and replayed.")]
Pair = Annotated[str | None, typer.Option(metavar="STRONG,WEAK", help="Judge the choice between two models as well.")]
LeaveOut = Annotated[
    bool, typer.Option("--leave-task-out", help="Judge each task by what was learned without it as well.")
]
Duplicates = Annotated[
    bool, typer.Option("--keep-duplicates", help="Keep test prompts that the training fold has too.")
]


def command(  # noqa: PLR0913 - there is one for each option
    tables: Tables,
    *,
    out: Out,
    router: Routers = None,
    train_fold: Annotated[str, typer.Option(help="The fold to learn from.")] = "train",
    test_fold: Annotated[str, typer.Option(help="The fold to judge on.")] = "dev",
    seeds: Seeds = 5,
    pair: Pair = None,
    leave_task_out: LeaveOut = False,
    keep_duplicates: Duplicates = False,
    config: Config = None,
    engine: EngineName = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
    online: stream.AsStream = False,
    price: stream.Price = None,
    known_prices: stream.KnownPrices = False,
    warm: stream.Warm = 0.0,
    batch: stream.Batch = None,
    delay: stream.Delay = 0,
    missing: stream.Missing = 0.0,
    change: stream.Changes = None,
    interval: stream.Interval = 1.0,
) -> None:
    """Fit routers to outcome tables, replay a fold that they have not seen, and write a report of what came of it.

    Every router is held against the single models, mixtures of them, and oracles, with intervals. No model is asked:
    the table has all the answers. Embeddings are kept in $POINTSMAN_CACHE (~/.cache/pointsman).
    """
    from gateway.evaluation.online.settings import Online, changes_of, telling_of
    from gateway.evaluation.settings import Settings, engine_name, split_names, split_pair
    from routers.evaluation.bandit import BEST_COST

    with refusals():
        _check_folder(out)
        asked = Online(
            price=BEST_COST if price is None else price,
            warm=warm,
            telling=telling_of(batch, delay, missing),
            changes=changes_of(change),
            known_prices=known_prices,
            interval_s=interval,
        )
        settings = Settings(
            routers=split_names(router),
            train_fold=train_fold,
            test_fold=test_fold,
            seeds=seeds,
            pair=split_pair(pair),
            leave_task_out=leave_task_out,
            keep_duplicates=keep_duplicates,
        )
        _check_kind(settings, asked, online=online)
        if online:
            document = stream.replayed(tables, (settings, asked), config, engine_name(engine, jobs))
        else:
            document = _evaluate(tables, settings, config, engine_name(engine, jobs))
    if online:
        stream.tell(document, out, as_json=as_json)
    else:
        _write(document, out)
        _print(document, out, as_json=as_json)


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise EvaluationError(f"--out: {out} is a file; name a folder")


def _check_kind(settings: Settings, asked: Online, *, online: bool) -> None:
    """Raise `EvaluationError` for options that go only with the other kind of evaluation."""
    from gateway.evaluation.online.settings import Online

    if online and (settings.pair or settings.leave_task_out):
        option = "--pair" if settings.pair else "--leave-task-out"
        raise EvaluationError(f"{option}: is about routers that are fitted beforehand; leave it out, or --online")
    if not online and asked != Online():
        raise EvaluationError(
            "--price, --known-prices, --warm, --batch, --delay, --missing, --change, --interval: are about a stream; "
            "give --online"
        )


def _evaluate(paths: Sequence[Path], settings: Settings, config: Path | None, engine: str) -> dict[str, Any]:
    from gateway.config.files import read_files
    from gateway.engines.engine import open_engine
    from gateway.evaluation.bench import no_embeddings, open_benches
    from gateway.evaluation.names import named_routers
    from gateway.evaluation.report import document
    from gateway.evaluation.run import evaluate_all

    files = read_files(config, os.environ) if config else None
    routers = named_routers(settings.routers, files, os.environ)
    reads_vectors = any("embedding" in one.build().requires for one in routers)
    with open_engine(engine) as opened:
        benches = open_benches(paths, settings, embedder(files, opened) if reads_vectors else no_embeddings)
        with progress_bar("evaluating") as progress:
            sections = evaluate_all(benches, routers, settings, opened, progress)
    return document(["pointsman", *sys.argv[1:]], datetime.now(UTC), sections)


def _write(document: Mapping[str, Any], out: Path) -> None:
    from gateway.evaluation.html import write_report

    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(_text(document), encoding="utf-8")
    write_report(document, out)


def _print(document: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    from gateway.evaluation.grid import grids

    console = screen(as_json=as_json)
    for grid in grids(document):
        console.print(grid)
    console.print(f"report written to {out}", highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(_text(document))


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, allow_nan=False)
