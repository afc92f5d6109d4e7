"""What follows from each kind of failure: who is asked next, and what is spared. One table decides.

Nothing is asked again for what it refused for good, and nobody waits before somebody else is asked: only where nobody
else is left is the same asked again, after a pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Literal

from providers.errors import (
    AnswerBroken,
    ConnectFailed,
    ConnectionLost,
    ContextTooLong,
    InputUnsupported,
    KeyRefused,
    Overloaded,
    ProviderError,
    ProviderMisconfigured,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamRejected,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoRoomLeft(ProviderError):
    """The gateway itself holds the request back: the endpoint has as many as it takes, and the queue is full."""

    code: ClassVar[str] = "no_room"
    at_fault: ClassVar[bool] = False


class CutShort(ProviderTimeout):
    """The request's own time was up before the endpoint had the time that it is given: nobody knows of a fault."""

    at_fault: ClassVar[bool] = False


class QuotaSpent(ProviderError):
    """A quota does not let the request pass to this model: another may be cheaper, or have a quota of its own."""

    code: ClassVar[str] = "insufficient_quota"
    retryable: ClassVar[bool] = False
    at_fault: ClassVar[bool] = False


class OutOfBounds(ProviderError):
    """The request may take no more money, or no more calls: a model that is cheaper may be asked still."""

    code: ClassVar[str] = "bounds"
    retryable: ClassVar[bool] = False
    at_fault: ClassVar[bool] = False


class Resting(ProviderError):
    """Every endpoint has failed lately, and rests for longer than the request can wait; none is asked."""

    code: ClassVar[str] = "resting"
    at_fault: ClassVar[bool] = False


class Step(Enum):
    """Who is asked next. Every failed call is followed by one of these, or by one of the last two.

    `PLAN`: a plan of several calls is told, and goes on as it sees fit. `ESCALATED`: the client is told.
    """

    SAME = "same"
    KEY = "key"
    ENDPOINT = "endpoint"
    CANDIDATE = "candidate"
    LARGER = "larger"
    AGAIN = "again"
    PLAN = "plan"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Treatment:
    """The steps that may follow, best first, and what is spared.

    `spares` is `endpoint` or `key`: this key at this endpoint, for elsewhere it may be good. `at_once` spares an
    endpoint from its first failure on, `overload` lets it get fewer requests at once, and `rest_s` is how long a key is
    spared where the endpoint does not say.
    """

    steps: tuple[Step, ...]
    spares: Literal["endpoint", "key"] | None = None
    at_once: bool = False
    overload: bool = False
    rest_s: float = 1.0


# `AGAIN` is after a pause, where nobody else is left; `SAME` is once, at once: a connection may be lost by chance.
_ELSEWHERE = (Step.ENDPOINT, Step.CANDIDATE)

TABLE: Mapping[type[ProviderError], Treatment] = {
    ConnectFailed: Treatment((*_ELSEWHERE, Step.AGAIN), "endpoint", at_once=True),
    ConnectionLost: Treatment((Step.SAME, *_ELSEWHERE, Step.AGAIN), "endpoint"),
    ProviderTimeout: Treatment(_ELSEWHERE, "endpoint", at_once=True, overload=True),
    CutShort: Treatment(_ELSEWHERE),
    UpstreamError: Treatment((*_ELSEWHERE, Step.AGAIN), "endpoint"),
    AnswerBroken: Treatment((Step.SAME, *_ELSEWHERE, Step.AGAIN), "endpoint"),
    Overloaded: Treatment((*_ELSEWHERE, Step.AGAIN), "endpoint", overload=True),
    RateLimited: Treatment((Step.KEY, *_ELSEWHERE, Step.AGAIN), "key", overload=True),
    QuotaExhausted: Treatment((Step.KEY, *_ELSEWHERE), "key", rest_s=300.0),
    KeyRefused: Treatment((Step.KEY, *_ELSEWHERE), "key", rest_s=30.0),
    ProviderMisconfigured: Treatment(_ELSEWHERE, "endpoint", at_once=True),
    ContextTooLong: Treatment((Step.LARGER,)),
    InputUnsupported: Treatment((Step.CANDIDATE,)),
    UpstreamRejected: Treatment(()),
    NoRoomLeft: Treatment(_ELSEWHERE),
    QuotaSpent: Treatment((Step.CANDIDATE,)),
    OutOfBounds: Treatment((Step.CANDIDATE,)),
}


def treatment(error: ProviderError) -> Treatment:
    """Return what follows from a failure: the row of its class, or of the nearest one above it."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), TABLE[UpstreamError])
