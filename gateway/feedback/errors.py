"""Why feedback is not taken, or not there.

RequestError
├── FeedbackNotPermitted    403    it is not this caller's to rate, or not in these words
├── TokenRequired           403    only who shows the answer's token may rate it
├── TokenRefused            403    the token is not of this answer and this caller
├── FeedbackNotFound        404    there is none, or it is another caller's
└── FeedbackConflict        409    the id was used before, for something else
    └── FeedbackErased      409    it was deleted
"""

from __future__ import annotations

from gateway.errors import FeedbackConflict, RequestError


class FeedbackNotPermitted(RequestError):
    """It is not this caller's to rate, or not in these words."""

    status = 403
    code = "feedback_not_permitted"


class TokenRequired(RequestError):
    """Only who shows the answer's token may rate it."""

    status = 403
    code = "feedback_token_required"


class TokenRefused(RequestError):
    """The token is not of this answer and this caller."""

    status = 403
    code = "invalid_feedback_token"


class FeedbackNotFound(RequestError):
    """There is none, or it is another caller's, which nobody else need know."""

    status = 404
    code = "feedback_not_found"


class FeedbackErased(FeedbackConflict):
    """It was deleted, and does not come back by being sent again."""

    code = "feedback_deleted"
