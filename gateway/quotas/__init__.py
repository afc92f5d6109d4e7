"""Limits and budgets: reserved before a request is sent, settled after, released where it failed."""

from gateway.quotas.errors import QuotaExceeded, QuotasUnavailable, QuotaUnpriced
from gateway.quotas.grant import Grant
from gateway.quotas.ledger import Ledger
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.pressure import Pressure
from gateway.quotas.quotas import Quotas
from gateway.quotas.types import Estimate, Holder, Quota

__all__ = [
    "Estimate",
    "Grant",
    "Holder",
    "Ledger",
    "MemoryLedger",
    "Pressure",
    "Quota",
    "QuotaExceeded",
    "QuotaUnpriced",
    "Quotas",
    "QuotasUnavailable",
]
