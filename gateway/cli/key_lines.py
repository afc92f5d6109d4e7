"""Keys for the terminal: a table of many, the lines of one. A key is a dictionary, as the admin API returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What is said of a key even where it has none.
_ALWAYS: Final = ("id", "name", "status", "hint", "created_at")


def table(keys: Iterable[Mapping[str, Any]]) -> Table:
    """Return keys as a table."""
    shown = Table(box=SIMPLE_HEAD)
    for heading in ("id", "name", "status", "secret", "team", "user", "ends", "may ask for"):
        shown.add_column(heading, overflow="fold")
    for key in keys:
        asks = "all" if key["policies"] is None else ", ".join(key["policies"])
        cells = (key["id"], key["name"], key["status"], key["hint"], key["team"], key["user"], key["expires_at"], asks)
        shown.add_row(*(Text(cell or "") for cell in cells))
    return shown


def lines(key: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing that is to be said of a key."""
    said = {name: _words(value) for name, value in key.items() if name != "object"}
    return [f"{name}: {words}" for name, words in said.items() if words or name in _ALWAYS]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_words(part) for part in value.values() if part is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return "" if value is None or value is False else str(value)
