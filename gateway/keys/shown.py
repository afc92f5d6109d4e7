"""A key as its administrators see it: all but what could be used in its place."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.keys.key import KeyQuota, VirtualKey


def shown_key(key: VirtualKey, at: datetime) -> dict[str, Any]:
    """Return a key as JSON, without secrets and without their digests."""
    scopes = asdict(key.scopes) | {
        "expires_at": _time(key.scopes.expires_at),
        "quotas": [_quota(quota) for quota in key.scopes.quotas],
    }
    replaced = [secret for secret in key.secrets[:-1] if secret.good(at)]
    return {
        "id": key.id,
        "object": "key",
        "name": key.name,
        "status": key.status(at),
        "hint": key.hint,
        "created_at": _time(key.created_at),
        "revoked_at": _time(key.revoked_at),
        "replaced": [{"hint": secret.hint, "expires_at": _time(secret.expires_at)} for secret in replaced],
        **scopes,
    }


def _quota(quota: KeyQuota) -> dict[str, Any]:
    # A text, for it is exact.
    return {"unit": quota.unit, "amount": f"{quota.amount:f}", "window": quota.window}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
