import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.profiling.graders import Program, grade
from gateway.profiling.probes import PROBE, load_probes

PROBES = load_probes()
QUICK = [probe for probe in PROBES if not isinstance(probe.grader, Program)]


def probe(prompt="?", **grader):
    """Build a probe with a grader."""
    return PROBE.validate_python({"prompt_id": "p", "task": "t", "prompt": prompt, "grader": grader})


def number(value, **more):
    """Build a probe that asks for a number."""
    return probe(kind="number", value=value, **more)


CAPITAL = probe("What is the capital of France?", kind="phrase", accept=["Paris"], reject=["Marseille"])
MOOD = probe(kind="label", labels=["positive", "negative", "neutral"], value="positive")
SPAM = probe(kind="label", labels=["spam", "not spam"], value="not spam")
REVERSED = probe('Reverse the word "cat".', kind="exact", value="tac")
SORTED = probe(kind="items", items=["apple", "melon", "pear"])
PERSON = probe(kind="json", value={"name": "Ann", "age": 31, "tags": ["a", "b"], "member": True})
ADD = probe(
    kind="program",
    function="add",
    cases=[{"args": [1, 2], "returns": 3}, {"args": [-1, 1], "returns": 0}],
)
ADD_CODE = "def add(a, b):\n    return a + b"


@pytest.mark.parametrize(
    "answer",
    [
        "42",
        " 42.\n",
        "**42**",
        "$42",
        "42 km",
        "The answer is 42.",
        "20 + 22 = 42",
        "First 6 * 7 = 42, which is the result.",
        "6 boxes with 7 jars each make 42 jars",
        "42\n\nExplanation: 6 times 7.",
        "Answer: 42",
        "\\boxed{42}",
        "42.0",
        "```\n42\n```",
    ],
)
def test_number_is_found_in_many_forms(answer):
    """Units, working, prose and markup around the number do not matter."""
    assert grade(number(42), answer) == 1.0


@pytest.mark.parametrize(
    "answer",
    ["41", "-42", "142", "4.2", "42, 43, 44", "40 41 42", "41 or 42", "1\n2\n42", "42 / 43", "6 * 7", "= 41 or = 42"],
)
def test_other_numbers_and_lists_of_numbers_score_nothing(answer):
    """A list that happens to hold the number is a guess."""
    assert grade(number(42), answer) == 0.0


def test_numbers_have_signs_separators_words_and_tolerance():
    """Thousands are separated by commas, small numbers may be words, and rounding may be allowed."""
    assert [
        grade(number(1200), "1,200 dollars"),
        grade(number(-3), "It is −3."),  # noqa: RUF001  (a typographic minus is the point)
        grade(number(7), "Seven of them."),
        grade(number(7), "Seven or eight."),
        grade(number(3.14, tolerance=0.01), "3.1416"),
    ] == [1.0, 1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "answer",
    [
        "Paris",
        "paris.",
        '"Paris"',
        "Answer: **Paris**",
        "The capital of France is Paris.",
        "Paris, France",
        "Paris is the capital and largest city of France, on the Seine.",
        "France is a country, and its capital, Paris, is a large city.",
        "It's Paris! Marseille is the second largest city.",
    ],
)
def test_a_fact_may_stand_in_a_sentence(answer):
    """A phrase counts where the first sentence states it."""
    assert grade(CAPITAL, answer) == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        "London",
        "Parish",
        "Paris, London, Berlin",
        "London or Paris",
        "Paris\nLondon\nBerlin",
        "It is not Paris.",
        "Lyon. Some say Paris.",
        "Paris or Marseille",
        "word " * 60 + "Paris",
    ],
)
def test_a_fact_that_is_denied_or_one_of_many_scores_nothing(answer):
    """Naming candidates until one hits is no answer."""
    assert grade(CAPITAL, answer) == 0.0


