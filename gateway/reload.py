"""Takes a changed configuration while the gateway runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from watchfiles import awatch

if TYPE_CHECKING:
    from pathlib import Path

    from watchfiles import Change

    from gateway.application import Gateway

logger = logging.getLogger("pointsman")


async def watch_files(gateway: Gateway) -> None:
    """Reload whenever one of the configuration's files changes, until cancelled.

    Where files can no longer be watched, the log says so; SIGHUP still reloads. Of several workers one watches for all.
    """
    if not gateway.leads:
        return
    try:
        await _watch(gateway)
    except OSError as error:
        logger.error("config.unwatched", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all


async def _watch(gateway: Gateway) -> None:
    while True:
        files = gateway.files.watched()
        # Folders are watched, not files: editors and ConfigMaps replace files by renaming others over them.
        folders = {_existing(path.parent) for path in files}
        async for changes in awatch(*folders, recursive=False, step=100):
            if _concerns(changes, files):
                await gateway.reload()
            if gateway.files.watched() != files or {_existing(path.parent) for path in files} != folders:
                break  # another set of files to watch


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return folder if folder.exists() else _existing(folder.parent)


def _concerns(changes: set[tuple[Change, str]], files: list[Path]) -> bool:
    """Tell whether a change is to a configuration file; a ConfigMap swaps the link `..data` instead.

    What a file or folder is called decides: a folder of learned state may have just been made.
    """
    names = {name for path in files for name in (path.name, path.parent.name)} | {"..data"}
    return any(changed.rsplit("/", 1)[-1] in names for _, changed in changes)
