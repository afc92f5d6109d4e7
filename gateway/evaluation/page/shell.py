"""What all reports are: one page that needs nothing else, and a policy by which a browser holds it to that."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from gateway.evaluation.page.markup import Markup, tag


def styled(*further: str) -> str:
    """Return the style of all reports, and that of the packages that have a `page.css` beyond it."""
    sheets = [files("gateway.evaluation") / "page" / "report.css", *(files(name) / "page.css" for name in further)]
    return "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def shell(title: str, style: str, *body: Markup, script: str | None = None) -> str:
    """Return the page: its title, its style, and what its body holds.

    It may do nothing but show its own style. One with a `script`, which its body holds, may run that, and show pictures
    that it has within itself.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_security(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", *body), lang="en") + "\n"


def _security(style: str, script: str | None) -> str:
    rules = ["default-src 'none'", f"style-src {_digest(style)}", "base-uri 'none'", "form-action 'none'"]
    if script is not None:
        rules[1:2] = ["img-src data:", rules[1], f"script-src {_digest(script)}"]
    return "; ".join(rules)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
