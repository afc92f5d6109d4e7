"""`pointsman check`: is a configuration good, and does it mean what it seems to mean?"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from gateway.checking.finding import Finding
    from gateway.config.files import Files
    from gateway.policy import Policies


def command(
    config: Annotated[Path, typer.Argument(help="The gateway's YAML file.")] = DEFAULT_CONFIG,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 also where there are warnings.")] = False,
) -> None:
    """Check a configuration without serving: names, values, references, policies, learned state.

    What can be used but hardly can be meant is a warning: rules that never match, models that nobody comes to,
    requests that will be refused, prices that are needed and unknown.
    """
    from gateway.config.files import read_files

    files = read_files(config, os.environ)
    policies, found = asyncio.run(_check(files))
    console = Console(soft_wrap=True)
    for name, policy in policies.policies.items():
        pool = ", ".join(candidate.model for candidate in policy.pool)
        console.print(f"policy {escape(name)}: {escape(pool)}", highlight=False)
    for finding in found:
        console.print(escape(str(finding)).replace("warning:", "[yellow]warning:[/]", 1), highlight=False)
    count = f", with {len(found)} warning{'s' if len(found) > 1 else ''}" if found else ""
    console.print(f"{escape(str(config))}: good{count}", highlight=False)
    if strict and found:
        raise typer.Exit(1)


async def _check(files: Files) -> tuple[Policies, list[Finding]]:
    from gateway.checking.check import check
    from gateway.rehearsal import open_decider

    async with open_decider(files, files.config.signals.deadline_ms) as decider:
        return decider.policies, check(files, decider)
