"""What a reply gives, for those who want all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from providers.types import Reply


async def pieces_of(reply: Reply) -> list[bytes]:
    """Return all pieces of a reply's body. Raises as the reply."""
    pieces: list[bytes] = []
    assert not await reply.pour(pieces.extend)
    return pieces
