from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.keywords import READ_CHARACTERS, KeywordLists, Keywords
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal


def found(text, *lists, before=()):
    messages = [*before, {"role": "user", "content": text}]
    return KeywordLists(lists).read(request({"messages": messages}), None)["keywords"]


def occurs(word, text, **options):
    return found(text, Keywords("list", any_of=(word,), **options)) == ("list",)


def test_it_passes_the_battery():
    """What holds for every signal."""
    money = Keywords("money", any_of=("refund", "pay back", "退款", "c++"))
    check_signal(KeywordLists([money, Keywords("code", regex=(r"def \w+",), scope="all")]))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("refund", "I want a REFUND!"),
        ("refund", "refund"),
        ("refund", "my refund-request"),
        ("pay back", "will you pay\n  back the sum"),
        ("c++", "Is C++ hard?"),
        ("c++", "c++17"),
        (".net", "in .NET, please"),
        ("don't", "I don't know"),
        ("straße", "in der STRASSE"),
        ("возврат", "Хочу возврат денег"),
        ("επιστροφή", "θέλω επιστροφή."),
        ("धनवापसी", "मुझे धनवापसी चाहिए"),
        ("استرداد", "أريد استرداد أموالي"),
        ("退款", "我想要退款谢谢"),
        ("환불", "환불을 원합니다"),
        ("คืนเงิน", "ฉันต้องการคืนเงินครับ"),
        ("python", "请用Python写"),
        ("cafe\u0301", "a caf\u00e9 here"),
        ("😀", "nice 😀😀"),
        ("foo_bar", "call foo_bar(1)"),
    ],
)
def test_a_word_is_found_at_word_boundaries(word, text):
    """In any script, in any case, whatever white space stands between."""
    assert occurs(word, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("refund", "refunds"),
        ("refund", "nonrefund"),
        ("pay back", "pay backwards"),
        ("pay back", "back pay"),
        ("c++", "abc++"),
        (".net", "dot net"),
        ("возврат", "возвратный"),
        ("धन", "धनवापसी"),
        ("cafe", "caf\u00e9"),
        ("foo", "foo_bar"),
        ("he", ""),
        ("he", "\ud800"),
    ],
)
def test_a_part_of_a_word_is_not_the_word(word, text):
    """Vowel signs and accents of their own belong to the word."""
    assert not occurs(word, text)


def test_case_matters_where_it_is_to():
    """`IT` is not `it`."""
    assert occurs("IT", "ask IT", case_sensitive=True)
    assert not occurs("IT", "ask it", case_sensitive=True)


def test_every_word_may_be_demanded():
    """One of two is not enough then."""
    both = Keywords("both", any_of=("fox", "hen"), regex=(r"\d+",), every=True)

    assert found("a fox, a hen and 3 eggs", both) == ("both",)
    assert found("a fox and 3 eggs", both) == ()
    assert found("a fox and a hen", both) == ()


@pytest.mark.parametrize(("scope", "names"), [("user", ()), ("all", ("list",))])
def test_the_scope_says_where_to_look(scope, names):
    """In the last user turn, or in all messages."""
    before = [{"role": "system", "content": "Never promise a refund."}]

    assert names == found("Hello", Keywords("list", any_of=("refund",), scope=scope), before=before)


def test_expressions_see_the_text_as_it_was_written():
    """Its lines and its white space."""
    lists = Keywords("heading", regex=(r"(?m)^# \w",)), Keywords("wide", regex=(r"a  b",))

    assert found("text\n# Title", *lists) == ("heading",)


def test_names_come_in_the_order_of_the_configuration():
    """All lists that occur are named."""
    lists = [Keywords(name, any_of=(name,)) for name in ("b", "c", "a")]

    assert found("a b", *lists) == ("b", "a")


def test_of_a_long_text_both_ends_are_read():
    """The middle is not."""
    filler = "word " * READ_CHARACTERS

    assert occurs("refund", "refund " + filler)
    assert occurs("refund", filler + " refund")
    assert not occurs("refund", filler + " refund " + filler)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "are empty"),
        ({"any_of": (" ",)}, "no word"),
        ({"regex": ("(",)}, "no regular expression"),
    ],
)
def test_a_list_that_can_match_nothing_is_refused(written, message):
    """With its name, and what to do about it."""
    with pytest.raises(ValueError, match=message):
        Keywords("list", **written)


def test_two_lists_of_a_name_are_refused():
    """A rule could not tell them apart."""
    with pytest.raises(ValueError, match="rename one"):
        KeywordLists([Keywords("a", any_of=("b",)), Keywords("a", any_of=("c",))])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip))
def test_a_text_holds_itself(word):
    """Whatever it is made of."""
    assert occurs(word, word)
    assert occurs(word, f"( {word} )")
