"""Promotions as a command finds them, whether a gateway runs or not: in the log, and in Redis where there is one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from gateway.application import open_store
from gateway.config.feedback import reward_rules
from gateway.config.linking import open_link
from gateway.config.loader import ConfigError
from gateway.config.promotions import rules_of, version_of
from gateway.promotion.following import Following
from gateway.promotion.progress import Progress
from gateway.promotion.register import LogRegister
from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.config.files import Files
    from gateway.events import Event
    from gateway.promotion.register import Register
    from gateway.promotion.types import Rules, Standing
    from gateway.sharing.link import Link
    from gateway.store.base import Store


class DirectLog:
    """Appends to a log that is open, in a thread."""

    def __init__(self, log: Store) -> None:
        self._log = log

    async def record_durably(self, event: Event) -> bool:
        """Return once an event is on disk: True if it was new. Raises `StoreError`."""
        (new,) = await asyncio.to_thread(self._log.append, [event])
        return new


def all_rules(files: Files) -> list[Rules]:
    """Return the rules of every promotion of a configuration."""
    by_name = {file.config.name: file for file in files.policies}
    return [
        rules_of(name, config, version_of(config.candidate, by_name))
        for name, file in by_name.items()
        if (config := file.config.promotion) is not None
    ]


def rules_named(files: Files, policy: str) -> Rules:
    """Return the rules of one policy's promotion. Raises `ConfigError` where it has none."""
    files.policy(policy)
    found = next((rules for rules in all_rules(files) if rules.policy == policy), None)
    if found is None:
        document = files.policy(policy).document
        raise ConfigError(document.at((), "has no candidate: write `promotion: {candidate: NAME}`"))
    return found


@asynccontextmanager
async def opened(files: Files, *, read_only: bool) -> AsyncIterator[tuple[Register, Store]]:
    """Open where it is written down how far candidates have come. Raises `ConfigError` and `StoreError`."""
    if files.config.store.type == "memory":
        said = "a log in memory is the gateway's alone: use its admin API (GET, POST /admin/promotions)"
        raise files.document.error(("store",), said)
    link = open_link(files.config.redis)
    log = await asyncio.to_thread(lambda: open_store(files, read_only=read_only))
    try:
        yield _register(link, log), log
    finally:
        await asyncio.to_thread(log.close)
        if link is not None:
            await link.aclose()


async def read_sums(files: Files, rules: Rules, standing: Standing | None, register: Register, log: Store) -> Sums:
    """Return the evidence of a promotion's present run. Raises `StoreError`."""
    if standing is None or not standing.tested:
        return Sums()
    if register.shared:
        return await register.exchange(rules.policy, standing.run, None) or Sums()
    progress = Progress(rules, reward_rules(files.config.feedback))
    progress.stand(standing)
    await Following(log).restore(progress, progress.tally.count)
    return progress.tally.sums


def _register(link: Link | None, log: Store) -> Register:
    if link is None:
        return LogRegister(DirectLog(log), log)
    module = import_module("gateway.sharing.promotions")
    register: Register = module.SharedRegister(link, "", DirectLog(log), log)
    return register
