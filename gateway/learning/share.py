"""What replicas have learned together: each its own share, whole, so that it does not matter who hears what when."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from gateway.learning.caps import moved
from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.learning.caps import Masses

#: Separates a share's header from its sums.
_END = b"\n"


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """All that one log has taught a router: its rows, the time of the latest (microseconds since 1970), their sums.

    `masses` is how much each caller has said of each model, by which it is told who says too much.

    The later `version` of a share stands for all earlier ones. `within` says which shares of others, and which version
    of each, it was made of: empty for a replica's own.
    """

    version: int = 0
    rows: int = 0
    latest: int = 0
    sums: Sums = field(default_factory=Sums)
    masses: Masses = field(default_factory=dict)
    within: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Share) -> Share:
        """Return both together, as of the later one; its version says nothing."""
        rows, latest = self.rows + other.rows, max(self.latest, other.latest)
        return Share(0, rows, latest, self.sums + other.sums, moved(self.masses, other.masses))

    def without(self, earlier: Share) -> Share:
        """Return what has come since an earlier version."""
        rows, masses = self.rows - earlier.rows, moved(self.masses, earlier.masses, -1)
        return replace(self, rows=rows, sums=self.sums - earlier.sums, masses=masses)

    def same(self, other: Share) -> bool:
        """Tell whether both say the same, whatever their versions."""
        mine, others = ((one.rows, one.latest, one.masses) for one in (self, other))
        return mine == others and self.sums == other.sums

    def fingerprint(self) -> str:
        """Return what tells it from every share that says anything else; its version is not in it."""
        digest = hashlib.sha256(f"{self.rows} {self.latest} {json.dumps(self.masses, sort_keys=True)}".encode())
        for name, part in sorted(self.sums.parts.items()):
            if part.any():  # an array of zeros is as good as none
                digest.update(f"{name} {part.shape}".encode() + part.astype("<i8").tobytes())
        return digest.hexdigest()

    def to_bytes(self) -> bytes:
        """Return it as bytes: a line of JSON, then the sums."""
        numbers = {"version": self.version, "rows": self.rows, "latest": self.latest}
        header = {**numbers, "masses": self.masses, "within": dict(self.within)}
        return json.dumps(header, sort_keys=True).encode() + _END + self.sums.to_bytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Return what `to_bytes` returned. Raises `ValueError` for anything else."""
        header, _, sums = raw.partition(_END)
        try:
            found = json.loads(header)
            within = {str(name): int(version) for name, version in found["within"].items()}
            version, rows, latest = (int(found[name]) for name in ("version", "rows", "latest"))
            return cls(version, rows, latest, Sums.from_bytes(sums), moved({}, found["masses"]), within)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no share of what was learned: {error!r}") from error


#: The name under which shares of replicas that are gone are folded into one; no log has it.
FOLDED = "*"

#: The shares that somebody knows of, by the log that they were learned from.
Shares = dict[str, Share]


def merged(shares: Mapping[str, Share], others: Mapping[str, Share]) -> Shares:
    """Return the latest of each: in whatever order, grouping and repetition shares are merged, the same remain."""
    found = dict(shares)
    for name, share in others.items():
        if name not in found or found[name].version < share.version:
            found[name] = share
    return found


def total(shares: Mapping[str, Share]) -> Share:
    """Return what all have learned: each once, also where it stands both alone and folded into another."""
    folded = shares.get(FOLDED, Share())
    alone = [share for name, share in sorted(shares.items()) if name not in folded.within and name != FOLDED]
    return sum(alone, start=Share() + folded)


def folded(shares: Mapping[str, Share], gone: frozenset[str], version: int) -> Share:
    """Return the share into which those that are `gone` are folded, besides what was folded before."""
    before = shares.get(FOLDED, Share())
    news = {name: shares[name] for name in gone if name in shares and name not in before.within and name != FOLDED}
    together = sum(news.values(), start=Share() + before)
    within = {**before.within, **{name: share.version for name, share in news.items()}}
    return replace(together, version=version, within=within)
