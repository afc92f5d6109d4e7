import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.caching.directives import Directives, directives_of


@pytest.mark.parametrize(
    ("written", "read", "write", "only", "max_age_s"),
    [
        ("", True, True, False, None),
        ("no-cache", False, True, False, None),
        ("NO-STORE", False, False, False, None),
        ("max-age=60", True, True, False, 60),
        ('max-age="60"', True, True, False, 60),
        ("max-age=60, max-age=5", True, True, False, 5),
        ("max-age=soon", True, True, False, 0),
        ("max-age", True, True, False, 0),
        ("max-age=-1", True, True, False, 0),
        ("max-age=" + "9" * 5000, True, True, False, 2**31),
        ("only-if-cached", True, True, True, None),
        ("no-transform, Only-If-Cached, max-age = 7", True, True, True, 7),
        ("min-fresh=5, x-no-cache", True, True, False, None),
    ],
)
def test_directives_are_read_as_the_rfc_has_them(written, read, write, only, max_age_s):
    """In any case, with or without quotes; what is not known is passed over."""
    assert Directives(read, write, only, max_age_s) == directives_of({"cache-control": written})


def test_pragma_counts_where_nothing_else_is_said():
    """RFC 9111, section 5.4."""
    assert not directives_of({"pragma": "No-Cache"}).read
    assert directives_of({"pragma": "no-cache", "cache-control": "max-age=5"}).read
    assert Directives() == directives_of({})


@given(st.text(max_size=60))
def test_any_header_can_be_read(written):
    """Whatever a client sends."""
    found = directives_of({"cache-control": written})

    assert found.max_age_s is None or 0 <= found.max_age_s <= 2**31
