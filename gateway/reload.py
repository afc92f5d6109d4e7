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
        files = _watched(gateway)
        # Folders are watched, not files: editors and ConfigMaps replace files by renaming others over them.
        folders = {_existing(path.parent) for path in files}
        # Without a filter of its own it leaves out what lies below folders such as `.venv` or `node_modules`.
        async for _ in awatch(*folders, watch_filter=_Concerned(files), recursive=False, step=100):
            await gateway.reload()
            if _watched(gateway) != files or {_existing(path.parent) for path in files} != folders:
                break  # another set of files to watch


def _watched(gateway: Gateway) -> list[Path]:
    """Return the files whose change matters, and the gateway's as it was given: a link lies elsewhere than its file."""
    return [gateway.path.absolute(), *gateway.files.watched()]


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return folder if folder.exists() else _existing(folder.parent)


class _Concerned:
    """Tells whether a change is to a configuration file; a ConfigMap swaps the link `..data` instead.

    What a file or folder is called decides: a folder of learned state may have just been made, or one above it. What
    else changes in these folders, such as a log, goes no further.
    """

    def __init__(self, files: list[Path]) -> None:
        folders = {path.parent for path in files}
        self._names = {"..data", *(path.name for path in files), *(folder.name for folder in folders)}
        self._names.update(name for folder in folders for name in _missing(folder))

    def __call__(self, _change: Change, path: str) -> bool:
        return path.rsplit("/", 1)[-1] in self._names


def _missing(folder: Path) -> list[str]:
    """Return the names of a folder and of those above it, as far as they are not there yet."""
    return [] if folder.exists() else [folder.name, *_missing(folder.parent)]
