"""How providers are told to reason more or less, and at which efforts models are offered, as users write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator

from routers.efforts import LEVELS, Effort

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The styles of `providers.reasoning`.
ReasoningStyle = Literal[
    "effort", "object", "template", "llama.cpp", "anthropic", "deepseek", "google", "mistral", "qwen"
]
#: What a mapping may say members for.
_KEYS: Final = (*LEVELS, "budget")
#: Members that are the client's words, or the gateway's business.
_PROTECTED: Final = frozenset({"model", "messages", "stream", "stream_options"})


def _effort(text: str) -> str:
    Effort.read(text)
    return text


#: An effort as it stands behind the `@`.
EffortText = Annotated[str, AfterValidator(_effort)]


def check_style(mapping: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `ValueError` for an effort that there is not, and for members that may not be set, or are not JSON."""
    for effort, members in mapping.items():
        if effort not in _KEYS:
            raise ValueError(f"{effort!r} is no effort: write {', '.join(_KEYS)}")
        if barred := _PROTECTED & members.keys():
            raise ValueError(f"{effort!r} may not set {', '.join(sorted(barred))}")
        try:
            json.dumps(members, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the members of {effort!r} are not JSON ({error}): quote what is a text") from error
