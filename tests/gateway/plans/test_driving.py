"""What becomes of a plan whose models fail, hang, or must not be asked; and of one whose client leaves."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import httpx2
import pytest

from gateway.endpoints.concurrency import ConcurrencyLimit
from gateway.errors import NoBackendAvailable, NoEligibleModel
from gateway.plans.bounds import Bounds
from routers.fixed import Fixed
from routers.gates.judge import Judge
from routers.plans.cascade import Cascade
from routers.plans.panel import Panel
from routers.plans.self_consistency import SelfConsistency
from routers.types import Call, Finish
from tests.gateway.plans.hostile import sent
from tests.gateway.plans.stages import POOL, expecting, stage
from tests.poured import pieces_of
from tests.upstream import chunk, completion

CASCADE = Cascade(Judge("dear"), expecting(), thresholds=[0.5])
PANEL = Panel(expecting(), size=3, merge="vote")


class Models:
    """Plays each model: a text, a status, or None for one that never answers. `left` counts who was hung up on."""

    def __init__(self, **lines):
        self.lines, self.bodies, self.left = lines, [], Counter()

    async def __call__(self, request):
        body = json.loads(request.content)
        self.bodies.append(body)
        line = self.lines[body["model"]]
        line = line(body) if callable(line) else line
        if line is None:
            try:
                await asyncio.Event().wait()
            finally:
                self.left[body["model"]] += 1
        if isinstance(line, int):
            return httpx2.Response(line, json={"error": {"message": "played"}})
        return httpx2.Response(200, json=completion(body["model"], line))

    @property
    def asked(self):
        return [body["model"] for body in self.bodies]


def run(models, router, **options):
    """Carry a plan out; return the stage, whose answer it is, and its text."""
    there = stage(models, **options)

    async def answer():
        found = await there.run(router)
        body = b"".join(await pieces_of(found.reply))
        found.end()
        return found.backend.candidate.model, json.loads(body)["choices"][0]["message"]["content"]

    return there, *asyncio.run(answer())


def judged(verdict, text="dear"):
    return lambda body: f"VERDICT: {verdict}" if "VERDICT" in body["messages"][-1]["content"] else text


def errors(there):
    return {(call.model, call.error) for call in there.dispatcher.made}


def test_a_panel_goes_on_without_a_member_that_fails():
    """The others vote, and the log says who was missing."""
    there, model, text = run(Models(cheap="42", middle=500, dear="42"), PANEL)

    assert ("dear", "42") == (model, text)
    assert {("middle", "upstream_error"), ("cheap", None)} == errors(there)
    assert [("middle", "plan")] == [(one.model, one.then) for one in there.dispatcher.attempts if one.error]


def test_a_cascade_goes_on_where_its_first_step_fails():
    """What nobody answered cannot be good enough."""
    there, model, _ = run(Models(cheap=503, middle="42", dear=judged("YES")), CASCADE)

    assert "middle" == model
    assert ("cheap", "overloaded") in errors(there)


def test_a_judge_that_is_away_lets_nothing_pass():
    """A gate that cannot tell escalates; where that fails too, the best that was heard is returned."""
    models = Models(cheap="cheap", middle="middle", dear=500)
    there, model, text = run(models, CASCADE)

    assert ("middle", "middle") == (model, text)
    assert ["cheap", "dear", "middle", "dear", "dear"] == models.asked
    assert "settled" == there.dispatcher.plan_end


def test_where_all_are_down_the_client_is_told_why():
    """The status is the endpoint's, each is asked once, and whether to try again is as it is for a single call."""
    models = Models(cheap=500, middle=503, dear=529)
    with pytest.raises(NoBackendAvailable) as caught:
        run(models, PANEL)

    assert (True, None) == (caught.value.status in {500, 503, 529}, caught.value.headers.get("x-should-retry"))
    assert ["cheap", "dear", "middle"] == sorted(models.asked)


def test_a_request_that_all_refuse_is_not_to_be_sent_again():
    """What is at fault is the request."""
    with pytest.raises(NoBackendAvailable) as caught:
        run(Models(cheap=422, middle=422, dear=422), PANEL)

    assert (422, "false") == (caught.value.status, caught.value.headers["x-should-retry"])


def test_who_has_not_been_asked_answers_where_a_plan_has_nothing():
    """A panel of two that are down has the third one's answer, unless the policy names no fallback."""
    two = Panel(expecting(), size=2)
    there, model, _ = run(Models(cheap="cheap", middle=500, dear=500), two)

    assert ("cheap", "no_answer") == (model, there.dispatcher.plan_end)
    with pytest.raises(NoBackendAvailable):
        run(Models(cheap="cheap", middle=500, dear=500), two, fallback=())


def test_a_member_that_must_not_see_the_request_is_left_out():
    """The last gate holds for every call of a plan; where it leaves nobody, the client is told so."""
    models = Models(cheap="42", middle="42", dear="42")
    there, model, _ = run(models, PANEL, forbidden=frozenset({"dear"}))

    assert {"cheap", "middle"} == set(models.asked)
    assert (model, ("dear", "no_eligible_model") in errors(there)) == ("middle", True)
    with pytest.raises(NoEligibleModel):
        run(models, PANEL, forbidden=frozenset({"cheap", "middle", "dear"}))


