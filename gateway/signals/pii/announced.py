"""Names that the words about them announce: "my name is", "Mr.", "Dear", a signature, a field of a form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.finding import Finding
from gateway.signals.pii.lexicon import words_of
from gateway.signals.pii.words import RUN, WORD, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from gateway.signals.pii.lexicon import Lexicon

_WORD: Final = re.compile(WORD)
_NAME: Final = rf"(?P<name>{RUN})"
_TITLE: Final = re.compile(
    r"(?<![\w])(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Dame|Mme|Mlle|Monsieur|Madame|Mademoiselle|Herrn?|Frau"
    r"|Señor(?:a|ita)?|Sra?|Srta|Doña|Sig|Sig\.ra|Signora?|Dott|Dott\.ssa|Dottoressa|Dottor|Dhr|Mevr|Mevrouw|Meneer"
    rf"|[Pp]ani?|Senhora?|\u0433-н|\u0433-жа)\.? {_NAME}"
)
_SAID: Final = re.compile(
    r"(?<![\w])(?i:(?:my|full|legal|her|his|their) (?:full |legal |real )?name(?: is|'s|\u2019s)"
    r"|(?:customer|patient|client|wife|husband|son|daughter|boss|friend"
    r"|employee)(?:['\u2019]s)? name is|i am called|people call me|ich heiße"
    r"|mein name ist|je m['\u2019]appelle|mon nom est|me llamo|mi nombre es|mi chiamo|il mio nome è"
    r"|mijn naam is|ik heet"
    rf"|(?:o )?meu nome é|chamo-me|nazywam się|jag heter|jeg heter|меня зовут),? {_NAME}"
)
_SELF: Final = re.compile(
    r"(?<![\w])(?i:i am|i'm|i\u2019m|this is|ich bin|je suis|soy|sono|ik ben|sou|eu sou|jag är"
    r"|speaking with|spoke (?:to|with)"
    rf"|named|call me|addressed to|on behalf of|signed by|written by) {_NAME}"
)
_DEAR: Final = re.compile(
    r"(?<![\w])(?:Dear|Lieber?|Chère?|Cher|Estimad[oa]|Querid[oa]|Gentile|Car[oa]|Beste|Prezad[oa]|Kära?|Szanown[ya])"
    rf" {_NAME}(?=[,!:\n])"
)
_SIGNED: Final = re.compile(
    r"(?i:regards|sincerely|cheers|thanks|thank you|wishes|truly|respectfully|grüßen|grüße|cordialement|saludos|saluti"
    rf"|groeten|atenciosamente|pozdrawiam)[,.!]?[ \t]{{0,3}}\n[\s-]{{0,4}}{_NAME}(?=\s{{0,3}}(?:\n|$))"
)
_FIELD: Final = re.compile(
    r"(?<![\w] )(?<![\w-])(?i:(?:full|first|last|given|family|middle|contact|patient|customer|client"
    r"|employee|account holder"
    r"|cardholder|applicant|passenger|guest)?[ _]?(?:sur)?name|nombre(?: completo)?|apellidos?|nom"
    r"|prénom|vorname|nachname"
    r"|cognome|nome(?: completo)?|naam|sender|recipient|attn|attention|cardholder|patient|customer"
    r"|client|employee|applicant"
    rf"|passenger|beneficiary|signed|from|to|cc|contact|имя|фио)[\"']?\s{{0,2}}[:=]\s{{0,2}}[\"']?{_NAME}"
)
_ROLE: Final = re.compile(
    r"(?<![\w])(?i:patient|customer|client|employee|colleague|co-?worker|applicant|tenant|student|neighbou?r|husband|wife"
    r"|boyfriend|girlfriend|brother|sister|daughter|landlord|boss|supervisor|passenger|contractor|kunde|kundin|patientin"
    rf"|mitarbeiter|mitarbeiterin|paciente|empleado|empleada|cliente|paziente|dipendente|employée?"
    rf"|klant|collega),? {_NAME}"
)
_LOWER: Final = re.compile(
    r"(?<![\w])(?i:my name is|my name's|ich heiße|je m'appelle|me llamo|mi chiamo) ([^\W\d_]{2,30})"
)
#: Chinese, Japanese and Korean have neither capitals nor spaces between names.
_HAN: Final = re.compile(
    r"(?:我叫|我的名字(?:是|叫)|姓名[::]\s?|名叫|名前は|氏名[::]\s?|이름은 ?"
    r"|성명[::]\s?)([\u3400-\u9fff\uac00-\ud7a3]{2,4})"
)
_NOT_NAMES: Final = words_of("not names")


def names(text: str, known: Lexicon) -> Iterator[Finding]:
    """Yield the names that are announced."""
    lower = text.lower()
    for pattern, accepts, hints in _ANNOUNCED:
        for match in pattern.finditer(text) if any(hint in lower for hint in hints) else ():
            words = _leading([Word.of(word, match.start("name"), known) for word in _WORD.finditer(match["name"])])
            if words and accepts(words) and _unknown_to_fame(pattern, match, words, known):
                yield Finding("name", words[0].start, words[-1].end)
    for match in _LOWER.finditer(text) if any(hint in lower for hint in _SAYING) else ():
        if "G" in (kinds := known.of(match[1])) and "A" not in kinds:
            yield Finding("name", *match.span(1))
    yield from (Finding("name", *match.span(1)) for match in _HAN.finditer(text))


def _leading(words: Sequence[Word]) -> list[Word]:
    """Return the words before the first that is no name; four at most."""
    kept: list[Word] = []
    for word in words[:4]:
        if not (word.initial or _may_name(word)):
            break
        kept.append(word)
    return kept


def _may_name(word: Word) -> bool:
    return (word.given or word.surname or not word.known) and word.folded not in _NOT_NAMES


def _person(words: Sequence[Word]) -> bool:
    return not words[0].initial or len(words) > 1


def _given(words: Sequence[Word]) -> bool:
    return words[0].strong


def _field(words: Sequence[Word]) -> bool:
    first, *others = words
    unknown = not any(word.known for word in words)
    return first.strong or (bool(others) and (first.given or unknown or any(word.only_surname for word in others)))


def _signature(words: Sequence[Word]) -> bool:
    return words[0].given or len(words) > 1


def _two(words: Sequence[Word]) -> bool:
    return len(words) > 1 and all(word.initial or not word.common or word.strong for word in words)


def _unknown_to_fame(pattern: re.Pattern[str], match: re.Match[str], words: Sequence[Word], known: Lexicon) -> bool:
    """Tell whether a title before the name does not make it a famous one; who introduces himself by it counts."""
    name = " ".join(word.folded for word in words)
    title = match[0].partition(" ")[0].lower().rstrip(".")
    return pattern is not _TITLE or not {name, f"{title} {name}"} & known.famous


#: Without one of its hints an expression cannot match: looking for them is far faster.
_SAYING: Final = words_of("hints of saying")
_ANNOUNCED: Final[tuple[tuple[re.Pattern[str], Callable[[Sequence[Word]], bool], Collection[str]], ...]] = (
    (_TITLE, _person, words_of("hints of title")),
    (_SAID, _person, _SAYING),
    (_SELF, _given, words_of("hints of self")),
    (_DEAR, _signature, words_of("hints of dear")),
    (_SIGNED, _signature, frozenset({"\n"})),
    (_FIELD, _field, frozenset({":", "="})),
    (_ROLE, _two, words_of("hints of role")),
)
