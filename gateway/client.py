"""Who waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Client:
    """The client of one request. One that has left gets nothing more, and what is done for it is given up."""

    left: bool = False
