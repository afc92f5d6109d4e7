"""What can go wrong with an endpoint.

ProviderError
├── ConnectFailed           it was not reached
│   └── ConnectionLost      it hung up without an answer
├── ProviderTimeout         it took longer than it may
├── UpstreamError           5xx and the like, an error in band, a broken stream, an answer that is none
│   ├── AnswerBroken        what came is no answer, or breaks off
│   └── Overloaded          503, 529: the endpoint has more to do than it can
├── RateLimited             429: too many requests for now
├── QuotaExhausted          402, 429 where the account has no money or quota left: waiting does not help
├── ProviderMisconfigured   404: the gateway's name for the model is at fault
│   └── KeyRefused          401, 403: the gateway's key is
├── ContextTooLong          the prompt does not fit; a model with a larger window may take it
├── InputUnsupported        the model takes no images, say, or not that effort; another may
└── UpstreamRejected        any other 4xx: the request is at fault, and would be anywhere
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

logger = logging.getLogger(__name__)

#: How much of an upstream's own words are repeated.
MESSAGE_LIMIT = 500
#: An error body that is larger is not looked into.
MAX_ERROR_BYTES = 1024 * 1024
#: Statuses that another attempt may mend: RFC 9110, RFC 6585, RFC 8470, and 529 ("overloaded", Anthropic).
PASSING_STATUSES = frozenset({408, 409, 424, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
#: Codes by which endpoints say that the account has nothing left (OpenAI, Azure, Mistral, DeepSeek).
QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "credit_exhausted"}
)
#: Codes and phrases by which endpoints say that a prompt does not fit.
CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
#: Phrases by which endpoints say that the model does not take some kind of input. llama.cpp says so with a 500.
UNSUPPORTED_PHRASES = ("input is not supported", "is only supported by certain models", "does not support image")
#: Members by which an effort is asked for, in the words of endpoints that do not know them, or not that value.
EFFORT_MEMBERS = (
    "reasoning_effort",
    "reasoning.effort",
    "reasoning.max_tokens",
    "budget_tokens",
    "thinking_budget",
    "thinking_level",
    "enable_thinking",
    "output_config",
)
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
    """The endpoint could not be reached."""

    code = "connect_failed"


class ConnectionLost(ConnectFailed):
    """The endpoint hung up before it answered."""


class ProviderTimeout(ProviderError):
    """The endpoint took longer than it may."""

    code = "timeout"


class UpstreamError(ProviderError):
    """The endpoint answered with a server error, or with something that is no answer."""

    code = "upstream_error"


class AnswerBroken(UpstreamError):
    """The endpoint sent something that is no answer, or an answer that breaks off."""


class Overloaded(UpstreamError):
    """The endpoint says that it has more to do than it can."""

    code = "overloaded"


class RateLimited(ProviderError):
    """The endpoint gets more requests than it takes."""

    code = "rate_limited"


class QuotaExhausted(ProviderError):
    """The account behind the key has nothing left: another key may, the same one will not for a while."""

    code = "insufficient_quota"
    retryable = False


class ProviderMisconfigured(ProviderError):
    """The endpoint does not accept the gateway's key, or does not know the model: our fault, not the client's."""

    code = "provider_misconfigured"
    retryable = False


class KeyRefused(ProviderMisconfigured):
    """The endpoint does not accept the gateway's key."""


class ContextTooLong(ProviderError):
    """The prompt does not fit into the model's context window."""

    code = "context_length_exceeded"
    retryable = False
    at_fault = False


class InputUnsupported(ProviderError):
    """The model does not take a kind of input that the request has, or the effort that it is asked to reason with."""

    code = "unsupported_input"
    retryable = False
    at_fault = False


class UpstreamRejected(ProviderError):
    """The endpoint refuses the request itself."""

    code = "upstream_rejected"
    retryable = False
    at_fault = False


#: What some statuses say beyond that it may pass.
_PASSING: Mapping[int, type[ProviderError]] = {429: RateLimited, 503: Overloaded, 529: Overloaded}
#: Statuses of errors in band that only name themselves.
_NAMED = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "overloaded_error": 529,
    "overloaded": 529,
    "server_overloaded": 503,
    "context_length_exceeded": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "model_not_found": 404,
}


def from_response(
    provider: str, status: int, headers: Mapping[str, str], content: bytes, now: datetime
) -> ProviderError:
    """Return the error that an unsuccessful response stands for."""
    return from_error(provider, status, error_object(content), retry_after_s(headers, now))


