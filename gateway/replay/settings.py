"""How a log is replayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from routers.evaluation.off_policy.evidence import Demands

#: Whose rows depend on each other.
Clusters = Literal["session", "caller", "none"]
#: The estimator that a requirement goes by.
Method = Literal["direct", "ips", "snips", "dr", "switch_dr"]
METHODS: Final[tuple[Method, ...]] = ("direct", "ips", "snips", "dr", "switch_dr")


@dataclass(frozen=True, slots=True)
class Settings:
    """What to go by.

    `most_untold` is the share of requests that may lack something in the log before nothing is told of the rest.
    `half_width` is how exactly quality is to be known, for what exploration would be needed.
    """

    method: Method = "dr"
    clusters: Clusters = "session"
    demands: Demands = field(default_factory=Demands)
    most_untold: float = 0.05
    half_width: float = 0.01
