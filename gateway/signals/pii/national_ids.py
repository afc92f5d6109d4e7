"""National identity numbers: their forms by country, checked by `identity_checks`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.signals.pii import identity_checks as checks
from gateway.signals.pii.checksums import luhn, mod_11_10, verhoeff
from gateway.signals.pii.finding import Finding
from gateway.signals.pii.labels import Labels, labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WORDS: Final = labels(
    "ssn|itin|social security(?: number)?|social insurance(?: number)?|sin|nino"
    "|national insurance(?: number)?|ni number"
    "|nin|national|identity|identification|id card|id|id number|ids|tax|taxpayer|tin|citizen|passport|personal number"
    "|personal code|steuer|steuer-?id|steueridentifikationsnummer|steuernummer|identifikationsnummer|idnr"
    "|sozialversicherungsnummer|rentenversicherungsnummer|ausweis|personalausweis|sécu|sécurité sociale|nir|insee"
    "|identité|dni|nie|nif|identidad|identificación|codice fiscale|fiscale|bsn|burgerservicenummer|sofinummer"
    "|identiteitskaart|rijksregisternummer|pesel|personnummer|hetu|henkilötunnus|fødselsnummer|cpr|cpr-nummer|aadhaar"
    "|aadhar|uidai|pan|permanent account number|cpf|rut|curp|cnp|oib|tckn|tc kimlik|kimlik|teudat zehut|zehut|isikukood"
    "|asmens kodas|rodné číslo|egn|егн|инн|снилс|amka|αμκα|ahv|avs|身份证|身份證|身份证号|身份证号码|주민등록번호"
)

#: Nine digits without a check: "id" alone says too little.
_UNITED_STATES: Final = labels("ssn|itin|social security(?: number)?|tax|taxpayer|tin|national|identity|identification")


@dataclass(frozen=True, slots=True)
class Identity:
    """A form of number. `sure`: its form and check digits are enough, where no word says that it is something else."""

    name: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    sure: bool
    words: Labels = _WORDS


def _identity(name: str, pattern: str, valid: Callable[[str], bool], *, sure: bool, words: Labels = _WORDS) -> Identity:
    return Identity(name, re.compile(rf"(?<![\w.+/-])(?:{pattern})(?![\w]|[-./]\w)"), valid, sure, words)


_MONTH: Final = "[ABCDEHLMPRST]"
_OMO: Final = "[0-9LMNPQRSTUV]"
IDENTITIES: Final = (
    _identity("us_ssn", r"\d{3}-\d{2}-\d{4}", checks.ssn, sure=True),
    _identity("us_ssn_bare", r"\d{3} ?\d{2} ?\d{4}", checks.ssn, sure=False, words=_UNITED_STATES),
    _identity(
        "gb_nino",
        r"(?ai:(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]|QQ) ?\d{2}([ -]?)\d{2}\1\d{2} ?[A-D]"
        r"|ZZ ?\d{2}([ -]?)\d{2}\2\d{2} ?T)",
        checks.nino,
        sure=True,
    ),
    _identity(
        "es_dni", r"(?ai:(?:\d{8}|\d{2}\.\d{3}\.\d{3}|[XYZ][- ]?\d{7})[- ]?[A-HJ-NP-TV-Z])", checks.dni, sure=True
    ),
    _identity(
        "it_codice_fiscale",
        rf"(?ai:[A-Z]{{3}} ?[A-Z]{{3}} ?{_OMO}{{2}}{_MONTH}{_OMO}{{2}} ?[A-Z]{_OMO}{{3}}[A-Z])",
        checks.codice_fiscale,
        sure=True,
    ),
    _identity(
        "fr_nir",
        r"[123478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
        checks.nir,
        sure=True,
    ),
    _identity("de_steuer_id", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", checks.steuer_id, sure=True),
    _identity("de_rvnr", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", checks.versicherungsnummer, sure=True),
    _identity("nl_bsn", r"\d{9}|\d{4}\.\d{2}\.\d{3}", checks.bsn, sure=False),
    _identity("pl_pesel", r"\d{11}", checks.pesel, sure=False),
    _identity("se_personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}|(?:19|20)\d{10}", checks.personnummer, sure=True),
    _identity("se_personnummer_bare", r"\d{10}", checks.personnummer, sure=False),
    _identity("in_aadhaar", r"(?<!\d{4}[ -])[2-9]\d{3}([ -])\d{4}\1\d{4}(?![ -]\d)", verhoeff, sure=True),
    _identity("in_aadhaar_bare", r"[2-9]\d{11}", verhoeff, sure=False),
    _identity("in_pan", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", checks.any_number, sure=False),
    _identity("br_cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", checks.cpf, sure=True),
    _identity("br_cpf_bare", r"\d{11}", checks.cpf, sure=False),
    _identity("cn_resident", r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]", checks.resident, sure=True),
    _identity("fi_hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", checks.hetu, sure=True),
    _identity("no_fodselsnummer", r"\d{6} ?\d{5}", checks.fodselsnummer, sure=True),
    _identity("ch_ahv", r"756\.\d{4}\.\d{4}\.\d{2}|756\d{10}", checks.ahv, sure=True),
    _identity("kr_rrn", r"\d{6}-\d{7}", checks.rrn, sure=True),
    _identity("tr_tckn", r"[1-9]\d{10}", checks.tckn, sure=True),
    _identity("ro_cnp", r"[1-9]\d{12}", checks.cnp, sure=True),
    _identity("be_rijksregister", r"\d{11}|\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", checks.rijksregister, sure=True),
    _identity("ee_isikukood", r"[1-6]\d{10}", checks.isikukood, sure=True),
    _identity("cl_rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", checks.rut, sure=True),
    _identity("cl_rut_bare", r"\d{7,8}-[\dkK]", checks.rut, sure=False),
    _identity("mx_curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", checks.curp, sure=True),
    _identity("cz_rodne_cislo", r"\d{6}/\d{4}", checks.rodne_cislo, sure=True),
    _identity("dk_cpr", r"\d{6}-?\d{4}", checks.cpr, sure=False),
    _identity("ca_sin", r"\d{3}([ -]?)\d{3}\1\d{3}(?![ -]\d)", luhn, sure=False),
    _identity("il_teudat", r"\d{9}", luhn, sure=False),
    _identity("hr_oib", r"\d{11}", mod_11_10, sure=False),
    _identity("pt_nif", r"\d{9}|\d{3} \d{3} \d{3}(?! \d)", checks.nif, sure=False),
    _identity("gr_amka", r"\d{11}", checks.amka, sure=False),
    _identity("ru_inn", r"\d{12}", checks.inn, sure=False),
    _identity("bg_egn", r"\d{10}", checks.egn, sure=False),
)
_SEPARATORS: Final = re.compile(r"[ ./-]")
_DIGITS: Final = re.compile(r"\d+")
#: How far apart digits of one number stand at most, and what may stand before the first and after the last.
_GAP, _BEFORE, _AFTER = 8, 8, 4
#: The fewest digits of a number, and of one that begins with letters.
_FEWEST, _FEWEST_AFTER_LETTERS = 6, 4


def national_ids(text: str) -> Iterator[Finding]:
    """Yield identity numbers that keep to their country's rules."""
    for start, end in _clusters(text):
        for identity in IDENTITIES:
            for match in identity.pattern.finditer(text, start, end):
                if identity.valid(_compact(match[0])) and _meant(identity, text, match):
                    yield Finding("national_id", *match.span())


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches in which digits stand close enough together to be a number: most of a text is none."""
    start, end, count = 0, -_GAP - 1, 0
    for match in _DIGITS.finditer(text):
        if match.start() - end > _GAP:
            if _enough(text, start, count):
                yield max(0, start - _BEFORE), end + _AFTER
            start, count = match.start(), 0
        end, count = match.end(), count + match.end() - match.start()
    if _enough(text, start, count):
        yield max(0, start - _BEFORE), end + _AFTER


def _enough(text: str, start: int, count: int) -> bool:
    return count >= _FEWEST or (count >= _FEWEST_AFTER_LETTERS and text[max(0, start - 1) : start].isupper())


def _compact(written: str) -> str:
    return _SEPARATORS.sub("", written).replace("+", "").upper()


def _meant(identity: Identity, text: str, match: re.Match[str]) -> bool:
    said = identity.words.says(text, *match.span())
    return said is True or (identity.sure and said is None)
