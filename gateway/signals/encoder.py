"""What turns text into vectors, and how to open it by name."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.resources.abc import Traversable

    import numpy as np
    from numpy.typing import NDArray

#: The names of the encoder that comes with the package.
BUILT_IN = frozenset({"minilm", "all-MiniLM-L6-v2"})
#: What the other encoders are made of; none of it comes with a plain installation.
EXTRA = frozenset({"sentence_transformers", "torch", "transformers"})
#: Text is cut at this many characters for each token that an encoder reads: what follows would be truncated
#: anyway, and a prompt of megabytes would cost its tokenisation. English has about five characters a token.
CHARACTERS_PER_TOKEN = 32


class EncoderError(Exception):
    """An encoder cannot be opened; the message names it and the remedy."""


class Encoder(Protocol):
    """Turns texts into unit vectors. It may be called from any thread, by one at a time."""

    @property
    def name(self) -> str:
        """Return the name that it was opened by."""
        ...

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""
        ...

    @property
    def digest(self) -> str:
        """Identify weights, tokeniser and truncation: vectors of different digests do not compare."""
        ...

    @property
    def max_tokens(self) -> int:
        """Return how many tokens of a text it reads; the rest is ignored."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors `[n, dimension]`, a row a text. Any string will do, at any length."""
        ...


class Quick(Protocol):
    """An encoder for some texts of which an event loop need not wait; it may be called by several at a time."""

    def is_quick(self, text: str) -> bool:
        """Tell whether a text is encoded sooner than it is handed over to another thread."""
        ...


class Partial(Protocol):
    """An encoder that says what it reads of a text: two of which it reads the same have the same vector."""

    def read(self, text: str) -> str:
        """Return what it reads of a text."""
        ...


def quickness_of(encoder: Encoder) -> Callable[[str], bool]:
    """Return what tells whether a text is quick to encode; none is where the encoder does not say."""
    quick: Callable[[str], bool] = getattr(encoder, "is_quick", _never)
    return quick


def reading_of(encoder: Encoder) -> Callable[[str], str]:
    """Return what tells how much of a text is read; all of it where the encoder does not say."""
    read: Callable[[str], str] = getattr(encoder, "read", str)
    return read


def _never(text: str) -> bool:
    del text
    return False


def open_encoder(name: str, *, threads: int = 1) -> Encoder:
    """Open an encoder: `minilm` and `static` are built in, any other is a sentence-transformers model or its folder.

    Raises `EncoderError` where it is damaged or cannot be had. It reads files of many megabytes: not for an
    event loop.
    """
    if name in BUILT_IN:
        built_in: Encoder = import_module("gateway.signals.minilm_encoder").MiniLMEncoder(threads=threads)
        return built_in
    if name == "static":
        static: Encoder = import_module("gateway.signals.static_encoder").StaticEncoder()
        return static
    try:
        module = import_module("gateway.signals.sentence_transformer_encoder")
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        raise EncoderError(
            f"the encoder {name!r} needs {error.name}, which is not installed: "
            "pip install 'pointsman[sentence-transformers]', or use the encoder 'minilm' or 'static'"
        ) from error
    encoder: Encoder = module.SentenceTransformerEncoder(name, threads=threads)
    return encoder


def legible(text: str, max_tokens: int) -> str:
    """Return as much of a text as `max_tokens` tokens can cover, without what UTF-8 cannot express."""
    return text[: max_tokens * CHARACTERS_PER_TOKEN].encode(errors="ignore").decode()


def verified(file: Traversable, sha256: str) -> bytes:
    """Return a file of an encoder. Raises `EncoderError` where it is missing, or is not the one that is meant."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise EncoderError(f"the encoder's {file.name} cannot be read: {error}; install pointsman again") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise EncoderError(
            f"the encoder's {file.name} is damaged: its sha256 is {found}, not {sha256}; install pointsman again"
        )
    return content
