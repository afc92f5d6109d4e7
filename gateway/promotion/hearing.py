"""A way to the log that tells of what passes: who tests versions hears of requests as they end, also without a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.recorder import Recorder

if TYPE_CHECKING:
    from gateway.events import Event
    from gateway.promotion.promotions import Promotions
    from gateway.store.base import Store


class HeardRecorder(Recorder):
    """A recorder whose events promotions hear of; the options are a recorder's."""

    def __init__(self, store: Store, *, promotions: Promotions, **options: Any) -> None:
        super().__init__(store, **options)
        self._promotions = promotions

    def record(self, event: Event) -> None:
        """Queue an event, and tell of it; see `Recorder.record`."""
        super().record(event)
        if self._promotions.progresses:
            self._promotions.hear((event,))
