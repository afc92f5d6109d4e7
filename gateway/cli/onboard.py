"""`pointsman onboard`: let a new model join a policy by some tens of probes."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from gateway.cli.options import DEFAULT_CONFIG, Config
from gateway.cli.progress import progress_bar
from gateway.config.loader import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.config.files import Files
    from gateway.profiling.choice import Choose
    from gateway.profiling.journal import Result
    from gateway.profiling.questions import Questions
    from gateway.signals.encoder import Encoder
    from gateway.standing import Bill, Standing

#: Probes under way at once: an answer that is awaited tells nothing yet of what to ask next.
AT_ONCE = 4


def command(
    model: Annotated[str, typer.Argument(help="The model that joins: one of the configuration, in the policy's pool.")],
    *,
    policy: Annotated[str, typer.Option(help="The policy whose router takes it in.")],
    config: Config = DEFAULT_CONFIG,
    probes: Annotated[int, typer.Option(help="How many probes it is asked: 20 to 60.")] = 40,
    probe_set: Annotated[Path | None, typer.Option(help="A probe set of your own (JSON Lines).")] = None,
    again: Annotated[bool, typer.Option("--again", help="Forget what is known of the model, and ask anew.")] = False,
) -> None:
    """Ask a new model some tens of probes, and let it join what a policy has learned; the others stay as they are.

    A gateway that is running takes the new state at once. Answers are kept in a journal beside the state until the
    model has joined, so that a run that was interrupted goes on where it stopped.
    """
    from gateway.config.candidates import build_candidates
    from gateway.config.deciding import open_encoder_of
    from gateway.config.files import read_files
    from gateway.config.policies import pool_of
    from gateway.logs import set_up
    from gateway.onboarding import Onboarding
    from gateway.standing import Bill

    set_up("warning")
    files = read_files(config, os.environ)
    file = files.policy(policy)
    if model not in files.config.models:
        raise ConfigError(f"MODEL: no model {model!r}; {did_you_mean(model, files.config.models)}")
    candidates = {name: candidate for name, (candidate, _) in build_candidates(files.config).items()}
    pool = pool_of(file.config.pool or files.config.offered, candidates)
    encoder = open_encoder_of(files)
    onboarding = Onboarding.begin(model, file, pool, encoder.digest, again=again)
    questions = _questions(probe_set, encoder)
    choose = onboarding.choose(questions, probes, random.Random(0))
    journal = file.state.with_name(f"{file.state.name}.onboarding.jsonl")
    with progress_bar(model) as progress:
        plan = _Plan(choose, probes, journal, progress)
        results = asyncio.run(_interview(files, model, questions, plan))
    standings = onboarding.finish(questions, results)
    journal.unlink()
    Console().print(_grid(model, standings))
    typer.echo(_sentence(Bill.of(list(results.values()))))
    typer.echo(f"{model} joined policy {policy}: state written to {file.state}")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to ask, how much of it, where answers are kept, and who hears how far it has come."""

    choose: Choose
    number: int
    journal: Path
    progress: Callable[[int, int], None]


def _questions(probe_set: Path | None, encoder: Encoder) -> Questions:
    """Return the probes of the training fold: the others are kept for reports."""
    from gateway.embeddings import embed_all, open_cache
    from gateway.profiling.probes import fold_of, load_probes
    from gateway.profiling.questions import Questions

    probes = [probe for probe in load_probes(probe_set) if fold_of(probe) == "train"]
    return Questions(probes, embed_all([probe.prompt for probe in probes], encoder, open_cache(os.environ)))


async def _interview(files: Files, model: str, questions: Questions, plan: _Plan) -> dict[int, Result]:
    from gateway.cli.asking import asking
    from gateway.profiling.interview import Interview
    from gateway.profiling.journal import Journal
    from gateway.profiling.probes import probes_digest

    done = count(1)
    async with asking(files, [model]) as opened:
        with Journal(plan.journal, probes_digest(questions.probes), opened.descriptions) as journal:
            interview = Interview(
                model, questions.probes, opened.asker, journal, lambda _: plan.progress(next(done), plan.number)
            )
            return await interview.hold(plan.choose, plan.number, AT_ONCE)


def _grid(model: str, standings: Sequence[Standing]) -> Grid:
    """Return what is expected of the model on each kind of request, and where that places it."""
    grid = Grid("task", "expected reward", "95 % interval", "place", title=model)
    *tasks, whole = standings
    for standing in tasks:
        grid.add_row(*_cells(standing))
    grid.add_section()
    grid.add_row(*_cells(whole))
    return grid


def _cells(standing: Standing) -> tuple[str, str, str, str]:
    low, high = standing.interval
    return (
        standing.task,
        f"{standing.reward.mean:.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{standing.place} of {standing.of}",
    )


def _sentence(bill: Bill) -> str:
    usd = "unknown USD" if bill.usd is None else f"{bill.usd:.3g} USD"
    tokens = f"{bill.prompt_tokens} + {bill.completion_tokens} tokens"
    return f"{bill.answers} probes answered: {usd}, {tokens}, {bill.seconds:.1f} s of waiting"
