"""`pointsman schema`: the JSON Schemas of the configuration files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Where `schema.json` and `policy.schema.json` are written.")] = Path(
        "configs"
    ),
) -> None:
    """Write the JSON Schemas of the gateway's file and of policy files."""
    from gateway.config.schema import schemas

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
        typer.echo(folder / name)
