"""`pointsman train`: fit a policy's router to an outcome table."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from gateway.cli.options import DEFAULT_CONFIG, Config
from gateway.cli.progress import progress_bar

if TYPE_CHECKING:
    from gateway.calibrating import Calibrating
    from routers.evaluation import Report, Score


def command(
    table: Annotated[
        Path, typer.Argument(help="The outcome table (Parquet, CSV or JSON lines), as `pointsman profile` writes it.")
    ],
    policy: Annotated[str, typer.Option(help="The policy whose router is fitted.")],
    rule: Annotated[str | None, typer.Option(help="A rule of it that has a router of its own.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Fit a policy's router to the table's training fold, report it on the dev fold, and save its state.

    A gateway that is running takes the new state at once. Embeddings are kept in $POINTSMAN_CACHE (~/.cache/pointsman),
    so that the next run does not compute them again.
    """
    from gateway.config.candidates import build_candidates
    from gateway.config.deciding import open_encoder_of
    from gateway.config.files import read_files
    from gateway.config.policies import pool_of
    from gateway.embeddings import embed_all, open_cache
    from gateway.tables.read import read_table
    from gateway.training import TrainingSet, fit

    files = read_files(config, os.environ)
    written = files.policy(policy).router_named(rule)
    outcomes = read_table(table)
    encoder = open_encoder_of(files)
    with progress_bar("embedding") as progress:
        embeddings = embed_all(outcomes.prompts, encoder, open_cache(os.environ), progress)
    candidates = {name: candidate for name, (candidate, _) in build_candidates(files.config).items()}
    pool = pool_of(written.pool or files.config.offered, candidates)
    fitted = fit(written, TrainingSet(outcomes, embeddings, encoder.digest), pool, random.Random(0))
    Console().print(_grid(fitted.report))
    if fitted.gate is not None:
        Console().print(_calibration(fitted.gate))
    typer.echo(f"state written to {written.state}")


def _grid(report: Report) -> Grid:
    """Return the report: the router, and what it has to be held against, on the dev fold."""
    grid = Grid("on the dev fold", "mean reward", "mean cost, USD", title=f"{report.n} prompts")
    grid.add_row("[bold]router[/]", *_cells(report.router))
    grid.add_section()
    for model, score in report.singles.items():
        grid.add_row(f"always {model}", *_cells(score))
    grid.add_row("random", *_cells(report.random))
    grid.add_row("oracle", *_cells(report.oracle))
    return grid


def _calibration(gate: Calibrating) -> Grid:
    """Return how far the gate's chances are from what came of answers that it was not fitted to."""
    grid = Grid(
        "model", "domain", "answers", "ECE", "95 %", title=f"expected calibration error of the gate, {gate.gate}"
    )
    for (model, domain), error in gate.errors.items():
        low, high = error.interval
        grid.add_row(model or "all", domain or "all", str(error.n), f"{error.value:.3f}", f"{low:.3f} to {high:.3f}")
    return grid


def _cells(score: Score) -> tuple[str, str]:
    reward = f"{score.reward.value:.3f} ± {score.reward.error:.3f}"
    return reward, "unknown" if score.cost_usd is None else f"{score.cost_usd.value:.3g}"
