"""Connections that refuse requests under overload, before anything is made of them: no task, no scope, no body kept.

That takes about a sixth of the processor time of an answer. A connection that was refused rests for a moment, or
clients that never wait would take all the time there is with their refusals alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.connections import UNKEPT, BoundedProtocol
from gateway.overload import Overload
from gateway.shedding import RETRY_S

if TYPE_CHECKING:
    from prometheus_client import Counter

    from gateway.config.models import ServerConfig
    from gateway.overload import Refusal

#: What is refused: requests that take a decision. Probes, metrics, feedback and the admin API are always served.
PATHS: Final = frozenset({b"/v1/chat/completions", b"/chat/completions", b"/v1/route", b"/route"})


class Door(BoundedProtocol):
    """Asks for each request whether it is taken; says to those that are not when to come back."""

    overload: ClassVar[Overload]
    refusal_head: ClassVar[bytes]

    _refusal: Refusal | None = None
    _back_at = 0.0
    #: Whether a request that was taken is not answered yet.
    _taken = False

    def on_headers_complete(self) -> None:
        """Take the request, or let its body pass by; what its sender has pipelined is taken with its first."""
        answering = bool(self.cycle) and not self.cycle.response_complete
        if not answering and self.url.partition(b"?")[0] in PATHS:
            early = self._back_at > 0 and self.loop.time() < self._back_at
            self._refusal = self.overload.admit(len(self.tasks), early=early)
            if self._refusal is not None:
                self._in_head, self._anew = False, True
                self._stop_waiting()
                self.headers = UNKEPT
                if self.expect_100_continue:
                    self._turn_away(self._refusal, keep=False)
                return
            self._taken = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body, unless the request is refused."""
        if self._refusal is None:
            super().on_body(body)
        else:
            self._anew = True

    def on_message_complete(self) -> None:
        """Note that the body is there, or refuse the request now that its sender listens."""
        refusal, self._refusal = self._refusal, None
        if refusal is None:
            super().on_message_complete()
            return
        self._incomplete = False
        if not self.transport.is_closing():
            self._turn_away(refusal, keep=self.parser.should_keep_alive())

    def on_response_complete(self) -> None:
        """Note that a request is answered."""
        self._answered()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that a request needs no answer any more."""
        self._answered()
        super().connection_lost(exc)

    def _is_answered(self) -> bool:
        """Tell whether nobody waits for the body: a request that is refused is told so at its end."""
        return self._refusal is not None or super()._is_answered()

    def _answered(self) -> None:
        if self._taken:
            self._taken = False
            self.overload.unanswered -= 1

    def _turn_away(self, refusal: Refusal, *, keep: bool) -> None:
        lines = [b"%s: %s\r\n" % header for header in self.server_state.default_headers]
        connection = b"" if keep else b"connection: close\r\n"
        self.transport.write(b"".join([self.refusal_head, *lines, connection, b"\r\n", refusal.body]))
        if not keep:
            self.transport.close()
            return
        # What is left of thousands of such requests would be looked through for garbage every second, 25 ms at a time.
        del self.scope
        self._back_at = self.loop.time() + RETRY_S
        self.overload.rest(self)


def door(protocol: type[BoundedProtocol], settings: ServerConfig, counted: Counter) -> type[Door]:
    """Return a protocol, with its bounds, that refuses what is too much; `counted` has the reason as its label."""
    overload = Overload(settings, counted)
    refusal = overload.refusal
    headers = {**refusal.headers, "content-length": str(len(refusal.body))}
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    head = STATUS_LINE[refusal.status] + lines
    return type("Taken", (Door, protocol), {"overload": overload, "refusal_head": head})
