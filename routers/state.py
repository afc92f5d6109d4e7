"""What a router learned, on disk: `state.npz` holds arrays, `state.json` says what they are.

Nothing is pickled. The same content gives the same bytes, so a version control system sees no change
where there is none. Each file is replaced whole, the manifest last; a reader that comes between the two
finds that the digest does not match, and is told so.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.types import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

#: The format that this version writes, and the only one that it reads.
FORMAT = 1
ARRAYS = "state.npz"
MANIFEST = "state.json"

_REMEDY = "run `pointsman train` to write it anew"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can state


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the arrays are: the router's kind, its models, and where they came from.

    `encoder` is the digest of what made the embeddings; `metadata` is the caller's (the table's digest,
    the time of fitting). `sha256` is that of the arrays' file, set when it is written.
    """

    router: str
    models: tuple[str, ...]
    encoder: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""


def save_state(directory: Path, arrays: Mapping[str, NDArray[np.generic]], manifest: Manifest) -> None:
    """Write both files, creating the folder. Raises `ValueError` for an array of objects."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = _pack(arrays)
    content = {"format": FORMAT} | asdict(replace(manifest, sha256=sha256(archive).hexdigest()))
    _replace(directory / ARRAYS, archive)
    _replace(directory / MANIFEST, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def load_state(directory: Path, router: str) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of a router of that kind. Raises `StateError` where they are not there or not whole."""
    manifest = read_manifest(directory)
    if manifest.router != router:
        raise StateError(f"{directory / MANIFEST} was written by {manifest.router!r}, not {router!r}; {_REMEDY}")
    path = directory / ARRAYS
    archive = _read(path)
    if sha256(archive).hexdigest() != manifest.sha256:
        raise StateError(f"{path} is damaged: its sha256 is not the one in {MANIFEST}; {_REMEDY}")
    try:
        return _unpack(archive)
    except (ValueError, zipfile.BadZipFile) as error:
        raise StateError(f"{path} is damaged: {error}; {_REMEDY}") from error


def read_manifest(directory: Path) -> Manifest:
    """Read what the folder holds, without the arrays. Raises `StateError`."""
    path = directory / MANIFEST
    try:
        content = json.loads(_read(path))
    except ValueError as error:
        raise StateError(f"{path} is damaged: {error}; {_REMEDY}") from error
    if not isinstance(content, dict) or "format" not in content:
        raise StateError(f"{path} is damaged: it states no format; {_REMEDY}")
    if content["format"] != FORMAT:
        raise StateError(f"{path} has format {content['format']!r}, this version reads {FORMAT}; {_REMEDY}")
    return _manifest(path, content)


def _manifest(path: Path, content: Mapping[str, Any]) -> Manifest:
    try:
        return Manifest(
            router=str(content["router"]),
            models=tuple(str(model) for model in content["models"]),
            encoder=None if content["encoder"] is None else str(content["encoder"]),
            metadata={str(key): str(value) for key, value in content["metadata"].items()},
            sha256=str(content["sha256"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{path} is damaged: {error!r}; {_REMEDY}") from error


def _pack(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Return an npz file whose bytes depend on the arrays alone: `np.savez` promises nothing of its times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is written
            content = io.BytesIO()
            np.save(content, arrays[name], allow_pickle=False)
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def _unpack(archive: bytes) -> dict[str, NDArray[np.generic]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as entries:
        return {
            entry.removesuffix(".npy"): np.load(io.BytesIO(entries.read(entry)), allow_pickle=False)
            for entry in entries.namelist()
        }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StateError(f"{path} cannot be read ({error.strerror}); {_REMEDY}") from error


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
