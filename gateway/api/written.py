"""Reads bodies that a model describes: JSON in which each name stands once, as in a chat completion request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fastapi.exceptions import RequestValidationError
from jiter import from_json
from pydantic import ValidationError

from gateway.errors import RequestError
from providers.strict_json import InvalidJson, check_depth

if TYPE_CHECKING:
    from fastapi import Request
    from pydantic import TypeAdapter

Body = TypeVar("Body")


def refuse_web_pages(request: Request) -> None:
    """Refuse a body that comes from a web page and is not said to be JSON. Raises `RequestError`.

    A page may have any browser that shows it send a text anywhere without asking; JSON it may not (Fetch Standard,
    "CORS-safelisted request-header"). Browsers name the page in `origin`, which nobody else sends.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if "origin" in request.headers and given != "application/json":
        said = f"not as {given!r}" if given else "and the request does not say what it is"
        raise RequestError(
            f"From a web page the body is to be sent with content-type: application/json, {said}.", code="invalid_value"
        )


def parse_written(raw: bytes, model: TypeAdapter[Body]) -> Body:
    """Return a body as the model has it.

    Raises `RequestError` where it is not JSON in UTF-8, is too deep, or a name stands twice in an object (of two values
    readers take the first or the last as they like), and `RequestValidationError` where it is not as the model has it.
    """
    _check_json(raw)
    try:
        return model.validate_json(raw)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from error


def _check_json(raw: bytes) -> None:
    try:
        check_depth(raw, from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys"))
    except InvalidJson as error:
        raise _refused(f"the body {error}") from error
    except ValueError as error:
        raise _refused(f"the body is not JSON: {error}") from error


def _refused(reason: str) -> RequestError:
    return RequestError(f"We could not parse the request: {reason}.", code="invalid_json")
