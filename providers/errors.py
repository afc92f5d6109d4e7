"""What can go wrong with an endpoint.

ProviderError
├── ConnectFailed           it was not reached, or hung up without an answer
├── ProviderTimeout         it took longer than it may
├── UpstreamError           5xx and the like, an error in band, a broken stream, an answer that is none
├── RateLimited             429
├── ProviderMisconfigured   401, 403, 404: the gateway's own key or model name is at fault
├── ContextTooLong          the prompt does not fit; a model with a larger window may take it
├── InputUnsupported        the model takes no images, say; another may
└── UpstreamRejected        any other 4xx: the request is at fault, and would be anywhere
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

#: How much of an upstream's own words are repeated.
MESSAGE_LIMIT = 500
#: Statuses that another attempt may mend: RFC 9110, RFC 6585, RFC 8470, and 529 ("overloaded", Anthropic).
PASSING_STATUSES = frozenset({408, 409, 424, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
#: Codes and phrases by which endpoints say that a prompt does not fit.
CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
#: Phrases by which endpoints say that the model does not take some kind of input. llama.cpp says so with a 500.
UNSUPPORTED_PHRASES = ("input is not supported", "is only supported by certain models", "does not support image")
CONTEXT_PHRASES = ("maximum context length", "context size", "context window", "prompt is too long")


class ProviderError(Exception):
    """An endpoint failed. `code` is short and stable, for logs; `status` is upstream's, where it gave one."""

    code: ClassVar[str] = "provider_error"
    #: Whether the same request may succeed there in a moment.
    retryable: ClassVar[bool] = True
    #: Whether the endpoint is to be spared for a while; not where it is the request that does not suit it.
    at_fault: ClassVar[bool] = True

    def __init__(self, message: str, *, status: int | None = None, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        #: Seconds that the endpoint wants to be left alone, where it said so.
        self.retry_after_s: float | None = None
        #: Upstream's own error object, if it sent one in OpenAI's form.
        self.body = body


class ConnectFailed(ProviderError):
    """The endpoint could not be reached, or hung up before it answered."""

    code = "connect_failed"


class ProviderTimeout(ProviderError):
    """The endpoint took longer than it may."""

    code = "timeout"


class UpstreamError(ProviderError):
    """The endpoint answered with a server error, or with something that is no answer."""

    code = "upstream_error"


class RateLimited(ProviderError):
    """The endpoint gets more requests than it takes."""

    code = "rate_limited"


class ProviderMisconfigured(ProviderError):
    """The endpoint does not accept the gateway's key, or does not know the model: our fault, not the client's."""

    code = "provider_misconfigured"
    retryable = False


class ContextTooLong(ProviderError):
    """The prompt does not fit into the model's context window."""

    code = "context_length_exceeded"
    retryable = False
    at_fault = False


class InputUnsupported(ProviderError):
    """The model does not take a kind of input that the request has."""

    code = "unsupported_input"
    retryable = False
    at_fault = False


class UpstreamRejected(ProviderError):
    """The endpoint refuses the request itself."""

    code = "upstream_rejected"
    retryable = False
    at_fault = False


def from_response(
    provider: str, status: int, headers: Mapping[str, str], content: bytes, now: datetime
) -> ProviderError:
    """Return the error that an unsuccessful response stands for."""
    body = error_object(content)
    said = str(body.get("message") or "")[:MESSAGE_LIMIT] if body else ""
    message = f"{provider} answered {status}" + (f": {said}" if said else "")
    if any(phrase in said.lower() for phrase in UNSUPPORTED_PHRASES):
        return InputUnsupported(message, status=400, body=body)
    if status in PASSING_STATUSES or status >= 500:
        passing = RateLimited if status == 429 else UpstreamError
        error = passing(message, status=status, body=body)
        error.retry_after_s = retry_after_s(headers, now)
        return error
    if status in (401, 403, 404):
        # Upstream's words may hold a part of the key, so they are not repeated.
        reason = "does not know the model" if status == 404 else "refused the gateway's credentials"
        return ProviderMisconfigured(f"{provider} {reason} ({status})", status=status)
    if status in (400, 413, 422) and speaks_of_context(body):
        return ContextTooLong(message, status=400, body=body)
    return UpstreamRejected(message, status=status, body=body)


def error_object(content: bytes) -> Mapping[str, Any] | None:
    """Return the error object of an OpenAI error body; None where there is none."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else None


def speaks_of_context(error: Mapping[str, Any] | None) -> bool:
    """Tell whether an error object says that the prompt is too long."""
    if error is None:
        return False
    if error.get("code") in CONTEXT_CODES or error.get("type") in CONTEXT_CODES:
        return True
    message = str(error.get("message", "")).lower()
    return any(phrase in message for phrase in CONTEXT_PHRASES)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a response asks to wait: `retry-after-ms`, or RFC 9110's seconds or date."""
    if (milliseconds := headers.get("retry-after-ms")) is not None:
        return _seconds(milliseconds, scale=1e-3)
    value = headers.get("retry-after")
    if value is None:
        return None
    if (seconds := _seconds(value, scale=1)) is not None:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _seconds(value: str, scale: float) -> float | None:
    """Return a finite, non-negative number of seconds, or None."""
    try:
        seconds = float(value) * scale
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
