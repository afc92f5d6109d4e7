"""Those who listen to requests and answers: what outlives a configuration, and listeners by the rules of each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.config.listening import implicit_rules, judging_rules, limit_members, open_memory
from gateway.implicit.listener import ImplicitListener
from gateway.implicit.watch import Watch
from gateway.judging.asking import Asking
from gateway.judging.judging import Judging

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.backend import Backend
    from gateway.config.models import GatewayConfig
    from gateway.deciding import World
    from gateway.events import Feedback
    from gateway.implicit.ear import Listener
    from gateway.implicit.memory import Memory
    from gateway.judging.budget import Budget
    from gateway.metrics import Metrics
    from gateway.recorder import Recorder

    Shared = Callable[[float, bytes], Memory]


class Listening:
    """Remembers what was asked, and records what is found out.

    `shared` opens a memory with others, where there are any, by how long it remembers and with which key; `budget`
    counts the money of judging.
    """

    def __init__(
        self, recorder: Recorder, metrics: Metrics, world: World, shared: Shared | None, budget: Budget
    ) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._world = world
        self._shared = shared
        self._budget = budget
        self._remembered: tuple[object, ...] = ()
        self._watch: Watch | None = None
        self._watching: asyncio.Task[None] | None = None

    def listeners(self, config: GatewayConfig, backends: Mapping[str, Backend]) -> tuple[Listener, ...]:
        """Return those who listen by a configuration."""
        found: list[Listener] = []
        if config.implicit.enabled:
            found.append(ImplicitListener(self._watch_by(config), implicit_rules(config.implicit)))
        if config.judging is not None:
            rules, world = judging_rules(config.judging), self._world
            asking = Asking(
                backends, limit_members(config), world.fleet, self._metrics, world.rng, timeout_s=rules.timeout_s
            )
            found.append(Judging(rules, asking, self._budget, self.tell))
        return tuple(found)

    async def aclose(self) -> None:
        """Look at what has been noted, and end."""
        if self._watch is not None and self._watching is not None:
            settled = asyncio.ensure_future(self._watch.settle())
            # A watch that has ended by a defect would never settle.
            await asyncio.wait({settled, self._watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in (settled, self._watching):
                task.cancel()
            await asyncio.gather(settled, self._watching, return_exceptions=True)

    def _watch_by(self, config: GatewayConfig) -> Watch:
        """Return the watch; with another key, or another time to remember, it begins with an empty memory."""
        remembered = (config.implicit.window_s, config.implicit.key)
        if self._watch is None:
            self._watch = Watch(self._memory(config), self.tell, self._metrics.overheard_dropped.inc)
            self._watching = asyncio.ensure_future(self._watch.run())
        elif remembered != self._remembered:
            self._watch.memory = self._memory(config)
        self._remembered = remembered
        return self._watch

    def _memory(self, config: GatewayConfig) -> Memory:
        return open_memory(config.implicit, self._shared)

    def tell(self, feedback: Feedback) -> None:
        """Record feedback, and count it; where it is known already, it is stored no second time."""
        self._recorder.record(feedback)
        self._metrics.feedback.labels(feedback.kind).inc()
        if feedback.kind == "implicit":
            self._metrics.implicit_feedback.labels(feedback.name or "").inc()
