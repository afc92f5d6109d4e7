import asyncio
import json
from contextlib import nullcontext
from dataclasses import replace

import openai
import pytest

from gateway.caching.hit import Hit, Miss, Origin
from gateway.caching.keeping import MAX_WRITES
from gateway.caching.memory import MemoryShelf
from gateway.caching.redis_shelf import RedisShelf
from gateway.caching.types import CacheRules, Holder, Semantic
from gateway.constraints import Constraints
from gateway.data_class import DataClassRules
from gateway.eligibility import Ability
from gateway.policy import Effect
from gateway.rules.parse import parse_condition
from gateway.rules.ruleset import Rule, RuleSet
from providers.errors import UpstreamError
from providers.reply import WholeReply
from providers.types import Decoded, Usage
from tests.gateway.caching.cached import (
    SEMANTIC,
    Cached,
    Streaming,
    completion,
    question,
    reply_of,
    said,
)
from tests.gateway.caching.completions import streamed
from tests.gateway.caching.shelves import MUCH, linked, opened
from tests.gateway.worlds import decider, policy, pool, tool_loop
from tests.poured import pieces_of
from tests.redis_server import redis_server

RESET, RESET_TOO = "How do I reset my password?", "Please tell me how I can reset my password."
EXACT = CacheRules()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
async def cached(request, server):
    async with opened(request.param, server) as shelf:
        yield Cached(shelf)


@pytest.fixture
def here():
    """Return a cache in memory."""
    return Cached(MemoryShelf(MUCH))


def way(hit):
    return hit.way if isinstance(hit, Hit) else "miss"


async def test_the_same_request_gets_the_same_answer(cached):
    """With the decision that it comes from, its model and its age, for nothing."""
    await cached.answer(question(), "By mail.")

    hit = await cached.look(question(), after_s=90.7)

    assert "By mail." == await said(hit, question())
    assert {
        "x-pointsman-cache": "exact",
        "x-pointsman-cache-age": "90",
        "x-pointsman-decision-id": "decision-1",
        "x-pointsman-model": "small",
        "x-pointsman-cost-usd": "0",
    } == hit.headers
    assert {("p", "miss"): 1, ("p", "exact"): 1} == cached.counted.lookups
    assert {("p", "kept"): 1} == cached.counted.writes


async def test_the_same_question_in_other_words_gets_the_same_answer(cached):
    """Where the policy lets it."""
    await cached.answer(question(RESET), "By mail.")

    assert "semantic" == way(await cached.look(question(RESET_TOO)))
    assert "By mail." == await said(await cached.look(question(RESET_TOO)), question())
    assert "miss" == way(await cached.look(question(RESET_TOO), rules=EXACT))
    assert "semantic" == way(await cached.look(question(RESET), rules=replace(SEMANTIC, exact=False)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I transfer 40 dollars to savings?", "How do I transfer 20 dollars to savings?"),
        ("How do I reset my password?", "How do I not reset my password?"),
        ("How far is it from Rome to Paris?", "How far is it from Paris to Rome?"),
    ],
)
async def test_a_question_whose_vector_is_near_is_another_question(cached, one, other):
    """Whatever the threshold: wording disposes."""
    rules = CacheRules(semantic=Semantic(0.01, "free"))
    await cached.answer(question(one), rules=rules)

    assert "miss" == way(await cached.look(question(other), rules=rules))


async def test_the_threshold_is_kept(here):
    """Below it, the same words are not enough."""
    await here.answer(question(RESET))

    assert "miss" == way(await here.look(question(RESET_TOO), rules=CacheRules(semantic=Semantic(0.999))))


@pytest.mark.parametrize(
    "body",
    [
        {"temperature": 0.5},
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "system", "content": "Be rude."}, {"role": "user", "content": RESET}]},
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": RESET},
            ]
        },
    ],
)
async def test_all_but_the_question_must_be_the_same(here, body):
    """Also where questions are compared by their meaning: system prompt, earlier turns, parameters."""
    await here.answer(question(RESET))

    assert "miss" == way(await here.look(question(RESET, **body)))
    assert "miss" == way(await here.look(question(RESET_TOO, **body)))


