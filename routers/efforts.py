"""How much a model is to reason, as part of a candidate's name: `gpt-5@low`, `gpt-5@budget:2048,max_tokens:4000`.

A name without it is the model as it is asked: with whatever effort the client, or the endpoint, has in mind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

#: From no reasoning at all to as much as there is. `off` is another word for `none`.
LEVELS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
#: Tokens that anybody would allow for reasoning, or for an answer.
MOST_TOKENS: Final = 1_000_000
#: What may stand behind the `@`, for messages.
GRAMMAR: Final = f"one of off, {', '.join(LEVELS)} or budget:TOKENS, then perhaps ,max_tokens:TOKENS; or that alone"

_OFF: Final = "off"
_FORM: Final = re.compile(
    rf"(?:(?P<level>{'|'.join((_OFF, *LEVELS))})|budget:(?P<budget>[1-9][0-9]{{0,6}}))?"
    r"(?P<comma>,)?(?:max_tokens:(?P<most>[1-9][0-9]{0,6}))?"
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How a model is asked: at a level or within a `budget` of tokens (both None: as the client has it).

    `max_tokens` is how long an answer may be, its reasoning included; None: as the client has it.

    >>> str(Effort.read("off,max_tokens:500"))
    'none,max_tokens:500'
    """

    level: str | None = None
    budget: int | None = None
    max_tokens: int | None = None

    @classmethod
    def read(cls, text: str) -> Effort:
        """Return what stands behind the `@`. Raises `ValueError` where that is no effort."""
        match = _FORM.fullmatch(text)
        if match is None or not text:
            raise ValueError(f"{text!r} is no effort: write {GRAMMAR}")
        level, budget, most = match["level"], _number(match["budget"]), _number(match["most"])
        if (match["comma"] is not None) != (most is not None and (level is not None or budget is not None)):
            raise ValueError(f"{text!r} is no effort: a comma stands between two parts; write {GRAMMAR}")
        return cls("none" if level == _OFF else level, budget, most)

    def __post_init__(self) -> None:
        """Refuse tokens beyond all measure, and a budget that leaves no room for the answer."""
        if max(self.budget or 0, self.max_tokens or 0) > MOST_TOKENS:
            raise ValueError(f"{self} is out of range: at most {MOST_TOKENS} tokens")
        if self.budget is not None and self.max_tokens is not None and self.budget >= self.max_tokens:
            raise ValueError(f"budget:{self.budget} must be below max_tokens:{self.max_tokens}, or no answer follows")

    @property
    def reasoning(self) -> tuple[str | None, int | None]:
        """Return level and budget; both are None where nothing is said of reasoning."""
        return self.level, self.budget

    def __str__(self) -> str:
        """Return it as it is written, `none` for `off`."""
        budget = None if self.budget is None else f"budget:{self.budget}"
        most = None if self.max_tokens is None else f"max_tokens:{self.max_tokens}"
        return ",".join(part for part in (self.level, budget, most) if part is not None)


#: As the client, or the endpoint, has it.
AS_ASKED: Final = Effort()


@lru_cache(maxsize=4096)
def split(name: str) -> tuple[str, Effort]:
    """Return the model that a candidate's name stands for, and its effort.

    A name whose end is no effort is all of it the model's.

    >>> split("gpt-5@low")
    ('gpt-5', Effort(level='low', budget=None, max_tokens=None))
    >>> split("claude@vertex")[0]
    'claude@vertex'
    """
    base, at, written = name.rpartition("@")
    if not (base and at):
        return name, AS_ASKED
    try:
        return base, Effort.read(written)
    except ValueError:
        return name, AS_ASKED


def base_of(name: str) -> str:
    """Return the model that a candidate's name stands for."""
    return split(name)[0]


def stands_for(name: str, names: Collection[str]) -> bool:
    """Tell whether a candidate, or its model, is among some names: a model's name stands for all its efforts."""
    return name in names or base_of(name) in names


def _number(digits: str | None) -> int | None:
    return None if digits is None else int(digits)
