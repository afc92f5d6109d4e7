"""How long a request is: its prompt, its last user turn, and how long it lets the answer be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gateway.signals.base import Kind
from gateway.signals.token_weights import FAMILIES
from gateway.signals.tokens import ESTIMATED, UNMEASURED, Tokenizer, estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray

#: Longer texts are estimated also where a tokeniser is at hand: counting them would take tens of milliseconds.
COUNTED_CHARACTERS = 200_000
#: Where OpenAI's API has the longest answer that is wanted; the newer name wins.
LIMITS = ("max_completion_tokens", "max_tokens")
#: What is written beyond this limits nothing, and need not be a number that a float can hold.
LARGEST_LIMIT = 10**12


class Length:
    """Measures a request in tokens, by an estimate for a `family` or by a `tokenizer` of the package bpe-openai.

    What the form of a message and an image cost is an estimate in any case. Raises `TokenizerError` where that
    package is wanted and missing, and `ValueError` for a family that `gateway.signals.tokens` does not know.
    """

    name = "length"
    reads_embedding = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "prompt_tokens": Kind.NUMBER,
        "text_tokens": Kind.NUMBER,
        "completion_tokens_limit": Kind.NUMBER,
        "length.exact": Kind.TRUTH,
    }

    def __init__(
        self, *, tokenizer: Literal["estimate", "o200k_base", "cl100k_base"] = "estimate", family: str = ESTIMATED
    ) -> None:
        if family not in (known := (*FAMILIES, *UNMEASURED)):
            raise ValueError(f"the family of tokenisers {family!r} is not known: it is one of {', '.join(known)}")
        self._family = family
        self._tokenizer = None if tokenizer == "estimate" else Tokenizer(tokenizer)
        #: Whether it measures in a way of its own.
        self._measured = self._tokenizer is not None or family != ESTIMATED

    @property
    def blocking(self) -> bool:
        """Tell whether it counts: 0.3 ms for a thousand tokens. The estimate takes less for any text."""
        return self._tokenizer is not None

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the tokens of the prompt and of the last user turn, and whether all of them were counted."""
        prompt, measure = request.prompt, _Measure(self._tokenizer, self._family) if self._measured else None
        # The estimate that is no family's own is one that others want, too.
        tokens = prompt.tokens_by(measure) if measure else prompt.tokens
        features: dict[str, Feature] = {
            "prompt_tokens": float(tokens),
            "text_tokens": float(round((measure or prompt.estimate)(request.text))),
        }
        features["length.exact"] = measure is not None and measure.exact
        if (limit := _limit(request.body)) is not None:
            features["completion_tokens_limit"] = limit
        return features


class _Measure:
    """Says how many tokens a text has, and remembers in `exact` whether all were counted."""

    def __init__(self, tokenizer: Tokenizer | None, family: str) -> None:
        self.exact = tokenizer is not None
        self._tokenizer = tokenizer
        self._family = family

    def __call__(self, text: str) -> float:
        if self._tokenizer is not None and len(text) <= COUNTED_CHARACTERS:
            return self._tokenizer.count(text)
        self.exact = False
        return estimate_tokens(text, self._family)


def _limit(body: Mapping[str, object]) -> float | None:
    for name in LIMITS:
        if name not in body:
            continue
        value = body[name]
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST_LIMIT:
            return float(value)
    return None
