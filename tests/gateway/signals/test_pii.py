from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pii import cases, score
from gateway.signals.pii import KINDS, Finding, find, redact


def kinds(text):
    return [found.kind for found in find(text)]


# Published examples, most from the authorities' own descriptions of their numbers.
NATIONAL = {
    "us": "123-45-6789",
    "us taxpayer": "900-70-0001",
    "gb": "AB 12 34 56 C",
    "es": "12345678Z",
    "es foreigner": "X1234567L",
    "it": "RSSMRA85T10A562S",
    "fr": "2 55 08 14 168 025 38",
    "de": "36 574 261 809",
    "de pension": "65 180539 W 001",
    "se": "811218-9876",
    "fi": "131052-308T",
    "br": "111.444.777-35",
    "cn": "11010519491231002X",
    "ch": "756.9217.0769.85",
    "in": "2341 2341 2346",
    "no": "15021951940",
    "tr": "10000000146",
    "ro": "1800101221144",
    "be": "85.07.30-033.28",
    "ee": "37605030299",
    "cl": "12.531.909-2",
    "mx": "BOXW310820HNERXN09",
    "kr": "971013-9019902".replace("-9", "-1"),
    "cz": "710319/2745",
}
LABELLED = {
    "BSN 111222333": "nl",
    "PESEL 44051401458": "pl",
    "SIN 123 456 782": "ca",
    "CPR 010203-4567": "dk",
    "teudat zehut 039337423": "il",
    "OIB 33392005961": "hr",
    "NIF 501964843": "pt",
    "AMKA 01013099997": "gr",
    "ИНН 500100732259": "ru",
    "ЕГН 7523169263": "bg",
    "SSN: 123456789": "us",
    "CPF 11144477735": "br",
    "PAN ABCPE1234F": "in",
    "aadhaar number 234123412346": "in",
}


@pytest.mark.parametrize("number", NATIONAL.values(), ids=NATIONAL.keys())
def test_identity_numbers_with_a_form_of_their_own_need_no_label(number):
    """The form and the check digits are enough."""
    assert ["national_id"] == kinds(f"Please look up {number} for me.")


@pytest.mark.parametrize("text", LABELLED)
def test_identity_numbers_that_are_mere_digits_need_a_word_that_says_so(text):
    """The same digits without the word are a number like any other."""
    number = text[next(at for at, char in enumerate(text) if char.isdigit() or text[at : at + 4] == "ABCP") :]

    assert ["national_id"] == kinds(f"It is {text}, I think.")
    assert "national_id" not in kinds(f"Product code {number} is out of stock.")


@pytest.mark.parametrize(
    "number",
    [number for name, number in NATIONAL.items() if name not in {"us", "us taxpayer", "gb", "kr"}],
)
def test_a_wrong_check_digit_is_no_identity_number(number):
    """One digit changed, a typing mistake, breaks every scheme."""
    at = max(place for place, char in enumerate(number[:-1]) if char.isdigit())
    wrong = f"{number[:at]}{(int(number[at]) + 1) % 10}{number[at + 1 :]}"

    assert "national_id" not in kinds(f"Please look up {wrong} for me.")


@pytest.mark.parametrize("number", ["000-12-3456", "666-12-3456", "123-00-4567", "123-45-0000", "900-10-1234"])
def test_social_security_numbers_that_are_never_given_out_are_none(number):
    """The rules of the Social Security Administration."""
    assert [] == kinds(f"SSN {number}")


@pytest.mark.parametrize(
    "address",
    ["a.b+c@example.com", "müller@büro.example.de", "x_y@a-b.example.co.uk", "o'neil@example.org", "1@example.io"],
)
def test_finds_addresses_of_mail(address):
    """Letters of all scripts, as RFC 6531 allows."""
    text = f"Write to <{address}>."

    assert [Finding("email", 10, 10 + len(address))] == find(text)


