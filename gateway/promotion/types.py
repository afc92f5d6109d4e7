"""What a promotion is made of: stages, limits, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: Where a version is: it decides without serving, serves few, serves more, serves all, or has been taken back.
State = Literal["shadow", "canary", "ramp", "live", "rolled_back"]
#: What two versions are compared by.
Measure = Literal["quality", "errors", "cost", "latency"]

#: Measures that count in parts of what they are under the live version, and not in points.
RELATIVE: Final = frozenset({"cost", "latency"})


@dataclass(frozen=True, slots=True)
class Stage:
    """A state and the share of the traffic that the candidate serves in it."""

    state: State
    share: float


@dataclass(frozen=True, slots=True)
class Limit:
    """How much worse a measure may be.

    `margin` is the harm that all of the traffic must certainly be spared before it is given to the candidate,
    `tolerated` the harm beyond which the candidate is taken back as soon as that is certain. Both are in points (0.02
    of a quality in [0, 1], or of the answers that fail), or in parts of what it is under the live version (cost,
    latency).
    """

    measure: Measure
    margin: float
    tolerated: float = 0.0

    @property
    def relative(self) -> bool:
        """Tell whether it is in parts of the live version's."""
        return self.measure in RELATIVE


@dataclass(frozen=True, slots=True)
class Rules:
    """How one policy's candidate is promoted.

    `min_requests` are those that the candidate decides in a stage before it may move up. `alpha` is the chance of a
    false alarm, whatever is looked at and however often. `within` is how many requests the test is planned for,
    `on_end` what becomes of a candidate on which it has not decided by then. Of the requests that one version serves,
    the share `sample` is decided by the other one too.
    """

    policy: str
    candidate: str
    version: str
    stages: tuple[Stage, ...]
    limits: tuple[Limit, ...]
    min_requests: int = 200
    alpha: float = 0.05
    within: int = 50_000
    on_end: Literal["hold", "roll_back"] = "hold"
    sample: float = 1.0
    sticky: Literal["session", "caller", "request"] = "session"

    @property
    def widest(self) -> float:
        """Return the largest share below all of the traffic; 0 where none is served on trial."""
        return max((stage.share for stage in self.stages if stage.share < 1), default=0.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a candidate stands: after so many moves, `run` being the one with which this attempt began, and when."""

    version: str
    state: State
    share: float
    number: int
    run: int
    since: datetime
    began: datetime

    @property
    def tested(self) -> bool:
        """Tell whether what it does is being watched."""
        return self.state in ("shadow", "canary", "ramp")


@dataclass(frozen=True, slots=True)
class Step:
    """Where to go, who says so and why, and the numbers that say so."""

    stage: Stage
    by: str
    why: str
    evidence: Mapping[str, object] = field(default_factory=dict)


#: Where nothing is served any more.
ROLLED_BACK: Final = Stage("rolled_back", 0.0)
