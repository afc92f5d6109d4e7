"""Retrieved documents that a request brings with it: how many, and how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals._retrieved import in_prose, in_result, text_in
from gateway.signals.base import Kind
from gateway.signals.request import objects, texts_of
from gateway.signals.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message
    from routers.types import Feature, FloatArray

#: Texts are read from the last message back, until so many characters have been.
READ_CHARACTERS = 131_072
#: Types of content parts that are documents.
PARTS = frozenset({"document", "search_result"})


class Documents:
    """Counts retrieved documents by the conventions of `gateway.signals._retrieved`; 0 where none is found.

    Prose that follows none of them is not found, and where a prompt numbers nothing its paragraphs are counted. The
    request's own list, `documents`, counts as it stands.
    """

    name = "documents"
    reads_embedding = False
    #: A long prompt of many documents takes about a millisecond.
    blocking = True
    provides: ClassVar[Mapping[str, Kind]] = {"documents": Kind.NUMBER, "documents.tokens": Kind.NUMBER}

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the number of documents, and their tokens."""
        found = [*_listed(request.body), *_in_messages(request.prompt.messages)]
        tokens = round(estimate_tokens("\n".join(found)))
        return {"documents": float(len(found)), "documents.tokens": float(tokens)}


def _listed(body: Mapping[str, Any]) -> list[str]:
    """Return the texts of the body's own list of documents; one without a text counts as well."""
    documents = body.get("documents")
    if not isinstance(documents, list):
        return []
    plain = [document for document in documents if isinstance(document, str)]
    return plain + [_said(document) for document in objects(documents)]


def _said(document: Message) -> str:
    """Return a document's text, which may be in its `data` or `source`; nothing for one of bytes."""
    if (text := text_in(document)) is not None:
        return text
    inner = next((value for member in ("data", "source") if isinstance(value := document.get(member), dict)), {})
    data = inner.get("data") if inner.get("type") == "text" else None
    return data if isinstance(data, str) else text_in(inner) or ""


def _in_messages(messages: list[Message]) -> Iterator[str]:
    left = READ_CHARACTERS
    for message in reversed(messages):
        if message.get("role") == "assistant":
            continue
        for part in objects(message.get("content")):
            if isinstance(kind := part.get("type"), str) and kind in PARTS:
                yield _said(part)
        for text in texts_of(message.get("content")):
            if left <= 0:
                return
            yield from _in_text(message, text[:left])
            left -= len(text)


def _in_text(message: Message, text: str) -> list[str]:
    results = in_result(text) if message.get("role") in ("tool", "function") else []
    return results or in_prose(text)