async def test_answers_belong_to_where_the_dial_stands(here):
    """Whether it is turned by a name or by a header: who asks for the best does not get the cheap one's."""
    await here.answer(question())
    asked, routed = question(), await here.routed(question())
    named = replace(routed, chat=question(model="p:best").chat)
    turned = replace(asked, constraints=Constraints(quality_weight=1.0))

    for one, where in ((asked, named), (turned, routed)):
        assert "miss" == way(await here.caching.lookup(one, where, SEMANTIC, Holder("key"), asked.request.at))


@pytest.mark.parametrize(
    ("scope", "holder", "expected"),
    [
        ("key", Holder("other", "team"), "miss"),
        ("key", Holder("key", "elsewhere"), "exact"),
        ("team", Holder("other", "team"), "exact"),
        ("team", Holder("other", "elsewhere"), "miss"),
        ("everyone", Holder("other", "elsewhere"), "exact"),
    ],
)
@pytest.mark.parametrize("text", [RESET, RESET_TOO])
async def test_answers_are_given_within_their_scope_only(cached, scope, holder, expected, text):
    """Exact ones and others."""
    rules = replace(SEMANTIC, scope=scope)
    await cached.answer(question(RESET), rules=rules)

    found = way(await cached.look(question(text), rules=rules, holder=holder))

    assert (expected == "miss") == (found == "miss")


async def test_who_has_no_team_shares_with_nobody(here):
    """An empty team is none."""
    rules = CacheRules(scope="team")
    await here.answer(question(), rules=rules, holder=Holder("one"))

    assert "miss" == way(await here.look(question(), rules=rules, holder=Holder("other")))
    assert "exact" == way(await here.look(question(), rules=rules, holder=Holder("one")))


async def test_answers_never_cross_data_classes(here):
    """Higher or lower, exact or not: not even for everyone."""
    trusted = {model: Ability(clearance="restricted") for model in ("small", "large")}
    here.decider = decider(policy(pool=pool("small", "large")), abilities=trusted, classes=DataClassRules())
    rules = replace(SEMANTIC, scope="everyone")
    secret = {"constraints": Constraints(data_classes=frozenset({"confidential"}))}
    await here.answer(question(RESET, **secret), "A secret.", rules=rules)
    assert ["miss", "miss"] == [way(await here.look(question(text), rules=rules)) for text in (RESET, RESET_TOO)]
    await here.answer(question("Say hello to them."), rules=rules)

    assert "miss" == way(await here.look(question("Say hello to them.", **secret), rules=rules))
    assert "exact" == way(await here.look(question(RESET, **secret), rules=rules))


async def test_an_answer_of_a_model_that_may_not_answer_is_not_given(cached):
    """Denied by the caller, not in the pool any more, or another model by the same name."""
    await cached.answer(question(), model="small")

    assert "miss" == way(await cached.look(question(constraints=Constraints(deny=frozenset({"small"})))))
    assert "exact" == way(await cached.look(question(constraints=Constraints(deny=frozenset({"large"})))))
    routed = await cached.routed(question())
    forbidden = replace(routed, forbidden=frozenset({"small"}))
    look = cached.caching.lookup(question(), forbidden, SEMANTIC, Holder("key", "team"), question().request.at)
    assert "miss" == way(await look)
    cached.identities["small"] = "small elsewhere"
    assert "miss" == way(await cached.look(question()))


async def test_a_policy_that_has_changed_has_no_answers(here):
    """Its digest is part of the key."""
    await here.answer(question())
    here.decider = decider(replace(policy(pool=pool("small", "large")), digest="changed"))

    assert "miss" == way(await here.look(question()))


async def test_a_rule_has_answers_of_its_own(here):
    """It may change headers, or how much is reasoned, where the request stays the same."""
    await here.answer(question())
    one = policy(pool=pool("small", "large"))
    rules = RuleSet([Rule("always", 0, parse_condition({}, {}), Effect(one.route))])
    here.decider = decider(replace(one, rules=rules))

    assert "miss" == way(await here.look(question()))


