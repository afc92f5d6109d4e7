"""Turns a request's text into numbers that tell of its structure: sizes, quantities, conditions, code, rare words.

Nothing here says what the text is about. Counts enter as log(1 + count), so that no single kind of word decides.
"""

from __future__ import annotations

import re
from bisect import bisect
from math import log, log1p
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.difficulty.cues import CUES, GROUPS_OF_WORD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.types import FloatArray

#: Characters that are read from the beginning and from the end of a text; what lies between is not.
HEAD, TAIL = 1200, 600
#: Words that count as common English ones: at least `MIN_ENGLISH` of a text's words are, if it is English.
COMMON_RANK, MIN_ENGLISH = log(150), 0.12
#: What stands for the rarity of words in a text in which it cannot be told: about the mean of English requests.
NEUTRAL_RANK, NEUTRAL_TOP_RANK = 5.6, 8.4
MAX_DIGITS = 12

_WORD, _ASCII_WORD = re.compile(r"[^\W\d_]+"), re.compile(r"[a-z]+")
_NUMBER = re.compile(r"\d[\d,.]*")
_NAME = re.compile(r" [A-Z]")
_FENCE = re.compile(r"```[^\n]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_CODE_LINE = re.compile(
    r"^[ \t]*(?:[\w.\[\]]+ ?[-+*/]?= ?\S|.*[;{}]\s*$|(?:def|class|for|if|while|return|import)\b.*[:)]$)", re.MULTILINE
)
_OPTION = re.compile(r"^\(?[A-Ja-j1-9][.)] ", re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)]) ", re.MULTILINE)
_LATEX = re.compile(r"\\[A-Za-z]+|\$")
_FOREIGN = re.compile("[^\x00-\u024f]")
_BRACKET = re.compile(r"[(\[{)\]}]")
_QUOTED = re.compile(r"\"[^\"]{12,}\"|“[^”]{12,}”|[:\uff1a]\s?\n?(?P<rest>.{40,})", re.DOTALL)
_INDENT = re.compile(r"^( +|\t+)\S", re.MULTILINE)

NAMES = (
    "log_words",
    "log_characters",
    "word_length",
    "log_sentences",
    "sentence_length",
    "questions",
    "numbers",
    "digits",
    "operators",
    "latex",
    "symbols",
    "code_share",
    "code_lines",
    "indent",
    "mean_rank",
    "top_rank",
    "unknown",
    "not_english",
    "commas",
    "clauses",
    "items",
    "lines",
    "options",
    "names",
    "nesting",
    "quoted_share",
    "instruction_words",
    "brief",
    "repetition",
    "non_latin",
    *CUES,
)


def cut(text: str) -> tuple[str, bool]:
    """Return the text, or its head and tail where it is longer than both, and whether something was left out."""
    if len(text) <= HEAD + TAIL:
        return text, False
    return f"{text[:HEAD]}\n{text[-TAIL:]}", True


def features(text: str, ranks: Mapping[str, float]) -> FloatArray:
    """Return the features `[len(NAMES)]` of a text that `cut` has made short enough.

    `ranks` gives the logarithm of the rank by frequency of each known lower-case word, 0 for the most frequent.
    """
    prose, code = _split(text)
    words = (_ASCII_WORD if prose.isascii() else _WORD).findall(prose.lower())
    values = (
        *_sizes(prose, words),
        *_quantities(prose),
        *_code(text, code),
        *_rarity(words, ranks),
        *_structure(prose),
        *_parts(prose, words),
        *_cues(words),
    )
    return np.array(values, np.float32)


def _split(text: str) -> tuple[str, str]:
    blocks = _FENCE.findall(text) if "```" in text else []
    prose = _FENCE.sub(" ", text) if blocks else text
    return prose, "\n".join(blocks)


def _sizes(prose: str, words: Sequence[str]) -> tuple[float, ...]:
    sentences = 1 + sum(map(prose.count, (". ", "? ", "! ", "\n", "。", "\uff1f")))
    letters = len("".join(words))
    return (
        log1p(len(words)),
        log1p(len(prose)),
        letters / max(1, len(words)),
        log(sentences),
        log1p(len(words) / sentences),
        log1p(prose.count("?") + prose.count("\uff1f")),
    )


def _quantities(prose: str) -> tuple[float, ...]:
    numbers = _NUMBER.findall(prose)
    digits = max((len(number.rstrip(",.")) for number in numbers), default=0)
    operators = sum(map(prose.count, "+*/^=<>%\u00d7÷≤≥"))
    symbols = sum(map(prose.count, "$^_{}[]|\\∑∫√∞∈→∀∃πθλΔαβ"))
    return (
        log1p(len(numbers)),
        float(min(MAX_DIGITS, digits)),
        log1p(operators),
        log1p(len(_LATEX.findall(prose)) if "\\" in prose or "$" in prose else 0),
        symbols / max(1, len(prose)),
    )


def _code(text: str, code: str) -> tuple[float, ...]:
    lines = code.count("\n") + 1 if code else len(_CODE_LINE.findall(text))
    indents = [len(space) for space in _INDENT.findall(code or text)] if lines else []
    return len(code) / max(1, len(text)), log1p(lines), log1p(max(indents, default=0))


def _rarity(words: Sequence[str], ranks: Mapping[str, float]) -> tuple[float, ...]:
    logs = sorted(ranks[word] for word in words if word in ranks)
    if not words or (len(words) > 3 and bisect(logs, COMMON_RANK) < MIN_ENGLISH * len(words)):
        return NEUTRAL_RANK, NEUTRAL_TOP_RANK, 0.0, float(bool(words))
    mean = sum(logs) / len(logs) if logs else NEUTRAL_RANK
    top = logs[int(0.9 * (len(logs) - 1))] if logs else NEUTRAL_TOP_RANK
    return mean, top, 1 - len(logs) / len(words), 0.0


def _structure(prose: str) -> tuple[float, ...]:
    return (
        log1p(prose.count(",") + prose.count("\uff0c") + prose.count("、")),
        log1p(prose.count(";") + prose.count(":") + prose.count(" - ")),
        log1p(len(_ITEM.findall(prose))),
        log1p(prose.count("\n")),
        log1p(len(_OPTION.findall(prose))),
    )


def _parts(prose: str, words: Sequence[str]) -> tuple[float, ...]:
    quoted = sum(len(match.group("rest") or match.group()) for match in _QUOTED.finditer(prose)) / max(1, len(prose))
    return (
        log1p(len(_NAME.findall(prose))),
        float(_depth(prose)),
        quoted,
        log1p(len(words) * (1 - quoted)),
        float(len(words) <= 6),
        1 - len(set(words)) / max(1, len(words)),
        0.0 if prose.isascii() else len(_FOREIGN.findall(prose)) / max(1, len(prose)),
    )


def _depth(prose: str) -> int:
    """Return how deeply round, square and curly brackets nest, four at the most."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(prose):
        depth = depth + 1 if bracket in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return min(4, deepest)


def _cues(words: Sequence[str]) -> list[float]:
    counts = [0] * len(CUES)
    for word in filter(GROUPS_OF_WORD.__contains__, words):
        for group in GROUPS_OF_WORD[word]:
            counts[group] += 1
    return [log1p(count) for count in counts]