def test_accents_do_not_matter():
    """A model that types without accents is understood."""
    assert grade(probe(kind="phrase", accept=["dónde está"]), "Donde esta?") == 1.0


def test_exactly_one_label_may_be_named():
    """One label scores; several, none, or a denied one do not."""
    answers = ["Positive.", "The sentiment is positive", "positive, negative", "good", "It is not positive"]

    assert [grade(MOOD, answer) for answer in answers] == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_a_label_must_be_in_the_first_sentence():
    """A lead-in may precede it; a label that turns up in later musing was not the answer."""
    answers = ["Sure! The mood is positive.", "Let me think about this step by step. The positive side of it is"]

    assert [grade(MOOD, answer) for answer in answers] == [1.0, 0.0]


def test_what_follows_than_is_not_the_answer():
    """A comparison names both, and means the first."""
    asked = probe(kind="label", labels=["elephant", "mouse"], value="elephant")
    answers = ["An elephant is bigger than a mouse.", "A mouse is bigger than an elephant.", "elephant, mouse"]

    assert [grade(asked, answer) for answer in answers] == [1.0, 0.0, 0.0]


def test_an_explanation_may_name_the_others_where_allowed():
    """What follows a clear answer may discuss the alternatives, but not list them as further answers."""
    asked = probe(kind="label", labels=["telephone", "radio"], value="radio", may_explain=True)
    answers = [
        "Radio.\nThe telephone is a different story altogether.",
        "Radio.\nTelephone.",
        "The radio or telephone.",
    ]

    assert [grade(asked, answer) for answer in answers] == [1.0, 0.0, 0.0]


def test_a_label_within_another_is_not_mistaken_for_it():
    """A label such as "not spam" stands for itself."""
    assert [grade(SPAM, answer) for answer in ("Not spam.", "spam", "spam or not spam")] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "answer",
    [
        "tac",
        '"tac"',
        "`tac`",
        "```\ntac\n```",
        'The reverse of "cat" is "tac".',
        "Result: tac",
        "It is tac.",
        "It will be `tac`\n\nThis is because I turned it around.",
    ],
)
def test_an_exact_text_may_be_presented_in_a_sentence(answer):
    """What the answer presents counts, not the words around it."""
    assert grade(REVERSED, answer) == 1.0


@pytest.mark.parametrize(
    "answer", ["cat", "tac cat", "atc, tac", "guess: atc, guess: tac", "ta c", "not tac", "is: tac\nis: atc"]
)
def test_other_texts_score_nothing(answer):
    """Letters count, and so do guesses."""
    assert grade(REVERSED, answer) == 0.0


def test_case_matters_only_where_asked():
    """Capital letters are part of some answers."""
    strict = probe(kind="exact", value="HELLO", case_sensitive=True)

    assert [grade(strict, "HELLO"), grade(strict, "hello"), grade(REVERSED, "TAC")] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "answer",
    [
        "apple, melon, pear",
        "apple, melon and pear.",
        "Apple\nMelon\nPear",
        "Here you are:\n1. apple\n2. melon\n3. pear",
        "- apple\n- melon\n- pear",
        '["apple", "melon", "pear"]',
        "Sorted: apple, melon, pear",
    ],
)
def test_lists_are_read_in_many_forms(answer):
    """Bullets, lines, commas and JSON are all lists."""
    assert grade(SORTED, answer) == 1.0


@pytest.mark.parametrize(
    "answer",
    ["pear, melon, apple", "apple melon pear", "apple, melon", "apple, melon, pear, plum", "apple", "[[]]"],
)
def test_lists_with_other_items_score_nothing(answer):
    """Order and number of items matter."""
    assert grade(SORTED, answer) == 0.0


def test_order_may_be_free():
    """A set is a list in any order."""
    free = probe(kind="items", items=["a", "b"], ordered=False)

    assert [grade(free, "b, a"), grade(free, "a, a, b")] == [1.0, 0.0]


