"""Which of the user's lists of words occur in a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Literal

from gateway.signals._words import Phrase, View, view_of
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray

    Views = Callable[[str, bool], View]

#: Of a longer text, half of it from the beginning and half from the end is read.
READ_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class Keywords:
    """A list of words and phrases (`any_of`) and of regular expressions, under a name.

    With `every` it occurs where each of them occurs, else where one does. `scope` is where to look: the last user turn,
    or all messages. Raises `ValueError` where it is empty, or where an expression is not one.
    """

    name: str
    any_of: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    every: bool = False
    case_sensitive: bool = False
    scope: Literal["user", "all"] = "user"

    def __post_init__(self) -> None:
        """Refuse what can match nothing, or everything."""
        if not (self.any_of or self.regex):
            raise ValueError(f"the keywords {self.name!r} are empty: give words in `any`, or expressions in `regex`")
        if blank := [word for word in self.any_of if not word.strip()]:
            raise ValueError(f"the keywords {self.name!r} hold {blank[0]!r}, which is no word: leave it out")
        for expression in self.regex:
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(
                    f"the keywords {self.name!r} hold {expression!r}, which is no regular expression: {error}"
                ) from error


class KeywordLists:
    """Names the lists that occur; none is an empty list.

    Words are found at word boundaries, except in scripts that write words together. Case is folded and accents are
    composed. At most `READ_CHARACTERS` of a text are read.
    """

    name = "keywords"
    reads_embedding = False
    #: A long text takes a millisecond, and an expression of the user's any time at all.
    blocking = True
    provides: ClassVar[Mapping[str, Kind]] = {"keywords": Kind.TEXTS}

    def __init__(self, lists: Sequence[Keywords]) -> None:
        names = [keywords.name for keywords in lists]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two lists of keywords are called {repeated[0]!r}: rename one")
        self._searches = [_Search(keywords) for keywords in lists]

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the names of the lists that occur, in the order of the configuration."""

        @cache
        def views(scope: str, case_sensitive: bool) -> View:  # noqa: FBT001 - private, and half of a key
            text = request.text if scope == "user" else "\n".join(request.prompt.said)
            return view_of(_ends(text), case_sensitive=case_sensitive)

        return {"keywords": tuple(search.name for search in self._searches if search.finds(views))}


class _Search:
    """A list, compiled."""

    def __init__(self, keywords: Keywords) -> None:
        self.name = keywords.name
        self._view = (keywords.scope, keywords.case_sensitive)
        self._every = keywords.every
        phrases = [Phrase(word, case_sensitive=keywords.case_sensitive) for word in keywords.any_of]
        # Nearly all are single words, and those are looked up together.
        self._words = frozenset(phrase.word for phrase in phrases if phrase.word)
        self._phrases = [phrase for phrase in phrases if not phrase.word]
        flags = re.NOFLAG if keywords.case_sensitive else re.IGNORECASE
        self._patterns = [re.compile(expression, flags) for expression in keywords.regex]

    def finds(self, views: Views) -> bool:
        view = views(*self._view)
        tests = chain(
            (phrase.occurs(view) for phrase in self._phrases),
            (pattern.search(view.text) is not None for pattern in self._patterns),
        )
        if self._every:
            return self._words <= view.words and all(tests)
        return not self._words.isdisjoint(view.words) or any(tests)


def _ends(text: str) -> str:
    if len(text) <= READ_CHARACTERS:
        return text
    return f"{text[: READ_CHARACTERS // 2]}\n{text[-READ_CHARACTERS // 2 :]}"
