import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals._prose import MAX_CHARACTERS, prose
from gateway.signals._scripts import main_script
from gateway.signals.base import Kind, Request, Signal
from gateway.signals.language import LanguageSignal

AT = datetime(2026, 1, 1, tzinfo=UTC)
SHORT = [
    ("en", "thank you"),
    ("en", "Write a poem about the sea"),
    ("de", "guten Morgen"),
    ("de", "Wie sortiere ich eine Liste?"),
    ("fr", "merci beaucoup"),
    ("fr", "quel temps fera-t-il demain"),
    ("es", "muchas gracias"),
    ("pt", "muito obrigado"),
    ("it", "ricetta della carbonara"),
    ("nl", "dank je wel"),
    ("sv", "tack så mycket"),
    ("da", "opskrift på æblekage"),
    ("no", "hva skal jeg gjøre nå, og hvorfor virker det ikke"),
    ("fi", "hyvää huomenta"),
    ("pl", "dzień dobry"),
    ("cs", "jaké bude zítra počasí"),
    ("hu", "köszönöm szépen"),
    ("ro", "bună dimineața"),
    ("tr", "teşekkür ederim"),
    ("id", "Bagaimana cara mengurutkan daftar?"),
    ("vi", "cảm ơn nhiều"),
    ("ru", "большое спасибо"),
    ("uk", "дуже дякую"),
    ("bg", "Как да сортирам списък?"),
    ("el", "καλημέρα"),
    ("he", "תודה רבה"),
    ("ar", "شكرا جزيلا"),
    ("fa", "خیلی ممنون"),
    ("hi", "बहुत धन्यवाद"),
    ("bn", "শুভ সকাল"),
    ("ta", "நன்றி"),
    ("th", "สวัสดี"),
    ("ka", "გმადლობთ"),
    ("hy", "շնորհակալություն"),
    ("am", "አመሰግናለሁ"),
    ("ja", "ありがとう"),
    ("ja", "東京都の人口"),
    ("ko", "감사합니다"),
    ("zh", "早上好"),
    ("zh", "請把這封信改寫得友善一些"),
]
WORDLESS = [
    "",
    " \n\t ",
    "2+2=?",
    "ok",
    "x",
    "😀👍",
    "\ud800",
    "\u0000",
    "\u03b1+β=?",
    "https://example.com/die/das/der/und",
    "www.example.com/der/die/das",
    "anna.schmidt@example.de",
    "192.168.0.1:8080",
    "```\nprint('hello there, my world')\n```",
    "~~~\nwhile the sun is shining\n~~~",
    "for (int i = 0; i < n; i++) { sum += a[i]; }",
    "x^2 - 3x + 2 = 0",
    "get_user_name /usr/local/bin getUserName v2beta3",
]


@pytest.fixture(scope="module")
def signal():
    """Return the signal as it is by default."""
    return LanguageSignal()


def read(signal, text):
    return signal.read(Request(body={}, text=text, at=AT), None)


def test_is_a_signal_that_says_what_it_provides(signal):
    """Its features are declared, each with the kind of its value."""
    assumed: Signal = signal

    found = read(assumed, "What is the capital of France?")

    assert set(found) == set(signal.provides)
    assert {"language": Kind.TEXT, "language.confidence": Kind.NUMBER} == {
        name: signal.provides[name] for name in ("language", "language.confidence")
    }
    assert (False, False) == (signal.reads_embedding, signal.blocking)


@pytest.mark.parametrize(("language", "text"), SHORT)
@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_tells_the_language_of_a_short_text(signal, language, text, change):
    """A few words will do, in capitals as well."""
    found = read(signal, change(text))

    assert language == found["language"]
    assert 0.45 <= found["language.confidence"] <= 1
    assert found["language.truncated"] is False


@pytest.mark.parametrize("text", WORDLESS)
def test_says_nothing_of_a_text_without_words(signal, text):
    """Formulas, addresses, code and answers of two letters are no evidence."""
    assert read(signal, text) == {}


@pytest.mark.parametrize("text", ["asdf qwer zxcv", "mujhe batao yeh kaise karte hain", "arigatou gozaimasu"])
def test_leaves_out_a_language_that_it_is_not_sure_of(signal, text):
    """What may be any language is not named, but how surely it was not is told."""
    found = read(signal, text)

    assert "language" not in found
    assert 0 <= found["language.confidence"] < 0.45
    assert 0 <= found["language.ood"] <= 1


def test_names_a_doubtful_language_where_it_is_asked_to():
    """The threshold is the caller's to choose."""
    found = read(LanguageSignal(min_confidence=0), "asdf qwer zxcv")

    assert "language" in found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Was macht dieser Code?\n```python\n# compute the mean of the list\ndef mean(xs): ...\n```"),
        ("de", "Was macht dieser Code?\n```\nreturn the value of the whole function when it is done"),
        (
            "de",
            "Was macht diese Funktion?\n# compute the mean of all the numbers\ndef mean(xs):\n    return sum(xs)/len(xs)",
        ),
        ("fr", "Peux-tu corriger cette requête ?\nSELECT a FROM b WHERE (c = 3) AND (d <> '');"),
        ("en", "Please translate “Доброе утро, как дела?” for me, so that everybody understands"),
        ("en", 'How should I answer "Wie geht es dir heute, mein Freund?" politely'),
        ("ru", "как установить docker compose plugin на сервер"),
        ("zh", "请解释一下 machine learning 和 deep learning 的区别"),
        ("ko", "react useEffect hook 사용법 알려 주세요"),
        ("en", "What does the word привет mean in this sentence?"),
        ("de", "Siehe https://example.com/the/of/and und sag mir, was du davon hältst"),
    ],
)
def test_reads_what_the_writer_says_and_not_what_is_shown(signal, language, text):
    """Code, addresses and quotations in another language do not count; foreign terms count for little."""
    assert language == read(signal, text)["language"]