def test_json_is_compared_by_structure():
    """Fences, order of keys, case and numbers in quotes do not matter."""
    answer = 'Sure!\n```json\n{"age": "31", "tags": ["A", "b"], "name": "ann", "member": true}\n```'

    assert grade(PERSON, answer) == 1.0


def test_json_scores_the_share_of_fields():
    """Wrong, missing and invented fields lower the score; true is not 1."""
    right = {"name": "Ann", "age": 31, "tags": ["a", "b"], "member": True}
    variants = [{**right, "age": 30}, {"name": "Ann"}, {**right, "extra": 1}, {**right, "member": 1}, {}]

    assert [grade(PERSON, json.dumps(variant)) for variant in variants] == [0.75, 0.25, 0.8, 0.75, 0.0]


def test_several_different_json_values_score_nothing():
    """The answer has to decide."""
    right = json.dumps({"name": "Ann", "age": 31, "tags": ["a", "b"], "member": True})

    assert [grade(PERSON, f"{right}\n{right}"), grade(PERSON, right + '{"name": "Bob"}')] == [1.0, 0.0]


CHECKS = [
    ({"check": "count", "of": "words", "least": 2, "most": 3}, "It's fine.", "Fine."),
    ({"check": "count", "of": "sentences", "least": 2, "most": 2}, "One. Two is 2.5!", "One. Two. Three."),
    ({"check": "count", "of": "lines", "least": 2, "most": 2}, "a\n\nb", "a"),
    ({"check": "count", "of": "letters", "least": 3, "most": 3}, "a-b c", "ab"),
    ({"check": "contains", "every": ["rain", "tea"]}, "Tea in the rain.", "Tea in the train."),
    ({"check": "contains", "some": ["swim*", "run"]}, "He is swimming.", "He is running."),
    ({"check": "contains", "none": ["/z/"]}, "Hello", "Zebra"),
    ({"check": "starts", "value": "Well"}, '"Well, yes."', "Oh well"),
    ({"check": "ends", "value": "soon"}, "See you soon.", "Soon we see."),
    ({"check": "ends", "value": "?"}, "Really?", "Really."),
    ({"check": "case", "value": "upper"}, "**HELLO 1**", "HELLo"),
    ({"check": "case", "value": "lower"}, "hello", "123"),
    ({"check": "numbered", "items": 2}, "1. a\n2) b", "1. a\n2. a"),
    ({"check": "numbered", "items": 2}, "Here:\n1. a\n2. b", "1. a\n3. b"),
    ({"check": "keys", "keys": ["a"]}, '{"a": 1}', '{"a": ""}'),
    ({"check": "keys", "keys": ["a"]}, '```json\n{"a": 0}\n```', '{"a": 1, "b": 2}'),
]


@pytest.mark.parametrize(("check", "kept", "broken"), CHECKS)
def test_every_check_holds_and_fails(check, kept, broken):
    """Each check tells an answer that keeps to it from one that does not."""
    asked = probe(kind="constraints", checks=[check])

    assert [grade(asked, kept), grade(asked, broken)] == [1.0, 0.0]


def test_all_constraints_must_hold():
    """An instruction half followed was not followed."""
    asked = probe(kind="constraints", checks=[CHECKS[0][0], CHECKS[10][0]])

    assert [grade(asked, "VERY WELL"), grade(asked, "very well")] == [1.0, 0.0]


