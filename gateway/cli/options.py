"""Options that several subcommands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("configs/gateway.yaml")

Config = Annotated[Path, typer.Option("--config", "-c", help="The gateway's YAML file.", show_default=True)]
LogLevel = Annotated[str, typer.Option(help="Least important log lines to show: debug, info, warning, error.")]
