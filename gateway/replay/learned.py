"""What a policy's routers have learned, and whether that was from the very requests that they are now judged by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.config.routers import build_new_router, manifest_of
from gateway.learning.places import beside
from gateway.learning.relearned import Learned, relearned
from gateway.learning.snapshots import Snapshots
from gateway.learning.subjects import rules_of, subjects_of
from routers.state import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.config.files import Files, WrittenRouter
    from gateway.learning.snapshots import Snapshot
    from gateway.redeciding.redecided import Side

    Found = Mapping[str, tuple[WrittenRouter, Snapshot]]

#: How times are written.
TIME: Final = "%Y-%m-%d %H:%M"


def snapshots_of(base: Files, files: Files) -> dict[str, tuple[WrittenRouter, Snapshot]]:
    """Return the newest snapshot of each router of a configuration that goes on learning, by the router's name.

    They lie beside the log of `base`. What a router of other options, or of other training, has learned is not its own.
    Raises `ConfigError` and `StateError`.
    """
    found = {}
    kept = Snapshots(beside(base).snapshots)
    for subject in subjects_of(files, rules_of(files)):
        newest = kept.newest(subject.name)
        if newest is not None and newest.label.digest == subject.digest:
            found[subject.name] = subject.written, newest
    return found


def with_snapshots(side: Side, found: Found) -> Side:
    """Return a side whose routers know what they have learned since they were trained. Raises `StateError`."""
    learned = {}
    for name, (written, snapshot) in found.items():
        router = build_new_router(written)
        router.load(snapshot.folder)
        learned[name] = Learned(router, snapshot.state)
    return replace(side, policies=relearned(side.policies, learned)) if learned else side


def warnings_of(
    files: Files,
    policy: str | None,
    found: Mapping[str, tuple[WrittenRouter, Snapshot]],
    span: tuple[datetime, datetime],
) -> Iterator[str]:
    """Yield a warning for each router that may have learned from the requests of `span`.

    A policy that has seen what came of them looks better than it is: it has learned their luck as well. Raises
    `ConfigError`.
    """
    for written in _routers(files, policy):
        snapshot = found.get(written.name, (None, None))[1]
        reason = _of_training(written, *span) if snapshot is None else _of_snapshot(snapshot, span[0])
        if reason:
            yield f"router {written.name!r}: {reason}; what it learned from them flatters it: replay later ones"


def _routers(files: Files, policy: str | None) -> Iterator[WrittenRouter]:
    for file in files.policies:
        if policy is None or file.config.name == policy:
            yield from file.routers()


def _of_snapshot(snapshot: Snapshot, first: datetime) -> str | None:
    latest = datetime.fromtimestamp(snapshot.label.latest / 1e6, UTC)
    if not snapshot.label.rows or latest < first:
        return None
    return f"it has learned from {snapshot.label.rows} rated answers of the log, the latest of {latest:{TIME}}"


def _of_training(written: WrittenRouter, first: datetime, last: datetime) -> str | None:
    """Return what is wrong with a state that was not fitted to a table, and is younger than the first request."""
    manifest = manifest_of(written)
    if manifest is None or "table_sha256" in manifest.metadata:
        return None
    fitted = datetime.fromtimestamp((written.state / MANIFEST).stat().st_mtime, UTC)
    if fitted < first:
        return None
    end = min(last, fitted)
    return f"its state is of {fitted:{TIME}}, and may have been fitted to requests from {first:{TIME}} to {end:{TIME}}"
