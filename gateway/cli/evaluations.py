"""What `evaluate` and `tune` share: options, what embeds, and how they speak."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.progress import progress_bar
from gateway.evaluation.problem import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.files import Files
    from gateway.engines.engine import Engine
    from gateway.evaluation.bench import Embed
    from routers.types import FloatArray

#: How wide a report's table is where nobody says how wide the screen is.
WIDTH = 160

Tables = Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Outcome tables (Parquet, CSV or JSON lines).")]
Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="The gateway's YAML file, for its policies and its encoder.")
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", help="serial, processes, processes:N, dask, or a scheduler's address; default: processes."
    ),
]
Jobs = Annotated[int | None, typer.Option(metavar="N", help="Short for --engine processes:N; 1 is serial.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report itself, and all else on standard error.")]


@contextmanager
def refusals() -> Iterator[None]:
    """Print what cannot be done as asked, and exit with 2."""
    try:
        yield
    except EvaluationError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(2) from error


def screen(*, as_json: bool) -> Console:
    """Return where a report's tables are printed, wide enough for them."""
    console = Console(stderr=as_json)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def embedder(files: Files | None, engine: Engine) -> Embed:
    """Return what turns texts into vectors, remembering them, with the engine's workers."""
    from gateway.config.deciding import open_encoder_of
    from gateway.embeddings import embed_all, open_cache
    from gateway.signals.encoder import open_encoder

    encoder = open_encoder_of(files) if files else open_encoder("minilm")
    cache = open_cache(os.environ)

    def embed(texts: Sequence[str]) -> FloatArray:
        with progress_bar("embedding") as progress:
            return embed_all(texts, encoder, cache, progress, engine)

    return embed
