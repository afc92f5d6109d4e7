"""How much of what is learned may be one caller's word: the rules, and whose word has no bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Steps in a weight of one. Whole steps are counted, so that what is taken back leaves no trace.
STEPS: Final = 2**20
#: Callers that are not told apart, and the gateway itself: their words have no cap.
NOBODY: Final = ""
#: What the identities of those begin with whom the operator has made graders: nor have theirs.
TRUSTED: Final = "trusted:"


@dataclass(frozen=True, slots=True)
class TrustRules:
    """How far one caller may move what is learned of a model.

    His words weigh at most `share` of all that is counted of the model, and `allowance` where that is more: so many
    full ratings any caller may give, also before others have. A share of 1 is no cap.
    """

    share: float = 0.2
    allowance: float = 50.0
