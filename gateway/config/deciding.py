"""Builds what decides: policies, the signals that they need, and who is eligible. No model is opened for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from gateway.config.candidates import build_eligibility
from gateway.config.policies import build_policies
from gateway.config.routers import build_new_router
from gateway.config.rules import read_condition, read_projections
from gateway.config.signals import open_signals, reads_embedding
from gateway.data_class import DataClasses, DataClassRules
from gateway.deciding import Decider
from gateway.signals.encoder import EncoderError, open_encoder
from gateway.signals.extract import EMBEDDING, Signals
from gateway.signals.registry import features, signal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.files import Files
    from gateway.metrics import Metrics
    from gateway.signals.embedding import Embedder
    from gateway.signals.encoder import Encoder


def needed_signals(files: Files) -> frozenset[str]:
    """Return the signals that some policy, router, data class or the log needs. Raises `ConfigError`."""
    return frozenset(_needed(files))


def _needed(files: Files) -> Iterator[str]:
    yield from files.config.signals.log
    if (rules := class_rules(files)) is not None and rules.reads_pii:
        yield "pii"
    for file in files.policies:
        if file.config.cache is not None and file.config.cache.semantic is not None:
            yield EMBEDDING
        projections = read_projections(file, features())
        known = {**features(), **projections.provides}
        read = projections.features.union(
            *(read_condition(file, n, known).features for n in range(len(file.config.rules)))
        )
        yield from (signal_of(feature) for feature in read - projections.provides.keys() - {"text"})
        for router in file.routers():
            yield from build_new_router(router).requires


def needs_encoder(files: Files) -> bool:
    """Tell whether something reads embeddings. Raises `ConfigError`."""
    needed = needed_signals(files)
    return EMBEDDING in needed or any(reads_embedding(files, name) for name in needed - {EMBEDDING})


def open_encoder_of(files: Files) -> Encoder:
    """Open the sentence encoder that the configuration names. Raises `ConfigError`."""
    settings = files.config.signals.embedding
    try:
        return open_encoder(settings.model, threads=settings.threads)
    except EncoderError as error:
        raise files.document.error(("signals", "embedding", "model"), str(error)) from error


def encoder_digest(files: Files) -> str | None:
    """Return the digest of the sentence encoder, if one is needed. Raises `ConfigError`."""
    return open_encoder_of(files).digest if needs_encoder(files) else None


def class_rules(files: Files) -> DataClassRules | None:
    """Return what gives a request its data class; None where there are no data classes. Raises `ConfigError`."""
    config = files.config.data_classes
    if config is None:
        return None
    try:
        return DataClassRules(DataClasses(config.names), config.by_pii, config.unread, config.floor)
    except ValueError as error:
        raise files.document.error(("data_classes",), str(error)) from error


def build_decider(files: Files, embedder: Embedder | None, metrics: Metrics) -> Decider:
    """Return what decides. It reads files and fits classifiers: not for an event loop. Raises `ConfigError`.

    From then on linear algebra uses one thread in this process. A decision multiplies small matrices, for which several
    threads wait for each other: on two cores 0.4 ms become 16.
    """
    threadpool_limits(limits=1, user_api="blas")
    policies = build_policies(files, embedder.encoder.digest if embedder else None)
    signals = open_signals(files, needed_signals(files), embedder)
    return Decider(
        policies,
        Signals(signals, embedder, files.config.signals.deadline_ms / 1000, metrics),
        build_eligibility(files.config),
        class_rules(files),
        frozenset(files.config.signals.log),
    )
