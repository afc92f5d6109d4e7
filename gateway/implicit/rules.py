"""What is read out of what callers do, and what each sign says of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What implicit feedback is seen in: the first five in what follows the answer, the last five in the answer itself
#: (a call of a tool that failed in either). Two are no complaints: without them, who is asked most would look worst.
Signal = Literal[
    "retry",
    "regenerate",
    "edited",
    "continued",
    "tool_failed",
    "invalid_json",
    "truncated",
    "empty",
    "refused",
    "well_formed",
]

#: What an answer is worth that nobody complains of: about what answers are worth, for its absence is no praise.
CONTENT: Final = 0.7
#: What an answer is worth of which a sign was seen, in [0, 1]; None: the sign is not recorded.
VALUES: Final[Mapping[Signal, float | None]] = {
    "retry": 0.2,
    "regenerate": 0.2,
    "edited": 0.3,
    "continued": CONTENT,
    "tool_failed": 0.3,
    "invalid_json": 0.1,
    "truncated": 0.4,
    "empty": 0.0,
    "refused": 0.3,
    "well_formed": CONTENT,
}


@dataclass(frozen=True, slots=True)
class ImplicitRules:
    """What signs say, and when an answer is asked for again by somebody who was not content with it.

    A request counts as asked again within `window_s` seconds of the answer, but not before `pause_s` have passed (then
    it is a program that draws samples), and the first `repeats` times only (then it is a program that asks the same
    all day). A limit below `small_limit` tokens is taken as meant: an answer that ends at it is not truncated. Requests
    under the policies and of the callers named are left alone.
    """

    values: Mapping[Signal, float | None] = field(default_factory=lambda: dict(VALUES))
    window_s: float = 600.0
    pause_s: float = 1.0
    repeats: int = 2
    small_limit: int = 256
    except_policies: frozenset[str] = frozenset()
    except_callers: frozenset[str] = frozenset()

    def wants(self, policy: str, caller: str) -> bool:
        """Tell whether requests of a caller under a policy are looked at."""
        return policy not in self.except_policies and caller not in self.except_callers
