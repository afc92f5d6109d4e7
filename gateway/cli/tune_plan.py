"""`pointsman tune --plan cascade`: choose a plan of several calls, and write it as a policy with its state."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from gateway.cli.evaluations import embedder, screen
from gateway.cli.gate import gate_of
from gateway.evaluation.problem import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.tuning.cascade import Aim, Cascading


class PlanName(StrEnum):
    """What kind of plan is tuned."""

    CASCADE = "cascade"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of it: the tables as given, the gate as written, the estimator's name, the folds, the file."""

    tables: Sequence[Path]
    gate: str | None
    routers: Sequence[str]
    aim: Aim
    train_fold: str
    report_on: str | None
    config: Path | None
    out: Path
    name: str


def tune_plan(wanted: Wanted, engine: str, *, as_json: bool) -> None:
    """Choose, write the policy and its state, and say what was found. Raises `EvaluationError` and `TableError`."""
    from gateway.tuning.cascade import build
    from gateway.tuning.cascade_policy import document, policy_text, sentences, state_of

    found, encoder = _chosen(wanted, engine)
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"table_sha256": found.ground.sha256}
    build(found).save(state_of(wanted.out), encoder=encoder, metadata=metadata)
    text = policy_text(wanted.name, found, wanted.out, datetime.now(UTC))
    wanted.out.write_text(text, encoding="utf-8")
    console = screen(as_json=as_json)
    console.print(*sentences(found), sep="\n", highlight=False, markup=False)
    console.print(
        f"policy written to {wanted.out}, its state to {state_of(wanted.out)}", highlight=False, soft_wrap=True
    )
    if as_json:
        typer.echo(json.dumps(document(found), indent=1, allow_nan=False))


def _chosen(wanted: Wanted, engine: str) -> tuple[Cascading, str]:
    """Return what was chosen, and the digest of the encoder."""
    from gateway.config.deciding import open_encoder_of
    from gateway.config.files import read_files
    from gateway.engines.engine import open_engine
    from gateway.signals.encoder import open_encoder
    from gateway.tables.read import read_table
    from gateway.tuning.cascade import cascade
    from gateway.tuning.ground import open_ground

    gate, estimator = _gate(wanted.gate), _estimator(wanted.routers)
    if len(wanted.tables) != 1:
        raise EvaluationError(f"--plan: {len(wanted.tables)} tables; a plan is chosen on one, with its gate's verdicts")
    table = read_table(wanted.tables[0])
    files = read_files(wanted.config, os.environ) if wanted.config else None
    with open_engine(engine) as opened:
        embed = embedder(files, opened)
        ground = open_ground(table, wanted.train_fold, embed)
        unseen = open_ground(table, wanted.report_on, embed) if wanted.report_on else None
        found = cascade(ground, gate, estimator, wanted.aim, unseen)
    return found, (open_encoder_of(files) if files else open_encoder("minilm")).digest


def _gate(written: str | None) -> dict[str, object]:
    if written is None:
        raise EvaluationError("--gate: name the gate whose verdicts the table has, as `pointsman profile` was told it")
    return gate_of(written)


def _estimator(names: Sequence[str]) -> dict[str, object]:
    """Return the specification of the estimator that a plan goes by; knn, if none is named."""
    from gateway.config.loader import did_you_mean
    from routers.registry import components

    if len(names) > 1:
        raise EvaluationError(f"--router: {', '.join(names)}; a plan goes by one estimator")
    name = names[0] if names else "knn"
    if name not in (known := components("estimator")):
        raise EvaluationError(f"--router: no estimator {name!r}; {did_you_mean(name, known)}")
    return {"type": name}
