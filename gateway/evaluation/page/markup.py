"""Markup that cannot be broken by the names in it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What an attribute may be: None and False leave it out, True writes its name alone.
Value = str | int | float | bool | None

EMPTY_ELEMENTS = frozenset({"br", "col", "img", "input", "line", "circle", "rect", "link", "meta"})


class Markup(str):
    """Text that is HTML already. All other text is escaped where it enters an element."""

    __slots__ = ()


def tag(element: str, *children: str, **attributes: Value) -> Markup:
    """Return an element. An attribute's trailing underscore is dropped, and others become hyphens.

    Example:
        >>> tag("td", "a < b", class_="name", data_value=1)
        '<td class="name" data-value="1">a &lt; b</td>'
    """
    head = "".join(_attribute(name, value) for name, value in attributes.items())
    if element in EMPTY_ELEMENTS:
        return Markup(f"<{element}{head}>" if element not in {"line", "circle", "rect"} else f"<{element}{head}/>")
    return Markup(f"<{element}{head}>{join(children)}</{element}>")


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Return parts one after the other, escaped unless they are markup."""
    return Markup(between.join(part if isinstance(part, Markup) else escape(part) for part in parts))


def named(name: str) -> Markup:
    """Return a name that somebody chose, kept from changing the direction of the text around it."""
    return tag("bdi", name)


def table(head: Markup, rows: Iterable[Markup], *, label: str, **attributes: Value) -> Markup:
    """Return a table that scrolls by itself, by keyboard too, where it is wider than the page."""
    inner = tag("table", tag("thead", head), tag("tbody", *rows), **attributes)
    return tag("div", inner, class_="scroll", role="region", tabindex=0, aria_label=label)


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(str(value))}"'
