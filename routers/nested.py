"""The state of a router around another one, in one pair of files: the other's arrays stand under `router.`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from routers.parts import below, prefixed
from routers.state import Manifest, load_state, read_manifest, save_state
from routers.types import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routers.parts import Arrays
    from routers.types import Router

#: The array that says what kind of router is inside.
_KIND = "kind"


def save_around(
    router: Router,
    kind: str,
    arrays: Arrays,
    directory: Path,
    *,
    encoder: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the router's state and some arrays around it, as the state of a router of that kind."""
    with TemporaryDirectory() as folder:
        router.save(Path(folder), encoder=encoder, metadata=metadata)
        inner = read_manifest(Path(folder))
        state = prefixed("router", load_state(Path(folder), inner.router))
    state[_KIND] = np.array(inner.router)
    save_state(directory, {**state, **arrays}, Manifest(kind, inner.models, encoder, dict(metadata or {})))


def load_around(router: Router, kind: str, directory: Path) -> Arrays:
    """Let the router load what `save_around` wrote, and return all arrays. Raises `StateError`."""
    arrays = load_state(directory, kind)
    if _KIND not in arrays:
        raise StateError(f"{directory} lacks the array {_KIND!r}; run `pointsman train` to write it anew")
    manifest = read_manifest(directory)
    with TemporaryDirectory() as folder:
        inner = Manifest(str(arrays[_KIND]), manifest.models, manifest.encoder, manifest.metadata)
        save_state(Path(folder), below("router", arrays), inner)
        try:
            router.load(Path(folder))
        except StateError as error:
            raise StateError(str(error).replace(folder, str(directory))) from error
    return arrays