async def test_vectors_of_another_encoder_are_not_compared(here):
    """The very same request is answered all the same."""
    await here.answer(question(RESET))
    other = Cached(here.shelf, encoder_digest="another")

    assert ["exact", "miss"] == [way(await other.look(question(text))) for text in (RESET, RESET_TOO)]


async def test_a_policy_that_wants_younger_answers_gets_younger_ones(here):
    """However long they were to be kept."""
    await here.answer(question())

    found = [await here.look(question(), rules=CacheRules(ttl_s=10), after_s=seconds) for seconds in (9, 10)]

    assert ["exact", "miss"] == [way(one) for one in found]


async def test_an_answer_is_given_as_long_as_it_lives(here):
    """Its age counts from its request, and not beyond what the client takes."""
    rules = CacheRules(ttl_s=100)
    await here.answer(question(), rules=rules)
    young = question(headers={"cache-control": "max-age=50"})

    assert "exact" == way(await here.look(question(), rules=rules, after_s=99))
    assert "miss" == way(await here.look(question(), rules=rules, after_s=101))
    await here.answer(question(), rules=rules)
    assert "exact" == way(await here.look(young, rules=rules, after_s=50))
    assert "miss" == way(await here.look(young, rules=rules, after_s=51))


async def test_who_takes_no_age_gets_a_fresh_answer(here):
    """Fractions of a second count, and replicas' clocks, which may be ahead, do not help."""
    fresh, young = (question(headers={"cache-control": f"max-age={seconds}"}) for seconds in (0, 1))
    await here.answer(question(), after_s=10)

    found = [await here.look(fresh, after_s=seconds) for seconds in (9, 10, 10.001, 10.9)]
    assert ["miss"] * 4 == [way(one) for one in found]
    found = [await here.look(young, after_s=seconds) for seconds in (10.9, 11, 11.1)]
    assert ["exact", "exact", "miss"] == [way(one) for one in found]


async def test_a_clock_that_is_behind_makes_no_negative_age(here):
    """Replicas' clocks differ."""
    await here.answer(question(), after_s=30)

    assert "0" == (await here.look(question())).headers["x-pointsman-cache-age"]


@pytest.mark.parametrize(
    ("directive", "answered", "kept"),
    [("no-cache", False, True), ("no-store", False, False), ("only-if-cached", True, True)],
)
async def test_a_client_may_ask_for_a_fresh_answer(here, directive, answered, kept):
    """`no-cache` is answered anew and kept, `no-store` neither answered from the cache nor kept."""
    asked = question(headers={"cache-control": directive})
    await here.answer(question(), "old")

    found = await here.look(asked)
    if not answered:
        await here.relay(found.keep(reply_of("new", asked), Origin("small", "decision-2")))

    assert answered == isinstance(found, Hit)
    assert ("new" if kept and not answered else "old") == await said(await here.look(question()), question())


async def test_a_client_that_wants_nothing_else_is_told_that_there_is_nothing(here):
    """Whatever the policy says: the caller answers with 504."""
    asked = question(headers={"cache-control": "only-if-cached"})

    assert [True, True, False] == [
        (await here.look(asked)).only,
        (await here.look(asked, rules=None)).only,
        (await here.look(question())).only,
    ]


async def test_a_policy_without_a_cache_keeps_nothing(here):
    """Its replies are relayed as they are, and nothing is counted."""
    miss = await here.look(question(), rules=None)
    reply = reply_of("Hi.", question())

    assert reply is miss.keep(reply, Origin("small", "d"))
    assert not here.counted.lookups


async def test_requests_with_tools_are_left_alone_unless_allowed(here):
    """And then only the very same one is given an answer again."""
    looping = question(messages=tool_loop(text=RESET))
    bypassed = await here.look(looping)
    assert (True, {("p", "bypassed"): 1}) == (bypassed.write is None, here.counted.lookups)
    rules = replace(SEMANTIC, tools=True)
    await here.answer(looping, rules=rules)

    assert "exact" == way(await here.look(looping, rules=rules))
    assert "miss" == way(await here.look(question(messages=tool_loop(text=RESET_TOO)), rules=rules))


