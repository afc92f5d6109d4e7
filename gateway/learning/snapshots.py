"""What was learned, as folders that gateways load: each is there whole or not at all, and is never changed."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from routers.state import read_manifest
from routers.types import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Snapshots of each router that stay on disk, the newest; a gateway may be reading one.
KEPT: Final = 5
#: What a snapshot says of itself; the router's own files are beside it.
LABEL: Final = "learned.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Label:
    """What a snapshot is: the digest of its subject, and what it was learned from.

    `content` tells what went in: the same content is not written twice. `rows` are answers, `latest` is the time of the
    latest one in microseconds since 1970.
    """

    digest: str
    content: str
    rows: int
    latest: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what a snapshot says of itself. Raises `StateError`."""
        path = folder / LABEL
        try:
            found: Any = json.loads(path.read_bytes())
            if found["format"] != FORMAT:
                raise StateError(f"{path} has format {found['format']!r}, this version reads {FORMAT}")
            return cls(str(found["digest"]), str(found["content"]), int(found["rows"]), int(found["latest"]))
        except OSError as error:
            raise StateError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"{path} is damaged: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A version of what one router has learned. `state` is the sha256 of it."""

    version: int
    folder: Path
    label: Label
    state: str


class Snapshots:
    """The snapshots of a log, in a folder for each router. One learner writes, any number of gateways read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def versions(self, name: str) -> list[int]:
        """Return the versions of a router's snapshots, the newest last."""
        try:
            found = [entry.name for entry in self._of(name).iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(entry) for entry in found if entry.isdecimal())

    def newest(self, name: str) -> Snapshot | None:
        """Return the newest snapshot of a router; None where there is none. Raises `StateError`."""
        versions = self.versions(name)
        return self.read(name, versions[-1]) if versions else None

    def read(self, name: str, version: int) -> Snapshot:
        """Return a snapshot by what it says of itself; its state is not read yet. Raises `StateError`."""
        folder = self._of(name) / str(version)
        return Snapshot(version, folder, Label.read(folder), read_manifest(folder).sha256)

    def write(self, name: str, label: Label, save: Callable[[Path], None]) -> int:
        """Add a snapshot, which `save` writes into the folder that it is given; return its version.

        Old ones are deleted. Raises `OSError`, and what `save` raises.
        """
        versions = self.versions(name)
        version = versions[-1] + 1 if versions else 1
        unfinished = self._of(name) / ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        save(unfinished)
        with (unfinished / LABEL).open("w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, **asdict(label)}, file)
            file.flush()
            os.fsync(file.fileno())
        _sync(unfinished)
        unfinished.rename(self._of(name) / str(version))
        _sync(self._of(name))
        for old in versions[: -KEPT + 1]:
            shutil.rmtree(self._of(name) / str(old))
        return version

    def _of(self, name: str) -> Path:
        return self._folder / quote(name, safe="")


def _sync(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
