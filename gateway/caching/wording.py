"""What a question asks for, in words: what is left when greetings, pleas and idle words are taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.caching._words import IDLE, WHETHER

#: A word, a number or an identifier, with what joins its parts, and a number's sign.
_TOKEN = re.compile(r"(?:(?<!\w)[-+\u2212](?=\d))?\w+(?:[.,:/'\u2019@_-]\w+)*")
#: What is quoted is meant letter by letter.
_QUOTED = re.compile(r'"([^"]*)"|`([^`]*)`|“([^”]*)”|«([^»]*)»')
#: Punctuation that says nothing by itself, and signs that say something but make no formula.
_PLAIN: Final = frozenset(".,;:!?'\u2019\"“”«»-()")
_MODEST: Final = frozenset("%$€£&")
_SENTENCE_END: Final = (".", "!", "?", ":", "\n")
_GREETING = r"(?:hi|hello|hey|ok|okay|please|pls|kindly|just|i have a question)\b[\s,.!:]*"
_WISH = r"(?:i (?:really )?(?:want|need|wish|would like|wanna)|i'd like)(?: to| you to)?"
_PLEA = r"(?:(?:can|could|would|will) you|do you|i have to|help me(?: to)?|go ahead and)"
_TELLING = r"(?:tell me(?: about)?|show me|give me|inform me(?: of)?|let me know|know)\b[\s,:]*"
#: How a question may begin without saying anything yet, again and again.
_FRAME = re.compile(
    rf"{_GREETING}|(?:(?:{_WISH}|{_PLEA}) )?(?:please )?{_TELLING}|(?:{_WISH}|{_PLEA}) (?=\w)", re.IGNORECASE
)
#: The ways to ask for a way.
_HOW_TO = re.compile(
    r"\bhow (?:(?:do|can|could|would|might) (?:i|you|we|one)|to|(?:i|you|we|one) (?:can|could|might))\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Wording:
    """A question's words that say something, in lower case and in order; `names` of them have capitals.

    `signs` are what is neither word nor plain punctuation, `quoted` what is to be taken letter by letter. With
    formulae, code or quotes it is `literal`: no word is idle.
    """

    words: tuple[str, ...]
    names: frozenset[str]
    signs: str
    quoted: tuple[str, ...]
    literal: bool

    def same(self, other: Wording) -> bool:
        """Tell whether two questions are worded alike, idle words and polite beginnings aside."""
        return (self.words, self.signs, self.quoted) == (other.words, other.signs, other.quoted)


def wording_of(text: str) -> Wording:
    """Return how a question is worded."""
    signs = "".join(sign for sign in _TOKEN.sub("", text) if not sign.isspace() and sign not in _PLAIN)
    quoted = tuple("".join(groups) for groups in _QUOTED.findall(text))
    literal = bool(quoted) or not _MODEST.issuperset(signs)
    tokens = _tokens(text)
    names = frozenset(_plain(token) for token, begins in tokens if not begins and _has_capital(token))
    words = tuple(_plain(token) for token, _ in tokens) if literal else _telling(text)
    return Wording(words, names, signs, quoted, literal)


def _telling(text: str) -> tuple[str, ...]:
    """Return the words that say something."""
    tokens = _tokens(_HOW_TO.sub("how", _unframed(text)))
    words = [_plain(token) for token, begins in tokens if not _is_idle(token, begins=begins)]
    asks = bool(tokens) and _plain(tokens[0][0]) in WHETHER
    return (*(("whether",) if asks else ()), *words)


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Return a text's words and numbers, each with whether a sentence begins with it."""
    return [(match[0], _begins(text, match.start())) for match in _TOKEN.finditer(text)]


def _unframed(text: str) -> str:
    """Return a text without its polite beginnings; what is written with capitals there is no name."""
    text = text.replace("\u2019", "'").strip()
    while (match := _FRAME.match(text)) and match.end():
        text = text[match.end() :]
    return text


def _plain(token: str) -> str:
    return token.lower().replace("\u2019", "'").removesuffix("'s")


def _is_idle(token: str, *, begins: bool) -> bool:
    """Tell whether a word is idle; with a capital within a sentence it is a name: vitamin A, The Who."""
    return _plain(token) in IDLE and (begins or token[0].islower())


def _has_capital(word: str) -> bool:
    return word != "I" and any(sign.isupper() for sign in word)


def _begins(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t'\u2019(*-")
    return not before or before.endswith(_SENTENCE_END)
