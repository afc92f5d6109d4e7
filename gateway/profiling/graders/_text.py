"""Reading answers: markdown taken off, words, fenced blocks."""

from __future__ import annotations

import re
import unicodedata

FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:\n?```|\Z)", re.DOTALL)
SENTENCE_END = re.compile(r"(?<=\w\w[.!?])\s|\n")
EMPHASIS = re.compile(r"\*\*|__|`")
PREFIX = re.compile(r"^(?:the )?(?:final )?(?:answer|output|result|label|category)\s*(?:is\b|:|=)[\s:]*", re.IGNORECASE)
QUOTES = "\"'“”‘’«»"  # noqa: RUF001  (models do write typographic quotes)
WORD = re.compile(r"\w+(?:['’]\w+)*")  # noqa: RUF001  (as above)


def fenced(answer: str) -> list[str]:
    """Return the contents of the fenced blocks; the last may be unfinished."""
    return [str(block) for block in FENCE.findall(answer)]


def plain(answer: str) -> str:
    """Return the answer without emphasis, backticks, fences and the spaces around."""
    blocks = fenced(answer)
    text = blocks[0] if len(blocks) == 1 and answer.lstrip().startswith("```") else answer
    return EMPHASIS.sub("", text).strip()


def bare(text: str) -> str:
    """Return a short answer without a prefix such as "Answer:", quotes, and the full stop."""
    text = PREFIX.sub("", text.strip()).strip()
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1]
    if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
        text = text[1:-1].removesuffix(".")
    return text.strip()


def normal(text: str) -> str:
    """Return the words in lower case, without accents and punctuation, joined by spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", kept))


def lines(text: str) -> list[str]:
    """Return the lines that hold anything, without the spaces around."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def sentences(text: str) -> list[str]:
    """Return the sentences, as far as punctuation and line ends tell them apart."""
    return [sentence.strip() for sentence in SENTENCE_END.split(text) if sentence.strip()]


def contains(words: str, phrase: str) -> bool:
    """Tell whether normalised words contain a normalised phrase as whole words."""
    return f" {phrase} " in f" {words} "
