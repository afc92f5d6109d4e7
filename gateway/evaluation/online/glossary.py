"""What the numbers of a replay as a bandit mean, for those who read its page."""

from __future__ import annotations

from typing import Final

#: Names of numbers, and what each says.
MEANING: Final = (
    (
        "Net reward",
        (
            "The mean score of the answers, less what they cost, at the rate at which the mean cost of the model that "
            "scores best is worth what --price says. One pass; only the chosen model's outcome is told."
        ),
    ),
    (
        "Beyond the best fixed model",
        (
            "The same, less that of the model that would have been best for this very stream, always chosen, of those "
            "that are there all the time. 95 % interval over the seeds."
        ),
    ),
    (
        "Beyond full information",
        (
            "The same, less what the same router chooses that is told every outcome of the other half of the rows, in "
            "the world as it is at each request."
        ),
    ),
    (
        "Final policy, told everything, share",
        (
            "When the pass is over, what looks best is taken for the rows kept, in the world as it ended: beyond the "
            "best fixed model there; the same of a router that is told the whole stream; and one as a share of the "
            "other."
        ),
    ),
    (
        "Back",
        (
            "After a change: the first request at which, over the last twentieth of the stream, no more is lost "
            "against full information than in the tenth before the change, up to a tenth of what a router would lose "
            "that learns nothing after the change (the drop). 0 where that would lose nothing."
        ),
    ),
)
