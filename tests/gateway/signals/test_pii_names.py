from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.signals.pii import LexiconError, find
from gateway.signals.pii import lexicon as lexicons


def names(text):
    return [text[found.start : found.end] for found in find(text) if found.kind == "name"]


@pytest.mark.parametrize(
    "name",
    [
        "John Smith",
        "Mary O'Brien",
        "Jean-Luc Martin",
        "Hans Müller",
        "María García López",
        "Giulia De Luca",
        "Ludwig van der Berg",
        "John J. Smith",
        "JOHN SMITH",
        "Élodie Lefèvre",
        "Оксана Федосеева",
        "Emily Zyxwart",
        "Grace Johnson",
    ],
)
@pytest.mark.parametrize("text", ["{} called yesterday.", "Please send it to {}.", "Is {} in?", "I told {}'s boss"])
def test_a_given_name_with_a_surname_is_a_name(name, text):
    """Also a surname that no list has; also a given name that is a word, with a surname that is none."""
    assert [name] == names(text.format(name))


@pytest.mark.parametrize(
    "text",
    [
        "Janet has 3 ducks and gives one to Bob.",
        "New York, San Francisco and Los Angeles",
        "Elizabeth Street, Martin Luther King Jr. Day, John Hopkins University",
        "Will Power, April Showers, Grace Period, Paris Hotel, Jordan River, Virginia Beach",
        "Morgan Stanley, John Deere, Wells Fargo, Mercedes Benz",
        "Visual Studio Code, Ruby on Rails, Apache Cassandra, Jenkins Pipeline",
        "Explain the Pythagorean Theorem. Monday Morning Meeting with the Marketing Department",
        "class MyClass: JohnSmith = john_smith(JaneDoe)",
        "Dear Sir or Madam, Dear Customer, Dear Hiring Manager,",
        "Mr. President, Dr. Pepper, Mr. X",
        "Who was Albert Einstein? And William Shakespeare, Harry Potter, Barack Obama, Dr. Martin Luther King?",
        "I'm Christian. This is Paris. I am Happy.",
        "Thank you. Best regards",
    ],
)
def test_other_capitals_are_no_names(text):
    """Places, firms, things, titles, code, given names alone, and names of public life and fiction."""
    assert [] == names(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Inigo Montoya.", "Inigo Montoya"),
        ("my name is sarah and I need help", "sarah"),
        ("Hi, I'm Sarah and I need help", "Sarah"),
        ("Mr. Zyxwart is late", "Zyxwart"),
        ("Frau Kowalczyk hat angerufen", "Kowalczyk"),
        ("Dear Anna,\nthank you", "Anna"),
        ("See you soon.\n\nKind regards,\nAnna\n", "Anna"),
        ("Name: Oquindra Thirvald", "Oquindra Thirvald"),
        ("Product name: Oquindra Thirvald", None),
        ('{"first_name": "Sarah"}', "Sarah"),
        ("The patient, Brenko Maaret, was admitted", "Brenko Maaret"),
        ("je m'appelle Thierry", "Thierry"),
        ("我叫王芳。", "王芳"),
        ("My name is Isaac Newton.", "Isaac Newton"),
    ],
)
def test_an_announced_name_needs_no_list(text, name):
    """Introduced, addressed, signed, in a field; the name of a product is no person's."""
    assert ([name] if name else []) == names(text)


def test_a_long_heading_needs_surnames_that_are_known():
    """Every word of it has a capital."""
    assert [] == names("How Anna Built Her Dream House And Then Some")


@pytest.mark.parametrize("file", ["lexicon.txt", "famous.txt", "lists.txt"])
def test_a_damaged_file_is_named(tmp_path, file):
    """It says what to do."""
    shutil.copytree(Path(str(files("gateway.signals.pii"))), tmp_path / "pii")
    (tmp_path / "pii" / file).write_text("john G\n")

    with pytest.raises(LexiconError, match=rf"{file} is damaged: .* install pointsman again"):
        lexicons._verified(tmp_path / "pii" / file, "0" * 64)


def test_a_missing_file_is_named(tmp_path):
    """It says what to do."""
    with pytest.raises(LexiconError, match=r"lexicon.txt cannot be read: .*; install pointsman again"):
        lexicons._verified(tmp_path / "lexicon.txt", "0" * 64)
