"""Who waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Client:
    """The client of one request. One that has left gets nothing more, and what is done for it is given up.

    Once its answer has `begun` to be sent, it can no longer be given another one in its place.
    """

    left: bool = False
    begun: bool = False
