"""What a request takes with all its calls: the sum is exact, and unknown where one of them is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.account import Account
from gateway.backend import Backend
from gateway.charging import CANCELLED, Charge, owed, tokens_of
from gateway.dispatch import Dispatched
from gateway.endpoints.concurrency import ConcurrencyLimit
from gateway.endpoints.gate import Gate
from gateway.events import MadeCall
from gateway.store import codec
from gateway.store.money import to_nanos
from gateway.store.samples import build_outcome
from routers.types import Candidate
from tests.gateway.test_charging import TARIFF, whole
from tests.gateway.worlds import endpoint

COSTS = st.none() | st.integers(0, 10**14).map(lambda part: Decimal(part) / 10**11)
ERRORS = st.sampled_from([None, CANCELLED, "timeout", "unreadable"])
COUNTS = st.none() | st.integers(0, 10_000)


@st.composite
def calls(draw):
    """Return a call; of one whose cost is unknown, so is the source."""
    cost = draw(COSTS)
    source = None if cost is None else draw(st.sampled_from(["reported", "priced", "estimated"]))
    model = draw(st.sampled_from(["small", "large"]))
    return MadeCall(model, "step", draw(ERRORS), cost, source, draw(COUNTS), draw(COUNTS), 0.5)


def answer(prompt, completion, tariff=TARIFF):
    """Return a complete answer of a model."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    place = endpoint("up", "key")
    reply, gate = whole({"content": "Hi"}, usage=usage), Gate(ConcurrencyLimit())
    return Dispatched(Backend(Candidate("large"), (place,), tariff), place, "key", reply, gate, "cascade step=1")


@given(made=st.lists(calls(), max_size=5), priced=st.booleans(), prompt=COUNTS, completion=COUNTS)
def test_the_cost_is_the_sum_of_the_calls_and_the_answers_own(made, priced, prompt, completion):
    """None is left out but those that nobody answered, and none is made up for one that is unknown."""
    account = Account(made, answer(prompt or 0, completion or 0, TARIFF if priced else None))
    own = account.call(None)
    total = account.close()
    charged = [call for call in (*made, *([own] if own else [])) if owed(call)]

    if made and all(call.cost_usd is not None for call in charged):
        logged = codec.decode_outcome(codec.encode(build_outcome(1, cost_usd=total.usd, calls=tuple(charged))))
        assert logged.cost_usd == sum(call.cost_usd for call in logged.calls)
        assert total.source in {call.cost_source for call in charged}
    elif made:
        assert Charge(None, None) == total
    assert (None if not made else "large") == (own and own.model)
    assert total == account.so_far()


@given(made=st.lists(calls(), max_size=5))
def test_what_was_asked_before_a_client_left_is_owed(made):
    """There is no answer, and what its calls took is what the request took."""
    account = Account(made)
    charged = [call.cost_usd for call in made if owed(call)]
    known = bool(charged) and None not in charged

    assert (sum(map(to_nanos, charged)) if known else None) == (to_nanos(account.close().usd) if known else None)
    assert known == (account.close().usd is not None)
    assert account.call("client_left") is None


@given(made=st.lists(calls(), max_size=5), own=COUNTS)
def test_tokens_are_those_of_all_calls_that_are_owed(made, own):
    """A limit counts every one; unknown where one is."""
    counted = [(call.prompt_tokens, call.completion_tokens) for call in made if owed(call)]
    flat = [own, *(count for pair in counted for count in pair)]

    assert (None if None in flat else sum(flat)) == tokens_of(own, made)


def test_an_answer_alone_has_no_call_of_its_own():
    """What the log would say of it, it says of the request."""
    account = Account([], answer(100, 10))

    assert account.call(None) is None
    assert Charge(Decimal("0.00012"), "priced") == account.close()


def test_the_answers_own_call_says_what_it_was_for():
    """By the plan's word for it, with its tokens and its cost."""
    one = MadeCall("small", "cascade step=0", None, Decimal("0.5"), "priced", 7, 3, 0.25)
    own = Account([one], answer(100, 10)).call("interrupted")

    assert ("large", "cascade step=1", "interrupted") == (own.model, own.why, own.error)
    assert (Decimal("0.00012"), 100, 10) == (own.cost_usd, own.prompt_tokens, own.completion_tokens)
