"""Measure the signal `pii` on cases that are made here: `python benchmarks/pii.py --seed 1 --count 300`.

Prints, by kind: of the values put in sentences how many are found (recall), and of what is found in those sentences and
in sentences that only look like it how much is right (precision); then the processor time that a prompt takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import TYPE_CHECKING

from gateway.signals.pii import KINDS, find
from gateway.signals.pii import identity_checks as checks
from gateway.signals.pii.checksums import luhn, mod_97, verhoeff

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GIVEN = (
    *("John", "Emily", "Oliver", "Charlotte", "Hans", "Jürgen", "Sabine", "Élodie"),
    *("Thierry", "José", "María", "Giulia", "Luca", "Femke", "Daan", "Agnieszka"),
    *("Piotr", "Björn", "Astrid", "João", "Ana", "Priya", "Rahul", "Mary"),
    *("Susan", "Kevin", "Brandon", "Yusuf", "Fatima", "Olga", "Dmitri", "Niamh"),
)
SURNAMES = (
    *("Smith", "Johnson", "O'Brien", "Taylor-Jones", "Müller", "Schäfer", "Dupont", "Lefèvre"),
    *("García", "López", "Rossi", "Bianchi", "Jansen", "Kowalski", "Nowak", "Lindström"),
    *("Silva", "Pereira", "Sharma", "Patel", "Green", "Walker", "McDonald", "Petrova"),
    *("Murphy", "Novák", "Virtanen", "Hansen", "Ferrari"),
)
TEMPLATES = {
    "email": ("Write to {} about it.", "My e-mail is {}.", "<{}> wrote:", "Kontakt: {}", "cc {}; thanks"),
    "phone": ("Call me at {}.", "My phone number is {}", "Tel. {}", "You can reach us on {}", "Mi teléfono es {}."),
    "card": ("Charge {} please", "My card number is {}", "Visa: {}, exp 12/27", "paid with {} today"),
    "iban": ("Transfer it to {}.", "IBAN: {}", "Bitte auf {} überweisen", "account {} at the bank"),
    "ip": ("The request came from {}.", "Block {} in the firewall", "IP: {}", "Why is {} in my log?"),
    "national_id": ("My national ID is {}.", "ID number: {}", "Tax ID {}", "Please check the identity {}"),
    "name": (
        "Please send it to {}.",
        "{} called yesterday.",
        "My name is {}.",
        "I spoke with {} from accounting",
        "Regards,\n{}",
        "Name: {}",
        "Hat {} schon geantwortet?",
        "{}'s contract ends in May.",
    ),
    "secret": ("My key is {}.", 'export TOKEN="{}"', "use {} for now"),
}
LOOKALIKES = (
    "Order number {10} shipped on 20{1}4-05-06.",
    "Part no. {3}-{3}-{4} is out of stock",
    "Update to version {1}.{1}.{1}.{1} now",
    "pip install thing=={1}.{2}.{1}.{1}",
    "Tracking number {12}, invoice INV-{6}",
    "ISBN 978-{1}-{2}-{6}-{1}",
    "It cost ${1},{3},{3}.{2} in total.",
    "build {8}-{4}-{4}-{4}-{12} failed",
    "The sum is {9}, the mean {3}.{6}.",
    "At {2}:{2}:{2} the clock stopped; std::vector and a::b",
    "Serial number {3}-{2}-{4}",
    "New York and San Francisco are in the United States.",
    "Explain the Pythagorean Theorem and Newton's Second Law.",
    "Janet has {2} ducks and gives {1} to Bob.",
    "Read about Elizabeth Street, Morgan Stanley and Victoria Park.",
    "Who was Albert Einstein, and who is Harry Potter?",
    "The Marketing Department meets Monday in Building Four.",
    "@app.route('/users') def get_user(user_id: int)",
    "Dear Sir or Madam, Dear Customer, Dear Hiring Manager,",
    "coordinates {2}.{6}, -{2}.{6}",
)
PROMPT = (
    "Please summarise the complaint below and draft a reply. The customer John Smith (john.smith@example.com, phone "
    "(555) 123-4567) says that order 48213345 from 2024-05-06 never came to Berlin, although the card 4111 1111 1111 "
    "1111 was charged twice, and he wants his money back before the end of May, or he will leave us. "
)


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence with a value of a kind at `start` to `end`; a kind of "" is a sentence that only looks like it."""

    text: str
    kind: str
    start: int = 0
    end: int = 0


def cases(count: int, rng: Random) -> list[Case]:
    """Return as many cases of each kind, and as many that only look like one."""
    made = [_case(kind, rng) for kind in TEMPLATES for _ in range(count)]
    return made + [Case(_filled(rng.choice(LOOKALIKES), rng), "") for _ in range(count)]


