"""Checks a document against a pydantic model, and says in the user's own terms what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from gateway.config.loader import ConfigError, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from gateway.config.loader import Document, Place

Model = TypeVar("Model", bound=BaseModel)

#: Values that are never repeated in a message.
SECRETS = frozenset({"admin_key", "api_key", "api_keys", "headers", "key", "proxy", "secret", "url"})


def validate(document: Document, model: type[Model]) -> Model:
    """Return the document as the model.

    Raises `ConfigError` with a line for each thing that is wrong.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        lines = [_line(document, model, details) for details in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _line(document: Document, model: type[BaseModel], details: ErrorDetails) -> str:
    place = _place(document.data, details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        known = _option_names(model, details["loc"][:-1])
        return document.at(place, f"unknown option; {did_you_mean(str(place[-1]), known)}")
    if kind == "missing":
        return document.at(place, "is missing")
    return document.at(place, f"{details['msg']}{_shown(details['input'], place)}")


def _shown(value: Any, place: Place) -> str:
    """Return the offending value for a message, unless it may be secret or is long."""
    if SECRETS.intersection(place) or not isinstance(value, str | int | float | bool | None):
        return ""
    text = repr(value)
    return f", not {text}" if len(text) <= 100 else ""


def _place(data: Any, location: tuple[Any, ...]) -> Place:
    """Return where in the document pydantic's location is: without the names of union members."""
    place: list[Any] = []
    for n, part in enumerate(location):
        if (isinstance(data, list) and isinstance(part, int)) or (isinstance(data, dict) and part in data):
            data = data[part]
        elif n < len(location) - 1 or part == "[key]" or not isinstance(data, dict):
            continue
        place.append(part)
    return tuple(place)


def _option_names(annotation: Any, location: tuple[str | int, ...]) -> set[str]:
    """Return the options that are known at a location."""
    for part in location:
        fields = [model.model_fields[part] for model in _models(annotation) if part in model.model_fields]
        # What is no field is a name of the user's own, an index, or a member of a union.
        annotation = fields[0].annotation if fields else annotation
    return {name for model in _models(annotation) for name in model.model_fields}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
