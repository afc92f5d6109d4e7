"""Opens the keys where the configuration keeps them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gateway.keys.errors import KeysAway
from gateway.keys.ring import KeyRing
from gateway.keys.sqlite import SQLiteKeyStore

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.key_models import KeysConfig
    from gateway.keys.store import KeyStore
    from gateway.sharing.link import Link


async def open_ring(config: KeysConfig, folder: Path, link: Link | None) -> KeyRing:
    """Return the keys, not yet read; a path is relative to `folder`. Whoever serves by them calls `KeyRing.watch`.

    Raises `KeysAway` where the file cannot be used, or keys are to be in Redis and there is no link to it.
    """
    return KeyRing(await _open_store(config, folder, link))


async def _open_store(config: KeysConfig, folder: Path, link: Link | None) -> KeyStore:
    if config.store == "file":
        file = SQLiteKeyStore(folder / config.path)
        await file.open()
        return file
    if link is None:
        raise KeysAway("keys are to be in Redis, and there is none: write `redis: {url: ...}`, or keys.store: file")
    store: KeyStore = import_module("gateway.keys.redis").RedisKeyStore(link)
    return store
