"""What a client may be told, in OpenAI's error shape.

GatewayError
├── RequestError            400    the body is no chat completion request
│   ├── BodyTooLarge        413
│   ├── BodyTimeout         408
│   ├── Unauthorized        401
│   ├── RequestRejected     403    a rule or a router refuses
│   ├── NoEligibleModel     403    no model may answer it
│   ├── UnsupportedRequest  400    no model can take what it holds
│   ├── ContextExceeded     400    it is too long for every model
│   ├── QuotasSpent         429    the quotas of all models are used up
│   │   └── BudgetExceeded  429    too little is left of the session's budget
│   ├── NotCached           504    the client wants an answer from the cache only
│   ├── ModelNotFound       404
│   └── FeedbackConflict    409    the id was used before, for something else
└── NoBackendAvailable             every candidate failed; status by the last failure
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from providers.errors import ContextTooLong, InputUnsupported, ProviderMisconfigured, ProviderTimeout, QuotaExhausted

if TYPE_CHECKING:
    from gateway.trace import Trace
    from providers.errors import ProviderError

#: A longer `retry-after` is disregarded by OpenAI's clients.
LONGEST_RESPECTED_S = 60.0
#: OpenAI's error types, by status.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    409: "conflict_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


class GatewayError(Exception):
    """An error that a client is told. `status`, `code` and `param` go into the answer."""

    status: int = 500
    code: str | None = None
    param: str | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        #: Headers of the answer.
        self.headers: dict[str, str] = {}
        #: What was found out before the request was refused, if a decision had begun.
        self.trace: Trace | None = None

    def body(self) -> bytes:
        """Return the answer's body."""
        return error_body(self.status, str(self), self.code, self.param)


class RequestError(GatewayError):
    """The request cannot be understood; `param` names the offending field."""

    status = 400

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code or self.code


class BodyTooLarge(RequestError):
    """The body is larger than `server.max_body_bytes`."""

    status = 413
    code = "request_too_large"


class BodyTimeout(RequestError):
    """The body stopped coming."""

    status = 408
    code = "request_timeout"


class Unauthorized(RequestError):
    """The caller showed no key, or a wrong one."""

    status = 401
    code = "invalid_api_key"


class ModelNotFound(RequestError):
    """Neither a policy nor a model has this name."""

    status = 404
    code = "model_not_found"


class RequestRejected(RequestError):
    """The policy serves nobody for this request."""

    status = 403
    code = "rejected_by_policy"


class NoEligibleModel(RequestError):
    """No model of the pool may answer the request; the message has the reason for each."""

    status = 403
    code = "no_eligible_model"


class UnsupportedRequest(RequestError):
    """No model of the pool can take what the request holds (images, tools, the ids of tool calls)."""

    code = "unsupported_input"


class QuotasSpent(RequestError):
    """The quotas of all models that may answer are used up; repeating does not help before they begin anew."""

    status = 429
    code = "insufficient_quota"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.headers = {"x-should-retry": "false"}


class BudgetExceeded(QuotasSpent):
    """Too little is left of the session's budget for any model that may answer."""

    code = "budget_exceeded"


class NotCached(RequestError):
    """The client wants an answer from the cache only, and there is none (RFC 9111, section 5.2.1.7)."""

    status = 504
    code = "not_cached"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.headers = {"x-should-retry": "false"}


class ContextExceeded(RequestError):
    """The request is too long for every model of the pool."""

    code = "context_length_exceeded"


class FeedbackConflict(RequestError):
    """The feedback's id was used before for other feedback."""

    status = 409
    code = "idempotency_conflict"


class NoBackendAvailable(GatewayError):
    """Every candidate that was tried failed. `error` is the failure that says most; the outcome has all attempts."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error
        self.code = error.code
        fallback = 504 if isinstance(error, ProviderTimeout) else 502
        # An error that came in band has no status that would say so.
        self.status = error.status if error.status is not None and error.status >= 400 else fallback
        self.headers = _advice(error)

    def body(self) -> bytes:
        """Return upstream's own error object where it sent one, else ours."""
        upstream = self.error.body
        if upstream is None or isinstance(self.error, ContextTooLong | InputUnsupported):
            return super().body()
        message, code = str(upstream.get("message") or self), upstream.get("code")
        param, kind = upstream.get("param"), upstream.get("type")
        return error_body(
            self.status,
            message,
            str(code) if code is not None else self.code,
            str(param) if param is not None else None,
            str(kind) if kind is not None else None,
        )


def _advice(error: ProviderError) -> dict[str, str]:
    """Return `retry-after` where upstream asked for it; tell clients not to repeat what cannot work."""
    if error.retry_after_s is not None:
        return retry_after(error.retry_after_s)
    if isinstance(error, ProviderMisconfigured | QuotaExhausted) or not (error.at_fault or error.retryable):
        return {"x-should-retry": "false"}
    return {}


def retry_after(seconds: float) -> dict[str, str]:
    """Return the headers that ask a client to come back after so many seconds, and not before.

    OpenAI's clients go by the milliseconds, and disregard what is longer than a minute.
    """
    headers = {"retry-after": str(max(1, math.ceil(seconds))), "retry-after-ms": str(math.ceil(seconds * 1000))}
    return headers if seconds <= LONGEST_RESPECTED_S else {**headers, "x-should-retry": "false"}


def error_body(status: int, message: str, code: str | None, param: str | None = None, kind: str | None = None) -> bytes:
    """Return an error body in OpenAI's shape."""
    error = {"message": message, "type": kind or TYPES.get(status, "server_error"), "param": param, "code": code}
    return json.dumps({"error": error}).encode()


def refusal_event(error: GatewayError) -> bytes:
    """Return the event that tells a client of an error to whom a stream has been promised already."""
    return b"data: " + error.body() + b"\n\n"


def error_event(message: str, code: str) -> bytes:
    """Return the event that ends a broken stream: OpenAI's SDKs raise on it."""
    return b"data: " + error_body(500, message, code) + b"\n\n"