def from_error(
    provider: str, status: int, body: Mapping[str, Any] | None, wait_s: float | None = None
) -> ProviderError:
    """Return the error that a status and an error object stand for; `wait_s` is how long it asks to be left alone.

    Also for errors in band, whose status their object has.
    """
    said = str(body.get("message") or "")[:MESSAGE_LIMIT] if body else ""
    message = f"{provider} answered {status}" + (f": {said}" if said else "")
    refuses_effort = status in (400, 422) and speaks_of_effort(body)
    if refuses_effort or any(phrase in said.lower() for phrase in UNSUPPORTED_PHRASES):
        return InputUnsupported(message, status=400, body=body)
    if status in (402, 429) and (status == 402 or speaks_of_quota(body)):
        # To the client it is what OpenAI makes of it: 429, not to be repeated.
        return QuotaExhausted(message, status=429, body=body)
    if status in PASSING_STATUSES or status >= 500:
        error = _PASSING.get(status, UpstreamError)(message, status=status, body=body)
        error.retry_after_s = wait_s
        return error
    if status < 400 or status in (401, 403, 404):
        return _misconfigured(provider, status)
    if status in (400, 413, 422) and speaks_of_context(body):
        return ContextTooLong(message, status=400, body=body)
    return UpstreamRejected(message, status=status, body=body)


def error_object(content: bytes) -> Mapping[str, Any] | None:
    """Return the error object of an OpenAI error body; None where there is none, or it is larger than errors are."""
    if len(content) > MAX_ERROR_BYTES:
        return None
    try:
        body = json.loads(content)
        return error_member(body) if isinstance(body, Mapping) else None
    except (ValueError, RecursionError):
        return None


def error_member(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the error that a body or a chunk holds, as an object; None where it holds none.

    Older releases of vLLM write the error's members where the body's are, beside `"object": "error"`.
    """
    error = body.get("error") or (body if body.get("object") == "error" else None)
    if error is None or isinstance(error, Mapping):
        return error
    return {"message": error if isinstance(error, str) else json.dumps(error)}


def _misconfigured(provider: str, status: int) -> ProviderError:
    if status < 400:
        # Nobody but the configured endpoints is called, wherever one of them points to.
        return ProviderMisconfigured(f"{provider} answered {status}, which is no answer: is its base_url right?")
    # Upstream's words may hold a part of the key, so they are not repeated.
    if status == 404:
        return ProviderMisconfigured(f"{provider} does not know the model (404)", status=status)
    return KeyRefused(f"{provider} refused the gateway's credentials ({status})", status=status)


def undecodable(provider: str, error: Exception) -> AnswerBroken:
    """Log an error that reading an answer was not expected to end with; return what it means: others may be asked."""
    logger.error("provider.undecodable", exc_info=error, extra={"provider": provider})
    return AnswerBroken(f"{provider} sent an answer that cannot be read: {type(error).__name__}")


def in_band(provider: str, body: Mapping[str, Any]) -> ProviderError:
    """Return what an error object stands for that came with status 200: by its number, its code, or its type."""
    number = next((n for key in ("code", "status", "status_code") if (n := _number(body.get(key))) is not None), None)
    names = {str(body.get(key)).lower() for key in ("code", "type")}
    named = next((status for name, status in _NAMED.items() if name in names), 500)
    return from_error(provider, number or named, body)


def _number(value: object) -> int | None:
    """Return the status of an error that a member gives, as a number or, as Azure does, as its digits."""
    if isinstance(value, str) and len(value) == 3 and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 400 <= value < 600 else None


def speaks_of_quota(error: Mapping[str, Any] | None) -> bool:
    """Tell whether an error object says that the account has nothing left, which waiting does not mend."""
    return error is not None and not QUOTA_CODES.isdisjoint({str(error.get("code")), str(error.get("type"))})


def speaks_of_effort(error: Mapping[str, Any] | None) -> bool:
    """Tell whether an error object says that a member is wrong by which an effort is asked for."""
    if error is None:
        return False
    said = f"{error.get('param')} {error.get('message')}".lower()
    return any(member in said for member in EFFORT_MEMBERS)


def speaks_of_context(error: Mapping[str, Any] | None) -> bool:
    """Tell whether an error object says that the prompt is too long."""
    if error is None:
        return False
    if not CONTEXT_CODES.isdisjoint({str(error.get("code")), str(error.get("type"))}):
        return True
    message = str(error.get("message", "")).lower()
    return any(phrase in message for phrase in CONTEXT_PHRASES)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a response asks to wait: `retry-after-ms`, or RFC 9110's seconds or date."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None and (seconds := _seconds(milliseconds, scale=1e-3)) is not None:
        return seconds
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _seconds(value, scale=1)
    return _seconds_until(value, now) if seconds is None else seconds


def _seconds_until(date: str, now: datetime) -> float | None:
    """Return the seconds until a date of HTTP (RFC 9110, section 5.6.7), 0 where it has passed; None for what is none.

    All of its forms are in UTC, also asctime's, which does not say so.
    """
    try:
        then = parsedate_to_datetime(date)
        then = then.replace(tzinfo=UTC) if then.tzinfo is None else then
        return max(0.0, (then - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _seconds(value: str, scale: float) -> float | None:
    """Return a finite, non-negative number of seconds, or None."""
    try:
        seconds = float(value) * scale
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
