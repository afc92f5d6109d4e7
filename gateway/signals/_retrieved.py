"""Retrieved documents in a text, by the forms in which applications write them into prompts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from gateway.signals.request import objects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Elements that hold a document, or several in elements of their own.
TAG = re.compile(r"<(/?)(document|doc|context|source|passage|chunk|search_result)\b([^<>]{0,256})>", re.IGNORECASE)
#: Elements in which a `source` says only where the document is from.
DOCUMENTS = frozenset({"document", "doc", "passage", "chunk", "search_result"})
#: How many elements may have been left open before one that is closed.
MAX_UNCLOSED = 8
#: A line that says that documents follow, and how each of them begins.
HEADING = re.compile(
    r"^[#* ]{0,6}(?:context|documents|sources|passages|references|excerpts|search results|retrieved \w{1,20})"
    r"[* ]{0,3}:",
    re.IGNORECASE | re.MULTILINE,
)
ITEM = re.compile(
    r"^[ \t]{0,4}(?:\[\d{1,3}\]|\[?(?:document|doc|source|passage|excerpt|result) ?#?\d{1,3}\]?[:.)\n ])",
    re.IGNORECASE | re.MULTILINE,
)
#: What the first item of a list, or the one after it, has.
FIRST_ITEMS = ("[0]", "[1]", "[2]", "1:", "1]", "1.", "1)", "1\n")
#: What LangChain's and LlamaIndex's prompts say before the documents, and the line that ends them.
INTRODUCTIONS = re.compile(
    r"use the following (?:pieces|parts|bits) of (?:retrieved )?(?:context|information)[^\n]{0,400}\n"
    r"|context information (?:from multiple sources )?is below\.?[ \t]*\n",
    re.IGNORECASE,
)
END = re.compile(
    r"^(?:-{5,}[ \t]*$(?=\s*(?:given|using|based))|(?:question|query|helpful answer|answer|user)[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
#: Members of a search's result: where its list stands, what a document says, and what else marks it as one.
LISTS = ("results", "documents", "data", "hits", "matches", "sources", "chunks", "items", "content")
TEXTS = ("text", "content", "snippet", "page_content", "passage", "body", "excerpt", "summary")
MARKS = frozenset({"url", "uri", "link", "source", "score", "title", "file_id", "filename", "metadata", "document_id"})


def in_prose(text: str) -> list[str]:
    """Return the documents in a prompt's text: elements, else numbered items, else the paragraphs of a known prompt."""
    # Most texts hold none of these, and a plain search for what all forms have takes a tenth of an expression's time.
    found = _elements(text) if "</" in text else []
    found = found or (_numbered(text) if any(first in text for first in FIRST_ITEMS) else [])
    return found or (_introduced(text) if "ontext" in text or "nformation" in text else [])


def in_result(text: str) -> list[str]:
    """Return the documents in the JSON that a search answered; none where it is none."""
    if text.lstrip()[:1] not in ("[", "{"):
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return _in_list(value) if isinstance(value, list) else _in_object(value)


def _in_list(values: Sequence[object]) -> list[str]:
    # A document has a text, and a mark of where it is from.
    found = (text_in(value) for value in objects(values) if not MARKS.isdisjoint(value))
    return [text for text in found if text is not None]


def _in_object(value: Mapping[str, object]) -> list[str]:
    lists = (value.get(member) for member in LISTS)
    found = (_in_list(values) for values in lists if isinstance(values, list))
    return next((texts for texts in found if texts), [])


def text_in(value: Mapping[str, object]) -> str | None:
    """Return what a document says: a text, or the texts of a list of parts; None where it says nothing."""
    for member in TEXTS:
        text = value.get(member)
        if isinstance(text, str):
            return text
        if parts := [part["text"] for part in objects(text) if isinstance(part.get("text"), str)]:
            return "\n".join(parts)
    return None


def _elements(text: str) -> list[str]:
    """Return what stands in elements that hold no other document."""
    opened: list[_Element] = []
    found: list[str] = []
    for tag in TAG.finditer(text):
        name = tag[2].lower()
        if tag[3].endswith("/") or (name == "source" and opened and opened[-1].name in DOCUMENTS):
            continue
        if not tag[1]:
            opened.append(_Element(name, tag.end(), len(found)))
        elif (element := _closed(opened, name)) is not None and element.found == len(found):
            found.append(text[element.start : tag.start()])
    return found


class _Element(NamedTuple):
    """An element that is open: where its content starts, and how many documents had been found by then."""

    name: str
    start: int
    found: int


def _closed(opened: list[_Element], name: str) -> _Element | None:
    """Take the element that a closing tag ends from the open ones, and those in it that were never closed."""
    for depth in range(1, min(len(opened), MAX_UNCLOSED) + 1):
        if opened[-depth].name == name:
            element = opened[-depth]
            del opened[-depth:]
            return element
    return None


def _numbered(text: str) -> list[str]:
    heading = HEADING.search(text)
    if heading is None:
        return []
    starts = [item.start() for item in ITEM.finditer(text, heading.end())]
    ends = [*starts[1:], _end(text, starts[-1]) if starts else 0]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)] if starts else []


def _introduced(text: str) -> list[str]:
    introduction = INTRODUCTIONS.search(text)
    if introduction is None:
        return []
    passage = text[introduction.end() : _end(text, introduction.end())].strip("-= \t\n")
    return [paragraph for paragraph in PARAGRAPH.split(passage) if paragraph.strip("-= \t\n")]


def _end(text: str, start: int) -> int:
    end = END.search(text, start)
    return end.start() if end else len(text)