def test_reads_a_quotation_where_there_is_little_else(signal):
    """A text that is all in quotation marks is read all the same."""
    assert "de" == read(signal, "„Der Hund läuft durch den Wald“")["language"]


def test_names_norwegian_alike_in_both_its_forms(signal):
    """Nynorsk and Bokmål are one language to a policy."""
    assert {"no"} == {
        read(signal, "Eg veit ikkje kva eg skal gjere med denne oppgåva, kan du hjelpe meg?")["language"],
        read(signal, "Jeg vet ikke hva jeg skal gjøre med denne oppgaven, kan du hjelpe meg?")["language"],
    }


def test_reads_both_ends_of_a_long_text_and_says_so(signal):
    """The middle of a long text changes nothing, and the reader is told that it was not read."""
    ends = "Wie wird das Wetter morgen in den Bergen? " * 20

    found = read(signal, ends + "what is the weather like over there " * 30_000 + ends)

    assert ("de", True) == (found["language"], found["language.truncated"])


def test_a_cut_inside_a_fenced_block_leaves_none_of_it(signal):
    """Code that the end of a long text begins in the middle of is still code."""
    text = "```\n" + "return the value of this function\n" * 100 + "```\nWas macht dieser Code, und warum so langsam?"

    assert len(text) > MAX_CHARACTERS
    assert "de" == read(signal, text)["language"]


def test_knows_when_it_knows_nothing(signal):
    """A word that the model has no piece of is out of distribution; a sentence is not."""
    unknown, sentence = read(signal, "docker"), read(signal, "Explain the difference between a process and a thread.")

    assert unknown["language.ood"] == pytest.approx(1, abs=0.01)
    assert sentence["language.ood"] < 0.3


def test_a_script_that_it_does_not_know_is_out_of_distribution(signal):
    """Letters of no known script have no language."""
    found = read(signal, "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺᚾ")

    assert 1.0 == found["language.ood"]
    assert "language" not in found


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=400))
def test_takes_any_string(signal, text):
    """Whatever comes, numbers are in range, and what is found is declared."""
    found = read(signal, text)

    assert set(found) <= set(signal.provides)
    for name in ("language.confidence", "language.ood"):
        assert 0 <= found.get(name, 0) <= 1
    assert "language" not in found or 2 == len(found["language"])


@settings(max_examples=50, deadline=None)
@given(
    number=st.integers(0, 10**9),
    emoji=st.sampled_from(["", " 🎉", " 😀😀"]),
    dots=st.sampled_from(["", "!", "...", "?!"]),
)
def test_numbers_and_decoration_change_nothing(signal, number, emoji, dots):
    """What is no word is no evidence, so that it does not move the confidence either."""
    plain = read(signal, "Schreib mir ein Gedicht über das Meer")

    assert plain == read(signal, f"Schreib mir ein Gedicht {number} über das Meer{dots}{emoji}")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "語" * 1_000_000,
        "((((" * 250_000,
        "a.b" * 300_000,
        "`" * 1_000_000,
        "'" * 1_000_000,
        "@" * 1_000_000,
    ],
)
def test_a_megabyte_costs_no_more_than_what_is_read(signal, text):
    """Work is bounded and linear, whatever the text is made of."""
    started = time.process_time()

    for _ in range(5):
        read(signal, text)

    assert time.process_time() - started < 0.5


def test_threads_agree(signal):
    """Many threads at once find what one finds."""
    texts = [text for _, text in SHORT] * 5

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: read(signal, text), texts))

    assert [read(signal, text) for text in texts] == together


def test_opens_no_connection():
    """The model comes with its package: making and using the signal touches no network."""
    script = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event) if event.startswith('socket.') else None)\n"
        "from gateway.signals.language import LanguageSignal\n"
        "print(LanguageSignal().detect('guten morgen').code, [e for e in seen if 'connect' in e or 'getaddrinfo' in e])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "de []" == done.stdout.strip()


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (("Latin", 1.0), "hello there"),
        (("Kana", 1.0), "東京都の人口"),
        (("Han", 1.0), "早上好"),
        (("Other", 1.0), "ᚠᚢᚦᚨᚱᚲ"),
        (("Cyrillic", 0.5), "доброе abcdefghi"),
        (None, "12 34 !?"),
        (None, "ab"),
    ],
)
def test_finds_the_script_of_most_letters(expected, text):
    """A script counts by its letters; kana make Han characters Japanese; two Latin letters are too few."""
    assert expected == main_script(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("see the file", "See the file `get()` utils.py, /etc/hosts"),
        ("don't stop", "DON'T   stop!!!"),
        ("hello", "\uff28\uff45\uff4c\uff4c\uff4f"),
        ("नमस्ते", "नमस्ते!"),
        ("press to go", "<b>Press</b> 42 to go"),
    ],
)
def test_prose_is_words_in_lower_case(expected, text):
    """Capitals, width, tags, names of files and punctuation go; apostrophes and vowel signs stay."""
    assert (expected, False) == prose(text)
