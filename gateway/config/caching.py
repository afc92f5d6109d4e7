"""Turns what is written about the cache into rules, a shelf, and what identifies models."""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from typing import TYPE_CHECKING, Final

from gateway.caching.caching import Caching
from gateway.caching.memory import MemoryShelf
from gateway.caching.types import CacheRules, Semantic, Sight
from routers.efforts import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.caching.shelf import Shelf
    from gateway.caching.types import Counts
    from gateway.config.cache_models import CacheConfig, PolicyCacheConfig
    from gateway.config.loader import Document
    from gateway.config.models import GatewayConfig
    from gateway.sharing.link import Link
    from gateway.signals.encoder import Encoder

#: From which cosine on two questions are the same, by how far their words may differ: measured in docs/caching.md.
THRESHOLDS: Final = {"same": 0.85, "free": 0.95}

#: What of an endpoint may change without its answers being others.
_CHANGING: Final = {"api_key", "concurrency", "health_check", "proxy", "threads", "parallel"}


def cache_rules(config: PolicyCacheConfig | None) -> CacheRules | None:
    """Return what a policy says of its answers; None where it wants no cache."""
    if config is None:
        return None
    semantic = config.semantic
    return CacheRules(
        exact=config.exact,
        semantic=Semantic(semantic.threshold or THRESHOLDS[semantic.wording], semantic.wording) if semantic else None,
        ttl_s=config.ttl_s,
        scope=config.scope,
        tools=config.tools,
        zero=config.temperature == "zero",
        cut=config.cut,
    )


def open_shelf(config: CacheConfig, link: Link | None) -> Shelf:
    """Return where answers are kept. Raises `ValueError` for a shelf in Redis without a link to it."""
    if config.store == "memory":
        return MemoryShelf(config.max_bytes)
    if link is None:
        raise ValueError("a cache in Redis needs a link to it")
    shelf: Shelf = import_module("gateway.caching.redis_shelf").RedisShelf(link, config.max_bytes)
    return shelf


def build_caching(config: GatewayConfig, shelf: Shelf, encoder: Encoder | None, counts: Counts) -> Caching:
    """Return the cache of a configuration; without an encoder nothing is compared by its meaning."""
    sight = Sight(encoder.digest, encoder.max_tokens) if encoder else None
    return Caching(shelf, identities(config), sight, config.cache.max_answer_bytes, counts)


def identities(config: GatewayConfig) -> dict[str, str]:
    """Return what stands behind each model's name: a digest of its endpoints, without secrets, and its names there."""
    return {name: _digest(list(_behind(config, name))) for name in config.models}


def _behind(config: GatewayConfig, name: str) -> Iterator[tuple[object, str]]:
    model, (base, effort) = config.models[name], split(name)
    for place in model.reached:
        endpoint = config.providers[place.provider].model_dump(mode="json", exclude=_CHANGING)
        yield endpoint, "@".join(part for part in (place.name or model.name or base, str(effort)) if part)


def wrong_cache(cache: CacheConfig, document: Document, *, redis: bool) -> Iterator[str]:
    """Yield a line where the cache is to be in Redis and there is none."""
    if cache.store == "redis" and not redis:
        yield document.at(("cache", "store"), "'redis' needs the section redis, which says where it is")


def _digest(part: object) -> str:
    return hashlib.blake2b(json.dumps(part, sort_keys=True).encode(), digest_size=16).hexdigest()