def test_as_many_of_a_panel_are_asked_as_may_be():
    """The plan is told of the others as of any that failed."""
    models = Models(cheap="42", middle="42", dear="42")
    there, model, _ = run(models, PANEL, bounds=Bounds(2))

    assert {"dear", "middle"} == set(models.asked)
    assert ("dear", 1, "bounds") == (model, len(there.dispatcher.made), there.dispatcher.plan_end)


def test_what_was_heard_in_time_is_returned():
    """A panel does not wait for its slowest member beyond the request's time, and the endpoint is hung up on."""
    models = Models(cheap="42", middle="42", dear=None)
    there, model, text = run(models, PANEL, total_s=0.4)

    assert ("middle", "42") == (model, text)
    assert {("dear", "timeout"), ("cheap", None)} == errors(there)
    assert 1 == models.left["dear"]


def test_a_client_that_leaves_cancels_every_call_under_way_and_they_are_logged():
    """What was answered with its cost, and what was not with that of its prompt; no endpoint is blamed."""
    models = Models(cheap="42", middle=None, dear=None)
    there = stage(models)

    async def leave():
        task = asyncio.ensure_future(there.run(PANEL))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(leave())
    made = {call.model: call for call in there.dispatcher.made}

    assert {"middle": 1, "dear": 1} == models.left
    assert {"cheap": None, "middle": "cancelled", "dear": "cancelled"} == {m: call.error for m, call in made.items()}
    assert "priced" == made["cheap"].cost_source
    prompt = there.terms.demand.prompt_tokens
    assert (Decimal(prompt * 10) / 1_000_000, "estimated") == (made["dear"].cost_usd, made["dear"].cost_source)
    assert ((prompt, 0), 0) == ((made["dear"].prompt_tokens, made["dear"].completion_tokens), there.in_flight)
    assert all(there.dispatcher.fleet.condition(model).breaker.closed for model in made)


def test_every_call_counts_for_its_endpoint():
    """One that fails opens its breaker, whoever asked; one that answers keeps it closed."""
    there, _, _ = run(Models(cheap="42", middle=404, dear="42"), PANEL)

    closed = {model: there.dispatcher.fleet.condition(model).breaker.closed for model in ("cheap", "middle", "dear")}
    assert {"cheap": True, "middle": False, "dear": True} == closed


def test_samples_of_one_model_wait_for_room_at_its_endpoint():
    """They are asked at once, and sent as many at a time as it takes."""
    under_way: list[int] = []

    async def play(request):
        under_way.append(there.in_flight)
        await asyncio.sleep(0.01)
        return httpx2.Response(200, json=completion(json.loads(request.content)["model"], "42"))

    there = stage(play)
    there.dispatcher.fleet.condition("cheap").gate.limit = ConcurrencyLimit(1, adapts=False)
    samples = SelfConsistency(expecting(), samples=4, batch=4)

    assert "cheap" == asyncio.run(there.run(samples)).backend.candidate.model
    assert [1, 1, 1, 1] == under_way
    assert (3, 0) == (len(there.dispatcher.made), there.in_flight)


def test_an_answer_that_is_written_anew_comes_in_the_clients_form():
    """A stream for whom asked for one, though a plan's own question was answered whole."""

    class Says:
        def plan(self, *_):
            (answer,) = yield Call(POOL[:1], {"cheap": 1.0}, "asks", stream=False, bare=True)
            return Finish(answer, text="anew")

    there = stage(Models(cheap="{}"), stream=True)

    async def said():
        found = await there.run(Says())
        return found.reply.streams, await pieces_of(found.reply)

    streams, pieces = asyncio.run(said())
    assert (True, b"data: [DONE]\n\n") == (streams, pieces[-1])
    assert "anew" == json.loads(pieces[0][6:])["choices"][0]["delta"]["content"]


def test_who_is_asked_once_may_answer_as_long_as_the_client_lets_him():
    """What a single call is expected to cost was looked at before; its request stays as it is."""
    bounds = Bounds(8, Decimal("0.01"), several=False)
    models = Models(cheap="42")
    run(models, Fixed("cheap"), bounds=bounds)
    run(models, Fixed("cheap"), bounds=replace(bounds, several=True))

    assert [None, 4096] == [body.get("max_tokens") for body in models.bodies]


def test_a_plan_that_never_ends_is_ended():
    """Once it may make no more calls it is told so, as often as it might make calls, and then no more."""

    class Endless:
        def plan(self, *_):
            while True:
                yield Call(POOL[:1], {"cheap": 1.0}, "again", stream=False)

    models = Models(cheap="42")
    there, model, text = run(models, Endless(), bounds=Bounds(3))

    assert ("cheap", "42", 3) == (model, text, len(models.asked))
    assert "bounds" == there.dispatcher.plan_end


def test_a_stream_that_breaks_off_is_an_error_to_the_plan():
    """Its beginning is no answer; what it has cost is counted."""

    async def play(request):
        body = json.loads(request.content)
        if body["model"] != "cheap" or not body.get("stream"):
            return httpx2.Response(200, json=completion(body["model"], "VERDICT: YES"))
        begun = [chunk("cheap", {"content": "The answer"})]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=sent(begun))

    there = stage(play, stream=True)

    async def served():
        found = await there.run(CASCADE)
        return found.backend.candidate.model

    assert "middle" == asyncio.run(served())
    (cut,) = [call for call in there.dispatcher.made if call.error]
    assert ("cheap", "upstream_error", "estimated") == (cut.model, cut.error, cut.cost_source)
    assert cut.cost_usd > 0
