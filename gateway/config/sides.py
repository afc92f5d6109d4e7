"""Opens configurations to decide logged requests by: policies and what they go by, but neither models nor encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.candidates import build_eligibility
from gateway.config.deciding import class_rules, encoder_digest
from gateway.config.policies import build_policies
from gateway.config.signals import open_signals
from gateway.redeciding.redecided import Side
from gateway.signals.extract import EMBEDDING
from gateway.signals.registry import signal_class

if TYPE_CHECKING:
    from gateway.config.files import Files
    from gateway.config.models import GatewayConfig


def open_side(files: Files, policy: str | None, stale: frozenset[str] = frozenset()) -> Side:
    """Return what decides by a configuration; `policy` is asked in place of the one that a request was under.

    Raises `ConfigError`.
    """
    policies = build_policies(files, encoder_digest(files))
    reads_clock = any("time" in one.signals for one in policies.policies.values())
    clocks = open_signals(files, frozenset({"time"}), None) if reads_clock else []
    return Side(
        policies,
        build_eligibility(files.config),
        class_rules(files),
        policy,
        stale,
        next((signal for signal in clocks if signal.name == "time"), None),
    )


def stale_features(old: GatewayConfig, new: GatewayConfig) -> frozenset[str]:
    """Return the features that a request would have otherwise by new settings of their signals.

    The log is taken to be the old configuration's.
    """
    stale: set[str] = set()
    before, after = old.signals, new.signals
    if before.keywords != after.keywords:
        stale |= {"keywords"}
    if before.embedding.model != after.embedding.model:
        stale |= {EMBEDDING, *signal_class("difficulty").provides}
    if before.domain != after.domain or EMBEDDING in stale:
        stale |= {*signal_class("domain").provides}
    known = {header.lower() for header in before.metadata.headers}
    return frozenset(stale | {f"header.{one.lower()}" for one in after.metadata.headers if one.lower() not in known})
