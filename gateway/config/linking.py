"""Opens a link to Redis for a command; a gateway that serves has its own."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.config.models import RedisConfig
    from gateway.sharing.link import Link

#: Seconds that a command waits for an answer: no request waits with it.
PATIENCE_S: Final = 5.0


def open_link(config: RedisConfig | None) -> Link | None:
    """Return the link, None where no Redis is named. Nothing is sent yet. It is used on one event loop only."""
    if config is None:
        return None
    module = import_module("gateway.sharing.link")  # nothing else needs Redis' client
    timeout_s = max(PATIENCE_S, config.timeout_ms / 1000)
    link: Link = module.Link(config.url.get_secret_value(), prefix=config.prefix, timeout_s=timeout_s)
    return link
