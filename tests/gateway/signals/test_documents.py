from __future__ import annotations

import json

import pytest

from gateway.signals.documents import Documents
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal

PAGES = ("Herons stand in shallow water.", "They nest in tall trees, often together.", "Grey herons eat fish.")
LANGCHAIN = "Use the following pieces of context to answer the question at the end. If you don't know, say so.\n\n"
LLAMAINDEX = "Context information is below.\n---------------------\n"


def count(content, role="user", **body):
    features = Documents().read(request({"messages": [{"role": role, "content": content}], **body}), None)
    assert (features["documents"] > 0) == (features["documents.tokens"] > 0)
    return features["documents"]


def search(*pages, **members):
    return [{"text": page, "score": 0.5, **members} for page in pages]


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Documents())


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("".join(f"<document>{page}</document>" for page in PAGES) + "What do herons eat?", 3.0),
        ("".join(f'<doc id="{n}">{page}</doc>\n' for n, page in enumerate(PAGES)), 3.0),
        (f"<context>{PAGES[0]}</context>", 1.0),
        ("<context>" + "".join(f"<source>{page}</source>" for page in PAGES) + "</context>", 3.0),
        (
            "<documents>"
            + "".join(
                f"<document><source>a.txt</source><document_content>{page}</document_content></document>"
                for page in PAGES
            )
            + "</documents>",
            3.0,
        ),
        (f"<DOCUMENT>{PAGES[0]}</DOCUMENT>", 1.0),
        (f"<doc><doc>{PAGES[0]}</doc>", 1.0),
        ("Context:\n" + "\n".join(f"[{n}] {page}" for n, page in enumerate(PAGES, 1)) + "\n\nQuestion: what?", 3.0),
        ("Sources:\n" + "\n".join(f"[{n}]: {page}" for n, page in enumerate(PAGES, 1)), 3.0),
        ("## Documents:\n" + "\n".join(f"Document {n}: {page}" for n, page in enumerate(PAGES, 1)), 3.0),
        ("**Search results:**\n" + "\n".join(f"[{n}] {page}" for n, page in enumerate(PAGES)), 3.0),
        (LANGCHAIN + "\n\n".join(PAGES) + "\n\nQuestion: what?\nHelpful Answer:", 3.0),
        (
            LLAMAINDEX
            + "\n\n".join(PAGES)
            + "\n---------------------\nGiven the context information and not prior knowledge, answer.\nQuery: what?",
            3.0,
        ),
    ],
)
def test_documents_are_found_where_applications_put_them(text, documents):
    """Elements, numbered lists, and the prompts of libraries."""
    assert documents == count(text)
    assert documents == count(text, role="system")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "What do herons eat?",
            "Context: I am a student.",
            "Use <document> for a document.",
            "1. first\n2. second",
        ),
        *(
            "[1] a footnote\n[2] another",
            '<video><source src="a.mp4"></video>',
            "<documents></documents>",
            "Sources: none.",
        ),
        *("A documentary: <b>herons</b>", '[{"text": "a", "score": 1}]', "let context: Context = {x: 1};"),
    ],
)
def test_what_only_looks_like_it_is_none(text):
    """Nothing is found in ordinary requests."""
    assert count(text) == 0.0


@pytest.mark.parametrize(
    "found",
    [
        search(*PAGES),
        {"results": search(*PAGES, url="https://example.org")},
        {
            "object": "vector_store.search_results.page",
            "data": [{"file_id": "f", "score": 1, "content": [{"type": "text", "text": page}]} for page in PAGES],
        },
        {"hits": [{"snippet": page, "link": "https://example.org"} for page in PAGES]},
        {"documents": [{"page_content": page, "metadata": {}} for page in PAGES]},
    ],
)
def test_results_of_a_search_are_documents(found):
    """In the forms that search tools answer in; only where a tool says so."""
    assert count(json.dumps(found), role="tool") == 3.0
    assert count(json.dumps(found), role="user") == 0.0


@pytest.mark.parametrize(
    "found", [[], {}, [1], {"results": []}, {"results": [{"name": "a"}]}, [{"text": "a"}], {"sky": "blue"}, "x"]
)
def test_other_results_are_not(found):
    """A document has a text, and something that says where it is from."""
    assert count(json.dumps(found), role="tool") == 0.0


def test_the_bodys_own_list_counts():
    """As some endpoints take documents."""
    documents = [PAGES[0], {"text": PAGES[1]}, {"id": "3", "data": {"text": PAGES[2]}}]

    assert count("What do herons eat?", documents=documents) == 3.0


def test_content_parts_that_are_documents_count():
    """As Anthropic's API has them; what is bytes has no text."""
    parts = [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": PAGES[0]}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x" * 1000}},
        {"type": "search_result", "source": "https://example.org", "content": [{"type": "text", "text": PAGES[1]}]},
        {"type": "text", "text": "What do herons eat?"},
    ]
    features = Documents().read(request({"messages": [{"role": "user", "content": parts}]}), None)

    assert features["documents"] == 3.0
    assert 5 < features["documents.tokens"] < 50


def test_tokens_are_those_of_the_documents_alone():
    """The question and the instructions are not among them."""
    text = f"<doc>{PAGES[0]}</doc>" + "Now tell me about something else. " * 100
    features = Documents().read(request({"messages": [{"role": "user", "content": text}]}), None)

    assert 4 <= features["documents.tokens"] <= 12


def test_what_an_assistant_wrote_was_not_retrieved():
    """It may quote the form."""
    assert count(f"<doc>{PAGES[0]}</doc>", role="assistant") == 0.0
