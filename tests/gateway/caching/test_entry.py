from hypothesis import given
from hypothesis import strategies as st

from gateway.caching.entry import Entry, decoded, encoded

KEY, OTHER = b"k" * 32, b"o" * 32
TEXTS = st.text(max_size=20)
ENTRIES = st.builds(Entry, st.binary(max_size=50), TEXTS, TEXTS, TEXTS, st.floats(0, 1e11))


@given(ENTRIES)
def test_an_entry_comes_back_as_it_was(entry):
    """Any bytes are an answer."""
    assert entry == decoded(encoded(entry, KEY), KEY)


@given(ENTRIES)
def test_an_entry_of_another_key_is_none(entry):
    """An answer in the wrong place is not given."""
    assert None is decoded(encoded(entry, KEY), OTHER)


@given(ENTRIES, st.data())
def test_a_damaged_entry_is_none(entry, data):
    """One byte is enough, wherever it is; so is a piece of it."""
    value = encoded(entry, KEY)
    at = data.draw(st.integers(0, len(value) - 1))

    assert None is decoded(value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :], KEY)
    assert None is decoded(value[:at], KEY)


@given(st.binary(max_size=80))
def test_what_others_have_written_is_none(value):
    """Whatever it is."""
    assert None is decoded(value, KEY)
