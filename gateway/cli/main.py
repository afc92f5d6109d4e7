"""The table of subcommands, and the one place where their errors become words and an exit status."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli import (
    calibrate,
    check,
    evaluate,
    explain,
    feedback,
    key,
    learn,
    log,
    onboard,
    policy,
    profile,
    promotion,
    replay,
    schema,
    serve,
    train,
    tune,
    worker,
)
from gateway.config.loader import ConfigError
from gateway.embedding_cache import CacheError
from gateway.engines.engine import EngineError
from gateway.errors import RequestError
from gateway.feedback.files import FeedbackFileError
from gateway.onboarding import OnboardingError
from gateway.profiling.interview import InterviewError
from gateway.profiling.journal import JournalError
from gateway.profiling.probes import ProbeError
from gateway.profiling.sandbox import SandboxError
from gateway.promotion.steering import PromotionError
from gateway.signals.encoder import EncoderError
from gateway.store.base import StoreError
from gateway.tables.table import TableError
from routers.types import StateError

#: What a user can mend; anything else is a defect and shows its trace.
USER_ERRORS = (
    CacheError,
    ConfigError,
    EncoderError,
    EngineError,
    FeedbackFileError,
    InterviewError,
    JournalError,
    OnboardingError,
    ProbeError,
    PromotionError,
    RequestError,
    SandboxError,
    StateError,
    StoreError,
    TableError,
)


app = typer.Typer(
    name="pointsman",
    help="An OpenAI-compatible gateway that routes each request to the model worth its price.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.command)
app.command("worker", hidden=True)(worker.command)
app.command("check")(check.command)
app.command("explain")(explain.command)
app.add_typer(policy.app, name="policy")
app.command("profile")(profile.command)
app.command("train")(train.command)
app.command("onboard")(onboard.command)
app.command("evaluate")(evaluate.command)
app.command("tune")(tune.command)
app.command("replay")(replay.command)
app.command("learn")(learn.command)
app.command("promote")(promotion.promote)
app.command("rollback")(promotion.rollback)
app.command("status")(promotion.status)
app.command("log")(log.command)
feedback.app.command("calibration")(calibrate.command)
app.add_typer(feedback.app, name="feedback")
app.add_typer(key.app, name="key")
app.command("schema")(schema.command)


def main() -> None:
    """Run the command line; exit with 0, or 1 with a line on standard error for each thing that is wrong."""
    try:
        app()
    except USER_ERRORS as error:
        console = Console(stderr=True, soft_wrap=True)
        for line in str(error).splitlines():
            console.print(f"[bold red]error:[/] {escape(line)}", highlight=False)
        sys.exit(1)