def score(made: list[Case]) -> tuple[dict[str, float], dict[str, float]]:
    """Return recall and precision by kind."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case in made:
        hits = [found for found in find(case.text) if found.start < case.end and case.start < found.end]
        right[case.kind] += any(found.kind == case.kind for found in hits)
        wrong.update(found.kind for found in find(case.text) if found not in hits or found.kind != case.kind)
    total = Counter(case.kind for case in made)
    recall = {kind: right[kind] / total[kind] for kind in TEMPLATES}
    return recall, {kind: right[kind] / max(1, right[kind] + wrong[kind]) for kind in TEMPLATES}


def _case(kind: str, rng: Random) -> Case:
    value, template = MAKERS[kind](rng), rng.choice(TEMPLATES[kind])
    start = template.index("{}")
    return Case(template.replace("{}", value), kind, start, start + len(value))


def _filled(template: str, rng: Random) -> str:
    for length in range(1, 13):
        while f"{{{length}}}" in template:
            template = template.replace(f"{{{length}}}", _number(length, rng), 1)
    return template


def _number(length: int, rng: Random) -> str:
    return rng.choice(DIGITS[1:]) + "".join(rng.choices(DIGITS, k=length - 1))


def _name(rng: Random) -> str:
    middle = rng.choice(("", "", "", " J.", f" {rng.choice(GIVEN)}"))
    return f"{rng.choice(('', '', '', 'Dr. '))}{rng.choice(GIVEN)}{middle} {rng.choice(SURNAMES)}"


def _email(rng: Random) -> str:
    user = rng.choice(("{0}.{1}", "{0}_{1}", "{0}{2}", "{0}+{1}")).format(rng.choice(GIVEN), rng.choice(SURNAMES), 7)
    return f"{user.lower()}@{rng.choice(('example.com', 'mail.example.co.uk', 'büro.example.de', 'x-y.example.org'))}"


def _phone(rng: Random) -> str:
    forms = ("+44 {4} {6}", "({3}) {3}-{4}", "+1-{3}-{3}-{4}x{3}", "{3}.{3}.{4}", "{10}", "06 {2} {2} {2} {2}")
    while True:
        written = _filled(rng.choice((*forms, "+49 (0){3} {6}", "0{4} {6}", "+34 {3} {3} {3}")), rng)
        if written[0] not in "(123456789" or written.lstrip("(")[0] in "23456789":
            return written


def _card(rng: Random) -> str:
    prefix, length = rng.choice((("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("3530", 16)))
    body = prefix + _number(length - len(prefix) - 1, rng)
    number = next(body + digit for digit in DIGITS if luhn(body + digit))
    parts = [number[at : at + 4] for at in range(0, 16, 4)] if length == 16 else [number[:4], number[4:10], number[10:]]
    return rng.choice(("", " ", "-")).join(parts)


def _iban(rng: Random) -> str:
    country, form = rng.choice((("DE", "18"), ("GB", "A14"), ("FR", "23"), ("ES", "20"), ("NL", "A10"), ("IT", "B22")))
    letters = {"A": "NWBK", "B": "X"}.get(form[0], "")
    body = letters + _number(int(form.lstrip("AB")), rng)
    number = f"{country}{98 - mod_97(f'{body}{country}00'):02}{body}"
    return rng.choice((number, " ".join(number[at : at + 4] for at in range(0, len(number), 4))))


def _ip(rng: Random) -> str:
    if rng.random() < 0.3:
        return str(IPv6Address((0x2001 << 112) + rng.getrandbits(100)))
    return str(IPv4Address((rng.choice((10, 81, 192, 203)) << 24) + (200 << 16) + rng.getrandbits(16)))


def _national_id(rng: Random) -> str:
    birth = f"{rng.randint(50, 99)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    forms: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        (f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{_number(4, rng)}", "", checks.ssn),
        (f"AB{_number(6, rng)}C", "", checks.nino),
        (_number(8, rng), LETTERS, checks.dni),
        (f"RSSMRA{birth[:2]}A{rng.randint(1, 28):02}H501", LETTERS, checks.codice_fiscale),
        (f"{birth}{_number(4, rng)}", DIGITS, checks.pesel),
        (f"{birth}-{_number(3, rng)}", DIGITS, lambda number: checks.personnummer(number.replace("-", ""))),
        (f"4{_number(10, rng)}", DIGITS, verhoeff),
        (_number(8, rng), DIGITS, checks.bsn),
        (f"11010519{birth}{_number(3, rng)}", DIGITS + "X", checks.resident),
    )
    while True:
        body, marks, valid = rng.choice(forms)
        for mark in marks or ("",):
            if valid(compact := f"{body}{mark}".replace("-", "") if valid is checks.ssn else f"{body}{mark}"):
                return f"{body}{mark}" if valid is checks.ssn else compact


def _secret(rng: Random) -> str:
    tail = "".join(rng.choices(LETTERS + LETTERS.lower() + DIGITS, k=30)) + "a1B2c3"
    return rng.choice((f"sk-proj-{tail}", f"ghp_{tail}", f"xoxb-{tail}", f"AKIA{_number(8, rng)}ABCDEFGH"))


MAKERS: dict[str, Callable[[Random], str]] = {
    "email": _email,
    "phone": _phone,
    "card": _card,
    "iban": _iban,
    "ip": _ip,
    "national_id": _national_id,
    "name": _name,
    "secret": _secret,
}


def milliseconds(text: str, repeats: int = 51) -> float:
    """Return the processor time that a text takes, the median."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        find(text)
        times.append(time.process_time() - began)
    return statistics.median(times) * 1000


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    recall, precision = score(cases(options.count, Random(options.seed)))  # noqa: S311 a repeatable draw
    for kind in sorted(KINDS):
        print(f"{kind:12} recall {recall[kind]:.3f}  precision {precision[kind]:.3f}")
    for repeats in (1, 10):
        print(f"{len(PROMPT.split()) * repeats} words: {milliseconds(PROMPT * repeats):.2f} ms")


if __name__ == "__main__":
    main()
