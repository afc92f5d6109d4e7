"""Opens the signals that a configuration needs, with their settings."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from gateway.config.domains import open_domain
from gateway.deciding import ALWAYS
from gateway.signals.difficulty import DifficultySignal
from gateway.signals.encoder import BUILT_IN
from gateway.signals.extract import EMBEDDING
from gateway.signals.keywords import KeywordLists, Keywords
from gateway.signals.length import Length
from gateway.signals.metadata import Metadata
from gateway.signals.registry import signal_class
from gateway.signals.safety import GuardCascade, JailbreakClassifier, SafetySignal
from gateway.signals.time_window import Time, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.config.files import Files
    from gateway.config.loader import Place
    from gateway.config.signal_models import WindowConfig
    from gateway.signals.base import Signal
    from gateway.signals.embedding import Embedder

    Open = Callable[[Files, Embedder | None], Signal]


def open_signals(files: Files, needed: frozenset[str], embedder: Embedder | None) -> list[Signal]:
    """Return the signals that are needed, ready to be read; the embedder's encoder embeds the examples of domains.

    Raises `ConfigError`, with the line of the section, where a signal's settings cannot be used.
    """
    return [_open(files, name, embedder) for name in sorted((ALWAYS | needed) - {EMBEDDING})]


def reads_embedding(files: Files, name: str) -> bool:
    """Tell whether a signal, with its settings, reads the embedding."""
    if name == "safety":
        return files.config.signals.safety.cascade
    return signal_class(name).reads_embedding


def _open(files: Files, name: str, embedder: Embedder | None) -> Signal:
    place: Place = ("signals", name)
    try:
        return _OPENED[name](files, embedder) if name in _OPENED else signal_class(name)()
    except (ValueError, OSError) as error:
        raise files.document.error(place, str(error)) from error


def _length(files: Files, _: Embedder | None) -> Signal:
    settings = files.config.signals.length
    return Length(tokenizer=settings.tokenizer, family=settings.family)


def _domain(files: Files, embedder: Embedder | None) -> Signal:
    if embedder is None:
        raise ValueError("domains are told by embeddings, and nothing embeds")
    return open_domain(files, embedder.recall)


def _difficulty(files: Files, _: Embedder | None) -> Signal:
    return DifficultySignal(encoder=files.config.signals.embedding.model)


def _safety(files: Files, _: Embedder | None) -> Signal:
    settings = files.config.signals.safety
    if not settings.cascade:
        return SafetySignal()
    if files.config.signals.embedding.model not in BUILT_IN:
        raise ValueError("the cascade reads vectors of the encoder 'minilm': set signals.embedding.model to it")
    guard = JailbreakClassifier.load()
    return SafetySignal(GuardCascade(guard, guard, settings.low, settings.high), reads_embedding=True)


def _keywords(files: Files, _: Embedder | None) -> Signal:
    return KeywordLists(
        [
            Keywords(name, words.any, words.regex, words.all, words.case_sensitive, words.scope)
            for name, words in files.config.signals.keywords.items()
        ]
    )


def _metadata(files: Files, _: Embedder | None) -> Signal:
    return Metadata(headers=files.config.signals.metadata.headers)


def _time(files: Files, _: Embedder | None) -> Signal:
    settings = files.config.signals.time
    return Time(zone=settings.zone, windows=[_window(name, one) for name, one in settings.windows.items()])


def _window(name: str, config: WindowConfig) -> Window:
    start, end = time.fromisoformat(config.opens), time.fromisoformat(config.closes)
    return Window(name, start, end, config.days, config.first, config.last)


_OPENED: Mapping[str, Open] = {
    "difficulty": _difficulty,
    "domain": _domain,
    "keywords": _keywords,
    "length": _length,
    "metadata": _metadata,
    "safety": _safety,
    "time": _time,
}
