import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.caching.likeness import alike, difference
from gateway.caching.wording import wording_of

#: Questions that ask for the same.
SAME = [
    ("How do I reset my password?", "how can I reset my password"),
    ("How to reset my password?", "please tell me how I can reset my password"),
    ("What is the capital of France?", "Hi! Could you tell me the capital of France, please?"),
    ("what's my bank balance", "I would like to know what my bank balance is"),
    ("I need to cancel my reservation for 5 at Red Robin.", "cancel my reservation for 5 at red robin"),
    ("Define photosynthesis in plants", "define photosynthesis in plants."),
    ("what is 30% off 235", "can you tell me what 30% off 235 is"),
    ("Wie heißt die Hauptstadt von Peru?", "wie heißt die Hauptstadt von Peru"),
]
#: Questions that ask for something else, though an encoder hardly sees it.
DIFFERENT = [
    ("transfer 40 dollars to savings", "transfer 20 dollars to savings"),
    ("what is 5 - 3 times 2", "what is 5 + 3 times 2"),
    ("what is -5 times two", "what is 5 times two"),
    ("remind me at five", "remind me at six"),
    ("is this drug safe for children", "is this drug not safe for children"),
    ("can I take it with food", "can I take it without food"),
    ("Kann ich das essen", "Kann ich das nicht essen"),
    ("which mushrooms can't I eat", "which mushrooms can I eat"),
    ("is aspirin safe for dogs", "is aspirin unsafe for dogs"),
    ("convert celsius to fahrenheit", "convert fahrenheit to celsius"),
    ("who did Brutus kill", "Brutus killed who"),
    ("weather in paris tomorrow", "weather in rome tomorrow"),
    ("how old is Anna Smith", "how old is Anne Smith"),
    ("sort the list in python", "sort the list in ruby"),
    ("what does foo_bar do in this module", "what does foo_baz do in this module"),
    ("what is C# used for", "what is C++ used for"),
    ("what is the highest mountain", "what is the lowest mountain"),
    ("when did Einstein die", "where did Einstein die"),
    ("is my luggage lost", "my luggage is lost"),
    ('translate "the dog"', 'translate "a dog"'),
    ("symptoms of vitamin A excess", "symptoms of vitamin excess"),
    ("solve a + b = c", "solve + b = c"),
    ("email from Bob to Alice", "email to Bob from Alice"),
]
#: Too short to tell what they ask.
SHORT = ["yes", "why?", "continue", "Tell me", "the"]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_question_in_other_words_is_the_same(one, other):
    """Greetings, pleas, articles and case do not count."""
    assert alike(wording_of(one), wording_of(other), "same")


@pytest.mark.parametrize("freedom", ["same", "free"])
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_question_that_asks_for_something_else_is_another(one, other, freedom):
    """Whatever freedom is given, and whichever came first."""
    assert not alike(wording_of(one), wording_of(other), freedom)
    assert not alike(wording_of(other), wording_of(one), freedom)


@pytest.mark.parametrize("freedom", ["same", "free"])
@pytest.mark.parametrize("text", SHORT)
def test_very_short_texts_are_like_nothing(text, freedom):
    """Not even like themselves: what they mean is elsewhere."""
    assert not alike(wording_of(text), wording_of(text), freedom)


def test_freedom_lets_words_come_and_go():
    """But no words that decide, and no word for another."""
    one = wording_of("any travel alerts for canada")

    assert not alike(one, wording_of("search for any travel alerts for canada"), "same")
    assert alike(one, wording_of("search for any travel alerts for canada"), "free")
    assert "deciding words" == difference(one, wording_of("any travel alerts for canada today"))
    assert "a word for another" == difference(one, wording_of("any travel alerts for mexico"))
    assert "names" == difference(one, wording_of("any travel alerts for canada from Anna"))
    assert "order" == difference(wording_of("one way or another way"), wording_of("another one way or way"))
    assert "numbers and identifiers" == difference(one, wording_of("any travel alerts for canada 7"))


@given(st.lists(st.sampled_from([*"abcxyz", "not", "is", "the", "4", "40", "please", "B"]), min_size=1, max_size=8))
def test_a_question_is_like_itself_or_too_short(words):
    """In capitals or not at its beginning."""
    wording = wording_of(" ".join(words))

    assert alike(wording, wording, "same") == (len(wording.words) >= 2)


@given(
    st.text(max_size=40), st.text("0123456789", min_size=1, max_size=4), st.text("0123456789", min_size=1, max_size=4)
)
def test_questions_whose_digits_differ_are_never_alike(text, one, other):
    """Whatever is around them."""
    digits = [one, other]
    first, second = (wording_of(f"how many apples cost {each} dollars {text}") for each in digits)

    assert (one == other) == alike(first, second, "same")
    assert one == other or not alike(first, second, "free")


@given(st.text(max_size=80))
def test_any_text_has_a_wording(text):
    """In any script."""
    wording = wording_of(text)

    assert wording.same(wording_of(text))