@pytest.mark.parametrize(
    "answer",
    [
        ADD_CODE,
        f"```python\n{ADD_CODE}\n```",
        f"Here is the function:\n\n{ADD_CODE}\n\nIt adds two numbers.",
        f"Use this:\n```\n{ADD_CODE}\nprint(add(2, 2))\n```\nor this:\n```\nadd(1, 2)\n```",
        f"import math\n\n{ADD_CODE}\n\nprint('done', end='')",
        f"```python\n{ADD_CODE}",
    ],
)
def test_code_is_found_and_run(answer):
    """Prose, fences, imports and prints around the function do not matter."""
    assert grade(ADD, answer) == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        "def add(a, b):\n    return a - b",
        "def add(a, b):\n    return 3",
        "def add(a, b):\n    print(a + b)",
        "def plus(a, b):\n    return a + b",
        "def add(a, b):\n    return str(a + b)",
        "def add(a, b):\n    import sys; sys.exit(0)",
        "def add(a, b):\n    return a + b +",
        "The sum of a and b.",
        "def add(a, b):\n    print('[3]\\n[0]')",
        "import sys\nprint('[3]'); print('[0]'); sys.exit(0)\ndef add(a, b): pass",
        "```\ndef add(a, b):\n    return a + b\nadd = None\n```",
    ],
)
def test_code_that_fails_a_case_scores_nothing(answer):
    """Only returned values count, for every case; printing a verdict does not help."""
    assert grade(ADD, answer) == 0.0


def test_code_that_does_not_end_scores_nothing():
    """The time limit applies to the answer, not to the grader."""
    asked = probe(kind="program", function="f", cases=[{"args": [], "returns": 1}], timeout_s=0.5)

    assert grade(asked, "def f():\n    while True: pass") == 0.0


def test_the_answer_never_sees_what_is_expected():
    """The sandbox is given calls only, so that there is nothing to copy."""
    asked = probe(kind="program", function="f", cases=[{"args": [1], "returns": "a secret"}])
    search = "next((str(v) for v in vars(__main__).values() if 'a sec' + 'ret' in str(v)), '')"

    assert grade(asked, f"import __main__\ndef f(n):\n    return {search}") == 0.0


def test_what_functions_return_is_compared_with_its_type():
    """A bool is no number and a float may be rounded, inside lists and dictionaries too."""
    asked = probe(kind="program", function="f", cases=[{"args": [], "returns": {"x": [0.3, True]}}])
    bodies = [
        "{'x': [0.1 + 0.2, True]}",
        "{'x': (0.3, True)}",
        "{'x': [0.3, 1]}",
        "{'x': [0.3]}",
        "{'y': 1}",
        "{'x': [10**400, True]}",
    ]

    assert [grade(asked, f"def f(): return {body}") for body in bodies] == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "body",
    ["return 'x' * 100_000", "x = []\n    for _ in range(900): x = [x]\n    return x", "return {1, 2}", "return f"],
)
def test_what_cannot_be_reported_is_wrong(body):
    """Values without end or without a JSON form are no answer."""
    assert grade(ADD, f"def add(a, b):\n    {body}") == 0.0


@pytest.mark.parametrize("empty", ["", " ", "\n\t"])
def test_an_empty_answer_scores_nothing(empty):
    """Silence is never right."""
    assert {0.0} == {grade(asked, empty) for asked in PROBES}


@settings(max_examples=60, deadline=None)
@given(st.text() | st.text(alphabet="0123456789.,-= \n[]{}\":'`*()ab", max_size=200))
def test_any_text_is_graded(answer):
    """No answer raises, and every score is in [0, 1]."""
    assert all(0.0 <= grade(asked, answer) <= 1.0 for asked in QUICK)


@settings(max_examples=5, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=50))
def test_any_code_is_graded(body):
    """No code raises, whatever it is made of."""
    assert grade(ADD, f"```python\ndef add(a, b):\n    {body}\n```") in {0.0, 1.0}


@pytest.mark.parametrize(
    "unit", ["[", '{"a":', "1,", "1 ", "a ", "positive ", "x is: ", "or ", "```\n", "1. a\n", "**", "not ", '"']
)
def test_a_degenerate_answer_is_graded_in_bounded_time(unit):
    """A model that repeats itself until the limit costs a moment, not minutes."""
    answer = (unit * 20_000)[:20_000]
    begun = time.perf_counter()

    assert all(grade(asked, answer) <= 1 for asked in QUICK[::12])
    assert time.perf_counter() - begun < 20
