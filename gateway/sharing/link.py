"""The connection to Redis. Redis may be slow or gone at any moment: whoever asks it hears so quickly, and goes on."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger("pointsman")

Answer = TypeVar("Answer")

#: Seconds after a failure in which Redis is not asked: nobody shall wait for it again and again.
REST_S: Final = 0.5
#: Connections at most; who finds none free waits for one, as long as for an answer.
CONNECTIONS: Final = 32


class Link:
    """One pool of connections. Keys begin with `prefix`; `timeout_s` is how long an answer may take.

    `on_change` is told when Redis is lost (False) and when it answers again (True); it is called on the event loop
    and must neither block nor raise.
    """

    def __init__(
        self, url: str, *, prefix: str, timeout_s: float, on_change: Callable[[bool], None] = lambda _: None
    ) -> None:
        self.prefix = prefix
        self.timeout_s = timeout_s
        self._on_change = on_change
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            # Once: a connection that was kept may have been lost by a restart of the server, which a new one mends.
            retry=Retry(NoBackoff(), 1),
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._answers = True
        self._rests_until = 0.0

    @property
    def answers(self) -> bool:
        """Tell whether Redis answered when it was asked last."""
        return self._answers

    async def ask(self, command: Callable[[Redis], Awaitable[Answer]]) -> Answer:
        """Return what Redis answers to a command. Raises `RedisAway`, at once while it rests after a failure."""
        if time.monotonic() < self._rests_until:
            raise RedisAway("Redis did not answer a moment ago")
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await command(self._redis)
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = time.monotonic() + REST_S
            self._note(answers=False, reason=f"{type(error).__name__}: {error}")
            raise RedisAway(f"Redis did not answer: {type(error).__name__}") from error
        self._note(answers=True)
        return answer

    async def aclose(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    def _note(self, *, answers: bool, reason: str = "") -> None:
        if answers == self._answers:
            return
        self._answers = answers
        if answers:
            logger.info("redis.back")
        else:
            logger.error("redis.away", extra={"reason": reason})
        self._on_change(answers)