@pytest.mark.parametrize(
    "text", ["jane dot doe at example dot com", "jane [at] example [dot] com", "jane(at)example.com"]
)
def test_finds_addresses_of_mail_that_are_spelt_out(text):
    """A common way to hide from collectors."""
    assert ["email"] == kinds(f"write to {text} please")


@pytest.mark.parametrize(
    "text", ["@user", "a@b", "logo@2x.png", "git@github.com:a/b", "@app.route('/x')", "meet at noon"]
)
def test_a_sign_alone_makes_no_address(text):
    """Names of users, files, repositories and decorators."""
    assert [] == kinds(text)


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "4222222222222",
    ],
)
def test_finds_cards_and_not_those_with_a_wrong_check_digit(number):
    """The test numbers that the issuers publish."""
    assert ["card"] == kinds(f"charge {number} please")
    assert "card" not in kinds(f"charge {number[:-1]}{(int(number[-1]) + 1) % 10} please")


@pytest.mark.parametrize("text", ["9876 5432 1098 7654", "1234567812345670", "0000000000000000", "978-3-16-148410-0"])
def test_numbers_of_no_issuer_are_no_cards(text):
    """Right by Luhn or not."""
    assert "card" not in kinds(text)


@pytest.mark.parametrize(
    "number",
    ["GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000", "NO93 8601 1117 947", "fr1420041010050500013m02606"],
)
def test_finds_accounts_and_not_those_with_wrong_check_digits(number):
    """Examples of the registry of IBANs; nothing that follows belongs to them."""
    assert [Finding("iban", 3, 3 + len(number))] == find(f"to {number} AND more")
    assert "iban" not in kinds(f"to {number[:2]}00{number[4:]} please")


@pytest.mark.parametrize(
    "text", ["10.1.2.3", "192.168.1.17", "203.0.113.255", "2001:db8::1", "fe80::1ff:fe23:4567:890a"]
)
def test_finds_network_addresses(text):
    """Of both versions of the protocol."""
    assert ["ip"] == kinds(f"The request came from {text}.")


@pytest.mark.parametrize(
    "text",
    [
        "version 10.11.12.13",
        "pip install x==41.42.43.44",
        "chrome/119.0.6045.105",
        "1.2.3.4.5",
        "256.1.1.1",
        "section 3.1.4.1",
        "127.0.0.1",
        "255.255.255.0",
        "std::vector",
        "12:30:45",
        "00:1B:44:11:3A:B7",
        "a::b",
        "::1",
    ],
)
def test_versions_sections_times_and_code_are_no_network_addresses(text):
    """Nor is this machine."""
    assert [] == kinds(text)


@pytest.mark.parametrize(
    "number",
    [
        "(555) 123-4567",
        "555.123.4567",
        "+1-363-717-0669x0743",
        "001-258-968-3449",
        "+44(0)117 496 0062",
        "01914960069",
        "+49 (0) 3216 684847",
        "05521 12345",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "+34 881406264",
        "+46 (0)431 809 21",
    ],
)
def test_finds_telephone_numbers_by_how_they_are_written(number):
    """No word is needed; another word makes it another thing."""
    assert ["phone"] == kinds(f"It is {number}.")
    assert "phone" not in kinds(f"part number {number.lstrip('+')}")


