import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.caching.canonical import SILENT, Number, canonical, read_exactly

NAMES = st.text(max_size=4) | st.sampled_from(["messages", "tools", "stream", "0", "a"])
#: A number as (sign, digits, power of ten), each value in one form.
DECIMALS = st.tuples(st.sampled_from(["", "-"]), st.integers(0, 10**20), st.integers(-30, 30))


class Decimal(tuple):
    """A number of a value to be written."""

    __slots__ = ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6) | DECIMALS.map(Decimal),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=4)


def form(text: str) -> bytes:
    return canonical(read_exactly(text))


def written(draw, value) -> str:
    """Return JSON for a value, numbers in any of their forms and with any white space."""
    space = draw(st.sampled_from(["", " ", "\n"]))
    if isinstance(value, Decimal):
        return number(draw, *value)
    if isinstance(value, dict):
        members = [f"{space}{json.dumps(name)}:{space}{written(draw, part)}" for name, part in value.items()]
        return "{" + ",".join(members) + space + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(written(draw, part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def number(draw, sign: str, digits: int, power: int) -> str:
    zeros = draw(st.integers(0, 3))
    digits, power = digits * 10**zeros, power - zeros
    if power == 0 and draw(st.booleans()):
        return f"{sign}{digits}"
    text = str(digits)
    point = draw(st.integers(1, len(text)))
    fraction = text[point:]
    return (
        f"{sign}{text[:point]}{'.' + fraction if fraction else ''}{draw(st.sampled_from('eE'))}{power + len(fraction)}"
    )


def plain(value, *, ordered: bool):
    """Return what a value is compared by: members in order where that counts, numbers by their value."""
    if isinstance(value, Decimal):
        sign, digits, power = value
        while digits and digits % 10 == 0:
            digits, power = digits // 10, power + 1
        return ("number", sign if digits else "", digits, power if digits else 0)
    if isinstance(value, dict):
        items = [(name, plain(part, ordered=ordered)) for name, part in value.items()]
        return ("object", items if ordered else sorted(items, key=lambda item: item[0]))
    if isinstance(value, list):
        return ("list", [plain(part, ordered=ordered) for part in value])
    return (type(value).__name__, value)


def meaning(body):
    return {name: plain(value, ordered=name != "messages") for name, value in body.items() if name not in SILENT}


@given(st.data(), BODIES, BODIES)
def test_two_requests_have_one_form_if_and_only_if_they_mean_the_same(data, one, other):
    """However they are written."""
    forms = [form(written(data.draw, body)) for body in (one, other)]

    assert (meaning(one) == meaning(other)) == (forms[0] == forms[1])


@given(st.data(), BODIES)
def test_a_request_has_the_same_form_however_it_is_written(data, body):
    """Other white space, other forms of numbers, other escapes, another order at the top."""
    shuffled = dict(data.draw(st.permutations(list(body.items()))))

    assert form(written(data.draw, body)) == form(written(data.draw, shuffled))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_that_differ_differ(one, other):
    """Down to the last digit."""
    assume(one != other)

    assert form(f'{{"temperature": {one!r}}}') != form(f'{{"temperature": {other!r}}}')


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"t": 1}', '{"t": 1.0}'),
        ('{"t": 0.1}', '{"t": 1e-1}'),
        ('{"t": -0.0}', '{"t": 0}'),
        ('{"messages": [{"role": "user", "content": "a"}]}', '{"messages": [{"content": "a", "role": "user"}]}'),
        ('{"t": 1, "stream": true, "user": "u", "metadata": {"a": 1}}', '{"stream_options": {}, "t": 1}'),
    ],
)
def test_these_are_one_request(one, other):
    """What does not change the answer does not count."""
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"t": 1}', '{"t": "1"}'),
        ('{"t": 1}', '{"t": true}'),
        ('{"t": null}', "{}"),
        ('{"seed": 9007199254740993}', '{"seed": 9007199254740992}'),
        ('{"seed": 9007199254740993.0}', '{"seed": 9007199254740992.0}'),
        ('{"t": 1e400}', '{"t": 1e500}'),
        ('{"stop": ["a", "b"]}', '{"stop": ["b", "a"]}'),
        ('{"a": ["b,c"]}', '{"a": ["b", "c"]}'),
        ('{"tools": [{"x": 1, "y": 2}]}', '{"tools": [{"y": 2, "x": 1}]}'),
        ('{"response_format": {"a": 1, "b": 2}}', '{"response_format": {"b": 2, "a": 1}}'),
    ],
)
def test_these_are_two_requests(one, other):
    """A schema's order is the order in which a model answers."""
    assert form(one) != form(other)


def test_what_is_no_number_is_refused():
    """A text in its place has been read by something else."""
    with pytest.raises(ValueError, match="'one' is no number"):
        canonical({"t": Number("one")})


def test_an_exponent_beyond_any_use_is_refused():
    """Python would take a long time for it."""
    with pytest.raises(ValueError, match="4300 digits"):
        form('{"t": 1e' + "9" * 5000 + "}")
