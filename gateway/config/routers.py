"""Turns routers as written into routers, with what they have learned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.config.gates import give_encoder
from gateway.config.loader import did_you_mean
from gateway.signals.registry import SIGNALS
from routers.options import ComponentError
from routers.registry import build_router
from routers.state import read_manifest
from routers.types import Naming, StateError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.config.files import WrittenRouter
    from gateway.config.loader import Place
    from routers.state import Manifest
    from routers.types import Router


def build_new_router(written: WrittenRouter) -> Router:
    """Return a router that has learned nothing yet. Raises `ConfigError` where it cannot be built."""
    try:
        router = build_router(written.spec, _path(written.place))
    except ComponentError as error:
        raise written.document.error(_place(error.path), error.problem) from error
    if missing := router.requires - SIGNALS:
        raise written.document.error(written.place, f"needs the signals {sorted(missing)}, which nothing provides")
    give_encoder(router)
    return router


def build_router_of(written: WrittenRouter) -> Router:
    """Return a router, with what it has learned so far, if anything.

    Raises `ConfigError` where the router cannot be built, or its state cannot be read.
    """
    router = build_new_router(written)
    if written.state.exists():
        try:
            router.load(written.state)
        except StateError as error:
            raise written.document.error(written.place, str(error)) from error
    return router


def checked_router(written: WrittenRouter, pool: Collection[str], encoder_digest: str | None) -> Router:
    """Return a router that is ready to serve.

    Raises `ConfigError`, also where its state was made with another encoder than the one in use, and where its options
    name a model that is not in the pool.
    """
    router = build_router_of(written)
    learned = manifest_of(written)
    if learned is not None and "embedding" in router.requires and learned.encoder != encoder_digest:
        raise written.document.error(
            written.place,
            f"the state in {written.state} was fitted with another encoder ({learned.encoder}) than the one in use "
            f"({encoder_digest}): run `pointsman train` again, or set signals.embedding.model back",
        )
    check_names(written, router, pool)
    return router


def check_names(written: WrittenRouter, router: Router, pool: Collection[str]) -> None:
    """Raise `ConfigError` where the router's options name a model that is not in the pool."""
    if isinstance(router, Naming) and (strangers := router.named - set(pool)):
        stranger = min(strangers)
        raise written.document.error(
            written.place, f"{stranger!r} is not in the pool; {did_you_mean(stranger, sorted(pool))}"
        )


def manifest_of(written: WrittenRouter) -> Manifest | None:
    """Return what the learned state says of itself; None where there is none. Raises `ConfigError`."""
    if not written.state.exists():
        return None
    try:
        return read_manifest(written.state)
    except StateError as error:
        raise written.document.error(written.place, str(error)) from error


def _path(place: Place) -> str:
    """Return a place as components write it: `rules[2].router`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def _place(path: str) -> Place:
    """Return where in a document the path of a component is: `router.estimator.members[1]` has an index."""
    steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)
    return tuple(int(index) if index else key for index, key in steps)
