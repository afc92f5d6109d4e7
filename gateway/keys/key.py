"""What a virtual key is: a name, an id that never changes, secrets that do, and what they let their bearer do."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads annotations
from decimal import Decimal  # noqa: TC003 - the codec reads annotations
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, with_config

Unit = Literal["requests", "tokens", "usd", "concurrent"]
Window = Literal["minute", "hour", "day", "month"]
Status = Literal["active", "expired", "revoked"]

#: A stored key that has more than is known here is refused: what is not known may be a bound.
_CLOSED: Final = ConfigDict(extra="forbid")


@with_config(_CLOSED)
@dataclass(frozen=True, slots=True)
class KeyQuota:
    """How much may be used: `amount` of a unit in a window; requests under way at once have no window."""

    unit: Unit
    amount: Decimal
    window: Window | None = None


@with_config(_CLOSED)
@dataclass(frozen=True, slots=True)
class Scopes:
    """What a key allows, and what rules see of its bearer.

    `models` may answer (None: all that are not in `deny_models`). `policies` are the names that may be asked for, of
    policies and of models (None: all). `data_class` is the least that requests count as.
    """

    models: tuple[str, ...] | None = None
    deny_models: tuple[str, ...] = ()
    policies: tuple[str, ...] | None = None
    data_class: str | None = None
    max_cost_usd: float | None = None
    role: str = ""
    team: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()
    debug: bool = False
    expires_at: datetime | None = None
    quotas: tuple[KeyQuota, ...] = ()


@with_config(_CLOSED)
@dataclass(frozen=True, slots=True)
class HashedSecret:
    """A secret as it is kept: its digest, its last characters to tell it by, and until when it is good (None: ever)."""

    digest: str
    hint: str
    expires_at: datetime | None = None

    def good(self, at: datetime) -> bool:
        """Tell whether it may still be shown."""
        return self.expires_at is None or at < self.expires_at


@with_config(_CLOSED)
@dataclass(frozen=True, slots=True)
class VirtualKey:
    """A key. The last of its secrets is the one in force; those before it are good until their time is up.

    Budgets go by `id`, which no rotation changes. `revision` counts its changes from 1: of two states of a key the one
    with the higher revision is the later.
    """

    id: str
    name: str
    scopes: Scopes
    secrets: Annotated[tuple[HashedSecret, ...], Field(min_length=1)]
    created_at: datetime
    revision: int = 1
    revoked_at: datetime | None = None

    @property
    def hint(self) -> str:
        """Return by what its owner can tell the secret in force."""
        return self.secrets[-1].hint

    def status(self, at: datetime) -> Status:
        """Return whether it may be used."""
        if self.revoked_at is not None:
            return "revoked"
        ends = self.scopes.expires_at
        return "active" if ends is None or at < ends else "expired"

    def secret(self, digest: str) -> HashedSecret | None:
        """Return the secret with that digest, compared in constant time; None where the key has none such."""
        found = [secret for secret in self.secrets if hmac.compare_digest(secret.digest, digest)]
        return found[0] if found else None