@pytest.mark.parametrize("number", ["5551234567", "531 064 745", "85 36 14 33", "13812345678"])
def test_bare_digits_are_a_telephone_number_where_a_word_says_so(number):
    """Before them or after them; the nearest word counts."""
    assert ["phone"] == kinds(f"call me at {number} tomorrow")
    assert ["phone"] == kinds(f"{number} is my phone")
    assert ["phone"] == kinds(f"to order, phone {number}")
    assert [] == kinds(f"phone us about order {number}")
    assert [] == kinds(f"There are {number} of them.")


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-06 12:30",
        "12/31/2024",
        "40.712776, -74.005974",
        "ISBN 0-306-40615-2",
        "550e8400-e29b-41d4-a716-446655440000",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "1,234,567.89",
        "3.14159265358979",
        "1700000000000",
        "Tracking 9400111899223197428490",
    ],
)
def test_other_numbers_are_nothing(text):
    """Dates, places, books, hashes, prices, moments."""
    assert [] == kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-" + "aB3" * 12,
        "AKIA" + "IOSFODNN7ABCDEFG",
        "ghp_" + "a1B2" * 9,
        "xoxb-" + "123456789012-abcDEF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123456_-xyz",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_finds_secrets(text):
    """By their forms."""
    assert [Finding("secret", 4, 4 + len(text))] == find(f"use {text} now")


@pytest.mark.parametrize("text", ["postgres://me:hunter22@db/x", "password=hunter2hunter2", "api_key: 'abc123def456'"])
def test_finds_passwords_that_are_assigned(text):
    """In addresses and in settings."""
    assert ["secret"] == kinds(text)


@pytest.mark.parametrize(
    "text", ["password = os.environ['X1']", "api_key: your-key-1234", "sk-learn", "token: ${TOKEN1}"]
)
def test_placeholders_are_no_secrets(text):
    """Documentation and code that reads a secret hold none."""
    assert [] == kinds(text)


def test_odd_characters_hide_nothing_and_places_stay_true():
    """Zero-width characters, full-width digits and spaces that do not break."""
    text = "card \u200b4111\u00a01111\u00a0\uff11\uff11\uff11\uff11 11\u200d11, mail a\u200b@example\uff0ecom, \u0661\u0662"

    assert ["card", "email"] == kinds(text)
    assert "card \u200b<CARD>, mail <EMAIL>, \u0661\u0662" == redact(text)


def test_redacting_leaves_the_rest_and_finds_nothing_again():
    """What is printed is the kind."""
    text = "I am at a@example.com or (555) 123-4567."

    assert "I am at <EMAIL> or <PHONE>." == redact(text)
    assert [] == kinds(redact(text))


def test_made_cases_of_all_kinds_are_found():
    """Values made with a seed, in sentences, beside sentences that only look like them."""
    recall, precision = score(cases(60, Random(3)))

    assert set(KINDS) == set(recall)
    assert {} == {kind: share for kind, share in recall.items() if share < 0.95}
    assert {} == {kind: share for kind, share in precision.items() if share < 0.95}


@given(st.text(st.characters(), max_size=300) | st.text("a1 .-@:+(John Smith)\n\u200b\u0130\u1e9e\ud800", max_size=300))
def test_findings_are_stretches_in_order(text):
    """Whatever the text is: none overlap, and none is empty or outside."""
    found = find(text)

    ends = [0] + [finding.end for finding in found]
    assert all(end <= finding.start < finding.end <= len(text) for end, finding in zip(ends, found, strict=False))
    assert {finding.kind for finding in found} <= set(KINDS)


UNITS = [
    "a",
    "A",
    "1",
    "1 ",
    "@",
    "a@",
    "a@b.co ",
    ".",
    " ",
    "-",
    "(",
    "+1",
    "Aa ",
    "1.",
    "::",
    "1:",
    "John de ",
    "DE05 ",
]
UNITS += [
    '="',
    "://a:",
    "token=",
    "eyJ",
    "my name is ",
    "Dr. ",
    "\u200b",
    "\uff11",
    "a dot b at ",
    "d'A ",
    "(1) ",
    "John Doe ",
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_length_and_no_faster(unit):
    """No text makes an expression go back over what it has read; four times the length takes at most nine times as long."""

    def seconds(length):
        text = unit * (length // len(unit))
        times = []
        for _ in range(3):
            began = time.process_time()
            find(text)
            times.append(time.process_time() - began)
        return min(times)

    assert seconds(24_000) < 9 * seconds(6_000) + 0.02
