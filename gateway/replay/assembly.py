"""From files and a log to a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.application import open_store
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.replacing import read_either
from gateway.config.sides import open_side, stale_features
from gateway.learning.subjects import rules_of
from gateway.replay.document import About, document
from gateway.replay.learned import snapshots_of, warnings_of, with_snapshots
from gateway.replay.report import report_of
from gateway.replay.request import requests_of
from gateway.replay.verdict import judge, overall
from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from gateway.config.files import Files
    from gateway.redeciding.redecided import Side
    from gateway.replay.request import Request
    from gateway.replay.requirement import Clause
    from gateway.replay.settings import Settings
    from gateway.replay.verdict import Status
    from gateway.store.base import LoggedEvent, Store

#: What a gateway's file is called by.
YAML: Final = frozenset({".yaml", ".yml"})
#: What the policy is compared with where no file is named.
RAN: Final = "ran"


@dataclass(frozen=True, slots=True)
class Span:
    """Which requests: from `since`, before `until`, and only so many of the newest."""

    since: datetime | None
    until: datetime | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be replayed: files of policies, the log, which of its requests, and what is required."""

    policy: Path
    baseline: Path | None
    log: Path | None
    config: Path
    span: Span
    policy_name: str | None
    clauses: tuple[Clause, ...]
    settings: Settings


def replay(
    asked: Asked, command: Sequence[str], now: datetime, environment: Mapping[str, str]
) -> tuple[dict[str, Any], Status]:
    """Return the replay as plain JSON values, and how what is required stands.

    Raises `ConfigError`, also where the log has no request of the policy, and `StoreError`.
    """
    config = asked.log if asked.log is not None and asked.log.suffix in YAML else asked.config
    base = read_files(config, environment)
    new, name = read_either(asked.policy, config, environment)
    sides = [_side(base, new, name)]
    if asked.baseline is not None:
        sides.append(_side(base, *read_either(asked.baseline, config, environment)))
    path, requests = _requests(asked, base, sides, asked.policy_name or name)
    found = report_of(requests, asked.settings, baseline=asked.baseline is not None)
    judged = judge(asked.clauses, found.answers, asked.settings.method)
    status = overall(judged)
    about = About(command, now, path, str(asked.policy), RAN if asked.baseline is None else str(asked.baseline))
    warnings = list(warnings_of(new, name, snapshots_of(base, new), found.span))
    return document(found, about, asked.settings, judged, status, warnings), status


def _requests(asked: Asked, base: Files, sides: Sequence[Side], policy: str | None) -> tuple[str, list[Request]]:
    """Return what the log is called, and its requests, oldest first. Raises `ConfigError` where there is none."""
    path, store = _open(asked.log, base)
    try:
        logged = _logged(store, asked.span, policy)
        found = sorted(requests_of(logged, sides, rules_of(base).rewards), key=lambda request: request.at)
    finally:
        store.close()
    if not found:
        under = "" if policy is None else f" under {policy!r}"
        raise ConfigError(f"{path} has no request{under} in that time: see --policy-name, --since and --until")
    return path, found


def _open(log: Path | None, base: Files) -> tuple[str, Store]:
    """Return the log and what it is called."""
    if log is not None and log.suffix not in YAML:
        return str(log), SQLiteStore.open(log, read_only=True)
    return str(base.path.parent / base.config.store.path), open_store(base, read_only=True)


def _side(base: Files, files: Files, name: str | None) -> Side:
    """Return what decides by a configuration, with what its routers have learned from the log of `base` so far."""
    side = open_side(files, name, stale_features(base.config, files.config))
    return with_snapshots(side, snapshots_of(base, files))


def _logged(store: Store, span: Span, policy: str | None) -> Iterator[LoggedEvent]:
    return store.joined(span.since, span.until, policy, span.last, newest_first=span.last is not None)
