"""Who judges whom: no model judges its own family's answers where another can, for judges prefer their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from routers.efforts import base_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: The first word of a model's name: `gpt` of `gpt-5-nano`, `llama` of `meta-llama/Llama-3.3-70B`.
_WORD: Final = re.compile(r"[a-z]+")


def family(model: str, families: Mapping[str, str]) -> str:
    """Return a model's family, whatever its effort: as it is written, else the first word of its name."""
    model = base_of(model)
    if model in families:
        return families[model]
    word = _WORD.search(model.rpartition("/")[2].lower())
    return word[0] if word else model


def judge_for(
    answerers: Collection[str], judges: Sequence[str], barred: Collection[str], families: Mapping[str, str]
) -> str | None:
    """Return who judges the answers of some models, None where nobody may.

    The first judge of another family than all of them; else the first that is none of them itself; else the first.
    Those `barred` must not see the request.
    """
    able = [judge for judge in judges if judge not in barred]
    related = {family(model, families) for model in answerers}
    strangers = [judge for judge in able if family(judge, families) not in related]
    others = [judge for judge in able if judge not in answerers]
    return next(iter([*strangers, *others, *able]), None)
