"""The public keys in force: fetched beside the requests, kept while the provider is away, renewed when it rotates."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from gateway.identity.errors import JwksError, ProviderAway
from gateway.identity.signers import Signers, parse_signers

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt import PyJWK

    from gateway.identity.sources import Source

logger = logging.getLogger("pointsman")

#: Seconds after a first fetch that failed until the next one; twice as long each time, until it is `pause_s`.
FIRST_PAUSE_S: Final = 1.0


class Keyset:
    """The keys of one source.

    They are fetched every `refresh_s` seconds, and when a token names a key that is not known: then at most every
    `pause_s`. `clock` is a monotonic one.
    """

    def __init__(
        self,
        source: Source,
        algorithms: tuple[str, ...],
        *,
        refresh_s: float,
        pause_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._algorithms = algorithms
        self._refresh_s, self._pause_s = refresh_s, pause_s
        self._clock = clock
        self._fetching: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")
        self._failed = False
        self.signers: Signers | None = None

    async def watch(self) -> None:
        """Fetch the keys, and go on doing so until it is closed; the provider may be away."""
        await self._fetched()
        self._watch = asyncio.ensure_future(self._go_on())

    async def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """Return the key of that id, None where there is none; one that is not known may have been made just now.

        Raises `ProviderAway` where nobody can tell.
        """
        found = self._known(kid, algorithm)
        if found is None and (self._fetching is not None or self._clock() - self._asked_at >= self._pause_s):
            await self._fetched()
            found = self._known(kid, algorithm)
        if found is None and self._failed:
            raise ProviderAway("The identity provider does not answer: nobody can tell who signed the token.")
        return found

    async def aclose(self) -> None:
        """Stop, and let go of the source."""
        tasks = [task for task in (self._watch, self._fetching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._source.aclose()

    def _known(self, kid: str | None, algorithm: str) -> PyJWK | None:
        return None if self.signers is None else self.signers.find(kid, algorithm)

    async def _fetched(self) -> None:
        """Fetch, once for all who wait for it; who leaves does not stop it for the others."""
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._fetch())
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        self._asked_at = self._clock()
        try:
            signers = parse_signers(await self._source.read(), self._algorithms)
        except JwksError as error:
            if not self._failed:
                logger.error("jwks.refused", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all
            self._failed = True
        else:
            if self._failed:
                logger.info("jwks.back")
            self._failed, self.signers = False, signers
        finally:
            self._fetching = None

    async def _go_on(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            await asyncio.sleep(pause if self._failed else self._refresh_s)
            pause = min(2 * pause, self._pause_s) if self._failed else FIRST_PAUSE_S
            await self._fetched()
