"""`pointsman profile`: ask every model the probe set, and write the outcome table."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from gateway.cli.gate import GateOption, gate_of
from gateway.cli.options import DEFAULT_CONFIG, Config, LogLevel
from gateway.config.loader import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.config.files import Files
    from gateway.profiling.journal import Result
    from gateway.profiling.probes import Probe


def command(  # noqa: PLR0913 - there is one for each option
    config: Config = DEFAULT_CONFIG,
    out: Annotated[Path, typer.Option(help="The outcome table to write (Parquet).")] = Path("table.parquet"),
    probes: Annotated[Path | None, typer.Option(help="A probe set of your own (JSON Lines).")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model; may be given several times.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Probes under way at once.")] = 4,
    *,
    gate: GateOption = None,
    log_level: LogLevel = "warning",
) -> None:
    """Ask every model of the configuration the probe set, grade the answers, and write the outcome table.

    Answers are kept in a journal beside the table: a run that was interrupted goes on where it stopped.
    """
    from gateway.config.candidates import build_candidates
    from gateway.config.files import read_files
    from gateway.logs import set_up
    from gateway.profiling.journal import charged
    from gateway.profiling.probes import load_probes
    from gateway.profiling.table import write_table

    set_up(log_level)
    files = read_files(config, os.environ)
    names = _chosen(files, model)
    gated = None if gate is None else gate_of(gate)
    loaded = load_probes(probes)
    asked = asyncio.run(_run(files, names, loaded, out.with_suffix(".journal.jsonl"), concurrency, gated))
    results = charged(asked, {name: tariff for name, (_, tariff) in build_candidates(files.config).items()})
    write_table(out, loaded, results, names)
    _report(results, loaded, names)
    _warn(results, names)
    typer.echo(f"{len(loaded)} probes x {len(names)} models written to {out}")


def _chosen(files: Files, wanted: Sequence[str] | None) -> list[str]:
    for name in wanted or ():
        if name not in files.config.models:
            raise ConfigError(f"--model: no model {name!r}; {did_you_mean(name, files.config.models)}")
    return list(wanted or files.config.models)


async def _run(
    files: Files,
    names: list[str],
    probes: Sequence[Probe],
    journal: Path,
    concurrency: int,
    gate: Mapping[str, Any] | None,
) -> list[Result]:
    from gateway.cli.asking import asking
    from gateway.profiling.run import profile

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with asking(files, names, gate) as opened:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bars = {name: progress.add_task(name, total=len(probes)) for name in names}
            return await profile(
                probes,
                opened.descriptions,
                opened.asker,
                journal,
                lambda result: progress.advance(bars[result.model]),
                concurrency,
            )


def _report(results: Sequence[Result], probes: Sequence[Probe], names: Sequence[str]) -> None:
    """Print each model's mean score by task."""
    tasks = {probe.prompt_id: probe.task for probe in probes}
    grid = Grid("task", *names, title="mean score")
    for task in sorted(set(tasks.values())):
        grid.add_row(task, *(_mean([r for r in results if r.model == m and tasks[r.prompt_id] == task]) for m in names))
    grid.add_section()
    grid.add_row("all", *(_mean([r for r in results if r.model == m]) for m in names))
    Console().print(grid)


def _warn(results: Sequence[Result], names: Sequence[str]) -> None:
    """Name the models of whose answers nobody knows the cost."""
    priced = {result.model for result in results if result.asked.cost_usd is not None}
    for name in names:
        if name not in priced:
            remedy = "state its `price` under `models` and run this again: nothing is asked twice"
            typer.echo(f"model {name}: what it costs is unknown; {remedy}", err=True)


def _mean(results: Sequence[Result]) -> str:
    scores = [result.score for result in results if result.score is not None]
    failed = len(results) - len(scores)
    mean = f"{sum(scores) / len(scores):.2f}" if scores else "-"
    return f"{mean} ({failed} failed)" if failed else mean