async def read(hit, asked):
    return await pieces_of(hit.reply(asked.chat))


@pytest.mark.parametrize("first", [False, True])
async def test_one_answer_serves_streams_and_others(cached, first):
    """Whichever came first; the usage comes where it is asked for, and the end always."""
    options = {"stream": True, "stream_options": {"include_usage": True}}
    asked = question(**options) if first else question()
    await cached.answer(asked, "By mail.")
    whole = json.loads((await read(await cached.look(question()), question()))[0])
    plain, usage = question(stream=True), question(**options)
    events = await read(await cached.look(plain), plain)

    assert completion("By mail.") == whole
    assert streamed(whole, usage=False) == events
    assert streamed(whole, usage=True) == await read(await cached.look(usage), usage)
    assert b"data: [DONE]\n\n" == events[-1]
    assert openai.types.chat.ChatCompletionChunk.model_validate_json(events[0][6:])


async def test_a_stream_without_usage_is_kept_with_what_was_counted(here):
    """The endpoint was asked on the client's behalf, and the client's stream lacks it."""
    asked = question(stream=True)
    miss = await here.look(asked)
    reply = Streaming(streamed(completion(), usage=False), usage=Usage(3, 2))
    await here.relay(miss.keep(reply, Origin("small", "d")))

    whole = json.loads((await read(await here.look(question()), question()))[0])
    assert 5 == whole["usage"]["total_tokens"]


@pytest.mark.parametrize(
    ("said", "events", "error"),
    [
        ("broken off", streamed(completion())[:1], UpstreamError("gone")),
        ("broken at its end", streamed(completion()), UpstreamError("gone")),
        ("without an end", streamed(completion())[:-1], None),
        ("without a reason", streamed(completion(reason=None)), None),
        ("cut at its limit", streamed(completion(reason="length")), None),
        ("filtered", streamed(completion(reason="content_filter")), None),
        ("an error in band", [b'data: {"error": {"message": "no"}}\n\n', *streamed(completion())], None),
        ("empty", streamed(completion("")), None),
    ],
)
async def test_what_is_not_complete_is_not_kept(here, said, events, error):
    """The client gets all of it, and the error."""
    asked = question(stream=True)
    reply = (await here.look(asked)).keep(Streaming(events, error), Origin("small", "d"))
    got = []
    with nullcontext() if error is None else pytest.raises(UpstreamError):
        await reply.pour(got.extend)
    await here.caching.settle()

    assert events == got, said
    assert "miss" == way(await here.look(question()))


async def test_an_answer_that_is_no_json_is_not_kept(here):
    """Whatever let it through."""
    odd = WholeReply({}, Decoded(b'{"choices": ', None, None))
    await here.relay((await here.look(question())).keep(odd, Origin("small", "d")))

    assert {("p", "unfit"): 1} == here.counted.writes


async def test_the_next_nearest_answer_is_given_where_the_nearest_may_not(here):
    """Its model is denied, say."""
    for text, model in ((RESET, "small"), ("how do i reset my password", "large")):
        fresh = question(text, headers={"cache-control": "no-cache"})
        await here.answer(fresh, model=model)
    denials = [{"small"}, {"large"}]

    found = [await here.look(question(RESET_TOO, constraints=Constraints(deny=frozenset(names)))) for names in denials]
    routed = replace(await here.routed(question(RESET_TOO)), forbidden=frozenset({"small", "large"}))
    nobody = await here.caching.lookup(question(), routed, SEMANTIC, Holder("key", "team"), question().request.at)

    assert ["large", "small"] == [one.entry.model for one in found]
    assert "miss" == way(nobody)


