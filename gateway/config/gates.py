"""What gates need that only a gateway has: an encoder for those that compare texts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.signals.encoder import open_encoder
from routers.gates.encoding import comparing

if TYPE_CHECKING:
    from gateway.signals.encoder import Encoder

#: The encoder of single tokens: a plan waits for it, and has to be fast.
ENCODER = "static"


def give_encoder(component: object) -> None:
    """Let the gates of a router, or within a gate, compare texts by the encoder of single tokens.

    Where none does, none is opened. Raises `EncoderError` where its files are damaged.
    """
    for gate in comparing(component):
        gate.encode = _encoder().encode


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return open_encoder(ENCODER)
