"""`pointsman tune`: choose the hyper-parameters of routers by cross-validation, and write the policy."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.evaluations import AsJson, Config, EngineName, Jobs, Tables, embedder, refusals, screen
from gateway.cli.gate import GateOption
from gateway.cli.progress import progress_bar
from gateway.cli.tune_plan import PlanName, Wanted, tune_plan
from gateway.evaluation.problem import EvaluationError
from gateway.tuning.choice import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.tuning.plan import Plan
    from gateway.tuning.run import Tuning

Out = Annotated[Path, typer.Option(help="The policy file to write; there must be none yet.")]
Routers = Annotated[
    list[str] | None,
    typer.Option(
        "--router",
        metavar="NAME",
        help="An estimator to tune; may be given several times, or with commas. 'all' is every one; by default those "
        "that are quickly fitted.",
    ),
]
Tries = Annotated[
    list[str] | None,
    typer.Option(
        "--try",
        metavar="NAME.OPTION=VALUES",
        help="Values to try for an option, with commas, as knn.neighbours=20,40; 'estimator' is every estimator that "
        "has the option. May be given several times.",
    ),
]
Folds = Annotated[int, typer.Option(help="How many parts the training fold is split into.")]
MetricName = Annotated[Metric, typer.Option(help="What settings are chosen by.")]
Name = Annotated[str | None, typer.Option(help="The policy's name; by default that of its file.")]
Budget = Annotated[
    int | None, typer.Option("--budget-trials", metavar="N", help="Try N settings at most, drawn from all.")
]
ReportOn = Annotated[
    str | None, typer.Option(metavar="FOLD", help="Judge what was chosen on this fold, once, when all is chosen.")
]

PlanOption = Annotated[
    PlanName | None,
    typer.Option("--plan", help="Choose a plan of several calls instead, or a single call where that is as good."),
]
BudgetUsd = Annotated[
    float | None, typer.Option("--budget", metavar="USD", help="With --plan: what a request may cost on average.")
]
PriceOfMoney = Annotated[
    float | None,
    typer.Option(
        "--price",
        metavar="P",
        help="With --plan: the reward that a USD is worth. With neither, the plan is to be as good as the best single "
        "model, for the least cost.",
    ),
]


def command(  # noqa: PLR0913 - there is one for each option
    tables: Tables,
    *,
    out: Out,
    router: Routers = None,
    tries: Tries = None,
    folds: Folds = 5,
    train_fold: Annotated[str, typer.Option(help="The fold to choose by; no other is read.")] = "train",
    metric: MetricName = Metric.AIQ,
    name: Name = None,
    budget_trials: Budget = None,
    report_on: ReportOn = None,
    plan: PlanOption = None,
    budget: BudgetUsd = None,
    price: PriceOfMoney = None,
    gate: GateOption = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="With --plan: several calls, also where a single one is as good.")
    ] = False,
    config: Config = None,
    engine: EngineName = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Choose routers and their options by cross-validation on the training fold alone, and write a policy.

    The file says in comments what was tried, what came of it, and why this was chosen. No model is asked: the tables
    have all the answers. Embeddings are kept in $POINTSMAN_CACHE (~/.cache/pointsman).
    """
    from gateway.evaluation.settings import engine_name
    from gateway.tuning.cascade import Aim
    from gateway.tuning.plan import Plan, planned
    from gateway.tuning.policy import policy_text

    now = datetime.now(UTC)
    with refusals():
        name = _checked(out, name)
        if plan is not None:
            _refuse(("--try", tries), ("--budget-trials", budget_trials))
            aim, routers = Aim(budget, price, insist), _split(router)
            wanted = Wanted(tables, gate, routers, aim, train_fold, report_on, config, out, name)
            tune_plan(wanted, engine_name(engine, jobs), as_json=as_json)
            return
        _refuse(
            ("--budget", budget),
            ("--price", price),
            ("--gate", gate),
            ("--insist", insist or None),
            why="give --plan as well",
        )
        settings = planned(_split(router), tries or (), budget_trials)
        tried = Plan(settings, folds, train_fold, metric, report_on)
        tuning = _tune(tables, tried, config, engine_name(engine, jobs))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(policy_text(name, tuning, tried, now), encoding="utf-8")
    _print(tuning, tried, out, now, as_json=as_json)


def _refuse(*given: tuple[str, object], why: str = "leave it out: a plan's settings are its own") -> None:
    """Raise `EvaluationError` for the first option that was given and has no meaning here."""
    for option, value in given:
        if value is not None:
            raise EvaluationError(f"{option}: {why}")


def _checked(out: Path, name: str | None) -> str:
    """Return the policy's name. Raises `EvaluationError` before there is any work to lose."""
    from pydantic import TypeAdapter, ValidationError

    from gateway.config.written import Name as PolicyName

    if out.exists():
        raise EvaluationError(f"--out: {out} exists; remove it, or name another file")
    if out.suffix not in {".yaml", ".yml"}:
        raise EvaluationError(f"--out: {out} must end in .yaml")
    name = out.stem if name is None else name
    try:
        return str(TypeAdapter(PolicyName).validate_python(name))
    except ValidationError as error:
        wanted = "letters, digits and . _ @ / -, and begin with a letter or a digit"
        raise EvaluationError(f"--name: {name!r} must consist of {wanted}") from error


def _split(written: Sequence[str] | None) -> list[str]:
    return [name.strip() for one in written or () for name in one.split(",") if name.strip()]


def _tune(paths: Sequence[Path], plan: Plan, config: Path | None, engine: str) -> Tuning:
    from gateway.config.files import read_files
    from gateway.engines.engine import open_engine
    from gateway.tuning.run import look, open_sources, tune

    files = read_files(config, os.environ) if config else None
    with open_engine(engine) as opened:
        embed = embedder(files, opened)  # the costs read vectors, whatever the estimator
        sources = open_sources(paths, plan, embed)
        with progress_bar("tuning") as progress:
            tuning = tune(sources, plan, opened, progress)
        return look(tuning, plan, embed)


def _print(tuning: Tuning, plan: Plan, out: Path, now: datetime, *, as_json: bool) -> None:
    from gateway.tuning.document import document, grid

    console = screen(as_json=as_json)
    console.print(grid(tuning, plan))
    console.print(f"policy written to {out}", highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(document(["pointsman", *sys.argv[1:]], now, tuning, plan), indent=1, allow_nan=False))