async def test_an_answer_that_is_left_is_not_kept(here):
    """The client has gone in the middle of it, at any event."""
    events = streamed(completion())
    for count in range(len(events) + 1):
        inner = Streaming(events)
        reply = (await here.look(question(stream=True))).keep(inner, Origin("small", "d"))
        for _ in range(count):
            assert await reply.pour(lambda _: True)
        await reply.aclose()
        await here.caching.settle()

        assert inner.closed
        assert "miss" == way(await here.look(question()))


async def test_a_reply_is_relayed_as_it_is(here):
    """Status, headers, usage, reason and all."""
    inner = reply_of("Hi.", question())
    reply = (await here.look(question())).keep(inner, Origin("small", "d"))

    shown = [
        (one.status, one.headers, one.streams, one.usage, one.finish_reason, one.settled, one.produced())
        for one in (inner, reply)
    ]
    assert shown[0] == shown[1]
    assert inner._decoded.body == await here.relay(reply)


async def test_a_large_answer_is_not_kept():
    """Whole or as a stream; it is counted as too large."""
    here = Cached(MemoryShelf(MUCH), max_answer_bytes=1_000)
    for asked in (question(), question(stream=True)):
        await here.answer(asked, "word " * 300)

    assert "miss" == way(await here.look(question()))
    assert {("p", "too_large"): 1, ("p", "unfit"): 1} == here.counted.writes


async def test_an_answer_of_an_unknown_model_is_not_kept(here):
    """Nobody could tell later what stood behind its name."""
    await here.answer(question(), model="elsewhere")

    assert {("p", "unfit"): 1} == here.counted.writes


async def test_what_cannot_be_written_in_one_form_is_not_cached(here):
    """Such a request is answered as if there were no cache."""
    asked = question()
    odd = replace(asked.chat, raw=b'{"messages": [], "x": 1e' + b"9" * 5000 + b"}")
    routed = replace(await here.routed(asked), chat=odd)

    found = await here.caching.lookup(asked, routed, SEMANTIC, Holder(), asked.request.at)

    assert Miss(only=False) == found


class Stuck(MemoryShelf):
    """A shelf on which nothing can be put as long as it is held."""

    def __init__(self):
        super().__init__(MUCH)
        self.free = asyncio.Event()

    async def put(self, item, now):
        """Wait until it is let go."""
        await self.free.wait()
        return await super().put(item, now)


async def test_a_slow_shelf_delays_nobody():
    """Answers wait to be kept, up to a number; the rest are dropped."""
    shelf = Stuck()
    here = Cached(shelf)
    for n in range(MAX_WRITES + 3):
        asked = question(f"What is the number {n}?")
        reply = (await here.look(asked)).keep(reply_of("Hi.", asked), Origin("small", "d"))
        assert await pieces_of(reply)
    assert {("p", "dropped"): 3} == here.counted.writes
    shelf.free.set()
    await here.caching.settle()

    assert MAX_WRITES == here.counted.writes["p", "kept"]


async def test_without_redis_requests_go_on_as_misses(tmp_path):
    """Nothing is kept meanwhile, which is counted; afterwards the cache works again."""
    with redis_server(tmp_path) as server:
        async with linked(server) as link:
            here = Cached(RedisShelf(link, MUCH))
            await here.answer(question(), "before")
            server.kill()
            await here.answer(question(), "meanwhile")
            assert {("p", "miss"): 1, ("p", "away"): 1} == here.counted.lookups
            assert {("p", "kept"): 1, ("p", "away"): 1} == here.counted.writes
            server.start()
            await asyncio.sleep(0.6)
            await here.answer(question(), "after")

            assert "after" == await said(await here.look(question()), question())
            assert "semantic" == way(await here.look(question(RESET_TOO)))


async def test_a_value_that_cannot_be_read_is_a_miss(server):
    """It is written anew."""
    async with linked(server) as link:
        here = Cached(RedisShelf(link, MUCH))
        await here.answer(question(), "good")
        (name,) = await link.ask(lambda redis: redis.keys(f"{link.prefix}cache:answer:*"))
        await link.ask(lambda redis: redis.append(name, "x"))
        assert "miss" == way(await here.look(question()))
        await here.answer(question(), "new")

        assert "new" == await said(await here.look(question()), question())
