"""What the command line says of a key: ages, quotas and scopes, as texts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

import typer
from pydantic import ValidationError

from gateway.cli.log import moment
from gateway.keys.written import NewKey, Rotation

#: The letters with which an age ends (15m, 24h, 30d).
_UNITS: Final = tuple("smhdw")
_QUOTA: Final = re.compile(r"\s*(?P<amount>[0-9.]+)\s+(?P<unit>[a-z]+)\s*(?:/\s*(?P<window>[a-z]+)\s*)?")


def until(text: str, at: datetime) -> datetime:
    """Return the time that an age from now or an ISO time stands for. Raises `typer.BadParameter`."""
    return at + span(text, at) if text.endswith(_UNITS) else moment(text, at)


def span(text: str, at: datetime) -> timedelta:
    """Return how long an age is. Raises `typer.BadParameter`."""
    if not text.endswith(_UNITS):
        raise typer.BadParameter(f"{text!r} is no age: give one as 0s, 15m, 24h or 7d")
    return at - moment(text, at)


def quota(text: str) -> dict[str, Any]:
    """Return `1000 requests/day`, or `4 concurrent`, by its parts. Raises `typer.BadParameter`."""
    if (found := _QUOTA.fullmatch(text)) is None:
        raise typer.BadParameter(f"{text!r} is no quota: give '1000 requests/day', '5 usd/month' or '4 concurrent'")
    return found.groupdict()


def new_key(given: dict[str, Any]) -> NewKey:
    """Return a key to be made. Raises `typer.BadParameter` for the first thing that cannot be."""
    try:
        return NewKey.model_validate(given)
    except ValidationError as error:
        raise typer.BadParameter(_first(error)) from error


def rotation(grace: timedelta) -> Rotation:
    """Return what a new secret is to be like. Raises `typer.BadParameter`."""
    try:
        return Rotation(grace_s=grace.total_seconds())
    except ValidationError as error:
        raise typer.BadParameter(_first(error)) from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"
