"""`pointsman check`: is a configuration good?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.options import DEFAULT_CONFIG


def command(
    config: Annotated[Path, typer.Argument(help="The gateway's YAML file.")] = DEFAULT_CONFIG,
) -> None:
    """Check a configuration without serving: names, values, references, policies, learned state."""
    from gateway.config.candidates import build_candidates
    from gateway.config.deciding import encoder_digest
    from gateway.config.files import read_files
    from gateway.config.policies import build_policies

    files = read_files(config, os.environ)
    policies = build_policies(files, encoder_digest(files))
    console = Console(soft_wrap=True)
    for name, policy in policies.policies.items():
        pool = ", ".join(candidate.model for candidate in policy.pool)
        console.print(f"policy {escape(name)}: {escape(pool)}", highlight=False)
    for name, (candidate, tariff) in build_candidates(files.config).items():
        if tariff is None:
            console.print(f"[yellow]warning:[/] model {escape(name)}: its price is unknown, so its cost will be too")
        if candidate.context_window is None:
            console.print(f"[yellow]warning:[/] model {escape(name)}: its context window is unknown")
    console.print(f"{escape(str(config))}: good", highlight=False)
