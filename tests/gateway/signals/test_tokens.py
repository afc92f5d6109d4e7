from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.token_weights import FAMILIES, TABLE
from gateway.signals.tokens import (
    ESTIMATED,
    LAST_CODE_POINT,
    SAMPLED_CHARACTERS,
    UNMEASURED,
    Tokenizer,
    TokenizerError,
    estimate_pieces,
    estimate_tokens,
)

SOURCE = """\
def mean(values: list[float]) -> float:
    if not values:
        raise ValueError("there is nothing to take the mean of")
    return sum(values) / len(values)
"""
#: Texts with their counts in o200k_base, as bpe-openai 0.1.4 gives them.
COUNTED = [
    ("Please summarise the attached report in three short paragraphs, and list the open questions.", 17),
    ("Bitte fassen Sie den beigefügten Bericht in drei kurzen Absätzen zusammen.", 17),
    ("Пожалуйста, кратко изложите приложенный отчёт в трёх абзацах.", 20),
    ("请用三个简短的段落总结所附的报告。", 14),
    (SOURCE, 39),
    ("2026-11-22 16:20:05 1234567 0.25", 20),
]


#: Texts of ASCII alone, of which most are, of all scripts, and of few characters, which come in runs.
TEXTS = (
    st.text(st.characters(max_codepoint=127), max_size=300)
    | st.text(max_size=60)
    | st.text("aZ 0,\n\u00e9\u4e2d\U0001f600\ud800", max_size=60)
)


def rows():
    """Return the table: the name of each kind, its ranges of code points, and its costs by family."""
    for line in TABLE.splitlines():
        name, ranges, *costs = line.split(" | ")
        pairs = [ends.partition("-") for ends in ranges.split()]
        yield (
            name,
            [(int(first, 16), int(last or first, 16)) for first, _, last in pairs],
            dict(
                zip(FAMILIES, [tuple(round(100 * float(cost)) for cost in cell.split()) for cell in costs], strict=True)
            ),
        )


ROWS = list(rows())


def plainly(text, family):
    """Return an estimate as the table says it: each character costs, and so does each beginning of a run."""
    column = FAMILIES[0] if family in UNMEASURED else family
    letters = next(row for row in ROWS if len(row[0]) == 1)
    hundredths, before = 0, None
    for character in text:
        point = min(ord(character), LAST_CODE_POINT)
        kind = next(row for row in reversed(ROWS) if any(first <= point <= last for first, last in row[1]))
        run = letters if len(kind[0]) == 1 else kind
        hundredths += kind[2][column][0] + (run[2][column][1] if run is not before else 0)
        before = run
    return hundredths / 100 * UNMEASURED.get(family, 1.0)


@given(TEXTS, st.sampled_from([*FAMILIES, *UNMEASURED]))
def test_an_estimate_is_what_the_table_says(text, family):
    """However it is summed up."""
    assert plainly(text, family) == estimate_tokens(text, family)


@given(st.text(st.characters(max_codepoint=127), min_size=1, max_size=50))
def test_one_foreign_character_changes_nothing_for_the_others(text):
    """A text in ASCII is read by another way, to the same end."""
    mark = "\u4e2d"

    assert plainly(mark, ESTIMATED) + plainly(text, ESTIMATED) == pytest.approx(estimate_tokens(mark + text))


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_an_estimate_is_near_the_count_in_any_script(text, tokens):
    """Bytes by four is off by more than half for some of these."""
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.3)


@pytest.mark.parametrize("family", [*FAMILIES, *UNMEASURED])
def test_a_family_has_weights_of_its_own(family):
    """What one tokeniser has a token for, another writes in bytes."""
    assert 5 <= estimate_tokens("The quick brown fox jumps over the lazy dog.", family) <= 16


def test_thai_costs_more_where_a_vocabulary_knows_no_thai():
    """A small English model's tokeniser falls back to bytes."""
    thai = "กรุณาสรุปรายงานที่แนบมา"

    assert estimate_tokens(thai, "smollm") > 3 * estimate_tokens(thai, "o200k")


def test_an_unknown_family_is_refused():
    """A misspelt family must not be taken for another."""
    with pytest.raises(KeyError):
        estimate_tokens("text", "o300k")


def test_nothing_costs_nothing():
    """There is no token in an empty text."""
    assert estimate_tokens("") == 0.0


@given(st.text(max_size=200))
def test_any_text_has_a_positive_estimate_within_its_bytes(text):
    """No tokeniser needs more than a few tokens for a character."""
    tokens = estimate_tokens(text)

    assert tokens >= 0
    assert tokens <= 6 * len(text)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\x00", "\U0010ffff", "e\u0301"])
def test_what_utf_8_cannot_express_is_measured_as_well(text):
    """A request may hold a lone surrogate."""
    assert estimate_tokens(text) > 0


def test_a_long_text_is_sampled_evenly():
    """The sample stands for the whole, whichever part is dear."""
    prose, numbers = "The report says that sales grew. " * 3000, "12 345 67, 8.9 " * 6000
    both = prose + numbers
    assert len(prose) > SAMPLED_CHARACTERS

    whole = sum(estimate_tokens(both[start : start + 1000]) for start in range(0, len(both), 1000))

    assert estimate_tokens(both) == pytest.approx(whole, rel=0.05)


def test_every_code_point_range_of_the_table_is_in_order():
    """A range written the wrong way round would be empty, and its weights for nothing."""
    ends = [ends.partition("-") for line in TABLE.splitlines() for ends in line.split(" | ")[1].split()]

    assert [] == [first + last for first, _, last in ends if last and int(first, 16) >= int(last, 16)]


@pytest.mark.skipif(find_spec("bpe_openai") is not None, reason="the package is installed")
def test_a_tokeniser_that_is_not_installed_is_named_with_the_remedy():
    """An optional package is not missed until it is asked for."""
    with pytest.raises(TokenizerError, match="pip install bpe-openai"):
        Tokenizer("o200k_base")


@pytest.mark.skipif(find_spec("bpe_openai") is None, reason="bpe-openai is not installed")
@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_a_tokeniser_counts(text, tokens):
    """The counts that estimates are compared with."""
    assert Tokenizer("o200k_base").count(text) == tokens


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=4))
def test_pieces_are_estimated_as_if_they_were_texts_of_their_own(texts):
    """What stands around a piece does not count, whatever scripts it is in."""
    whole, ends = "\n".join(texts), [sum(map(len, texts[: n + 1])) + n for n in range(len(texts))]
    pieces = [(end - len(text), end) for text, end in zip(texts, ends, strict=True)]

    found = estimate_pieces(whole, [*pieces, (0, len(whole))])

    assert [estimate_tokens(text) for text in [*texts, whole]] == found
