"""What a learner says of itself, in a file beside its snapshots, for gateways to show."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

#: The file, in the folder of the snapshots.
STATUS: Final = "status.json"


@dataclass(frozen=True, slots=True)
class Status:
    """How a learner is doing: when it had last learned all that was new, and how often it has failed since it began.

    `process` tells one learner from the next, times are seconds since 1970.
    """

    process: str
    succeeded_at: float
    failures: int

    def write(self, folder: Path) -> None:
        """Put it in the file's place. Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{STATUS}.{os.getpid()}"
        unfinished.write_text(json.dumps(asdict(self)), encoding="utf-8")
        unfinished.replace(folder / STATUS)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return what the file says; None where there is none, or none that can be read."""
        try:
            found: Any = json.loads((folder / STATUS).read_bytes())
            return cls(str(found["process"]), float(found["succeeded_at"]), int(found["failures"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
