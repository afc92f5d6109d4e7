"""The documentation as tests see it: pages, their fenced blocks, their headings and links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
#: Every page, those of the root first.
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)

_FENCE = re.compile(
    r"(?:^<!-- test: (?P<directive>[^>]*?) -->\n+)?^```(?P<language>[a-z]*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and what the comment before it tells the tests (`<!-- test: ... -->`).

    `skip REASON`: it is not run. `output`: it is what the block before it prints, `...` standing for anything.
    `until`: it is run again until it succeeds and prints that. `file NAME`: it is written to that file.
    """

    page: Path
    line: int
    language: str
    code: str
    directive: str

    @property
    def place(self) -> str:
        """Return where it is, as editors understand it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def argument(self) -> str:
        """Return what follows the directive's first word."""
        return self.directive.partition(" ")[2]


def blocks(page: Path) -> Iterator[Block]:
    """Yield a page's fenced blocks, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("language")) + 1
        yield Block(page, line, match["language"], match["code"], match["directive"] or "")


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Return where a page's links lead."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in _HEADING.findall(prose(page))}


def section(page: Path, title: str) -> str:
    """Return the text below a heading, up to the next one of its level or above; empty where there is none."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) +{re.escape(title)}$", text, re.MULTILINE)
    if found is None:
        return ""
    end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(text, found.end())
    return text[found.end() : end.start() if end else len(text)]
