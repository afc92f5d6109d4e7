"""Checks that data classes are named consistently: in the ladder, by models, callers and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.loader import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.files import PolicyFile
    from gateway.config.loader import Document, Place
    from gateway.config.models import GatewayConfig


def wrong_classes(config: GatewayConfig, document: Document, policies: tuple[PolicyFile, ...]) -> Iterator[str]:
    """Yield a line for each data class that is named but does not exist."""
    known = config.data_classes.names if config.data_classes else ()
    for file, place, name in _named(config, document, policies):
        if name is not None and name not in known:
            hint = did_you_mean(name, known) if known else "there are none: write `data_classes`"
            yield file.at(place, f"no data class {name!r}; {hint}")


def _named(
    config: GatewayConfig, document: Document, policies: tuple[PolicyFile, ...]
) -> Iterator[tuple[Document, Place, str | None]]:
    for name, model in config.models.items():
        yield document, ("models", name, "clearance"), model.clearance
    for name, caller in config.callers.items():
        yield document, ("callers", name, "data_class"), caller.data_class
    if config.data_classes:
        for key in ("floor", "unread"):
            yield document, ("data_classes", key), getattr(config.data_classes, key)
        for kind, name in config.data_classes.by_pii.items():
            yield document, ("data_classes", "by_pii", kind), name
    for policy in policies:
        yield policy.document, ("data_class",), policy.config.data_class
