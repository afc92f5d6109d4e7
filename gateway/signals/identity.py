"""Who calls, as far as the key tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray


class Identity:
    """Gives the caller's name, role, team and tags; each is left out where nobody has given it."""

    name = "identity"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "caller": Kind.TEXT,
        "role": Kind.TEXT,
        "team": Kind.TEXT,
        "caller.tags": Kind.TEXTS,
    }

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return what is known of the caller."""
        caller = request.caller
        features: dict[str, Feature] = {}
        if caller.name:
            features["caller"] = caller.name
        if caller.role:
            features["role"] = caller.role
        if caller.team:
            features["team"] = caller.team
        if caller.tags:
            features["caller.tags"] = caller.tags
        return features
