"""A property of deciding and sending: whatever happens, nobody sees a request who must not."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.backend import Backend
from gateway.constraints import Constraints
from gateway.data_class import DEFAULT_CLASSES, DataClassRules
from gateway.dispatch import Dispatcher
from gateway.eligibility import Ability
from gateway.endpoints.endpoint import Endpoint
from gateway.errors import GatewayError
from gateway.metrics import Metrics
from gateway.pipeline import arrive, terms_of
from providers.adapters.openai import OpenAIAdapter
from providers.errors import ProviderError
from providers.provider import Provider
from providers.types import Target
from routers.fixed import Fixed
from routers.gates.judge import Judge
from routers.plans.cascade import Cascade
from routers.plans.orchestrator import Orchestrator
from routers.plans.panel import Panel
from routers.random_choice import RandomChoice
from tests.gateway.worlds import CARD, ask, decider, policy, pool, tool_loop, turns, world
from tests.integration.plugin_routers import Prying, Rota
from tests.poured import pieces_of
from tests.upstream import completion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
NAMES = ("m0", "m1", "m2", "m3", "m4")
BEHAVIOURS = ("ok", "429", "500", "401", "400", "context", "garbage", "refused", "in-band", "cut")
a_class = st.sampled_from(DEFAULT_CLASSES)
a_model = st.sampled_from(NAMES)
#: Closed ones are often enough cleared for something to be sent.
a_clearance = st.sampled_from([None, "internal", "confidential", "restricted", "restricted"])


@dataclass
class Seen:
    """Plays every model, as it was told to behave, and notes who was asked."""

    behaviours: dict[str, str]
    calls: Counter[str] = field(default_factory=Counter)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        model = body["model"]
        self.calls[model] += 1
        return self._answer(model, self.behaviours[model], streams=body.get("stream", False))

    def _answer(self, model: str, behaviour: str, *, streams: bool) -> httpx2.Response:
        if behaviour == "refused":
            raise httpx2.ConnectError("refused")
        if behaviour.isdigit():
            return httpx2.Response(int(behaviour), json={"error": {"message": "no"}})
        if behaviour == "context":
            error = {"message": "too long", "code": "context_length_exceeded"}
            return httpx2.Response(400, json={"error": error})
        if behaviour == "garbage":
            return httpx2.Response(200, headers={"content-type": "text/html"}, content=_sent([b"<html>"]))
        if not streams:
            return httpx2.Response(200, json=completion(model))
        delta = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
        events = {"in-band": [{"error": {"message": "crashed"}}], "cut": [delta]}.get(behaviour, [delta])
        pieces = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
        pieces += [b"data: [DONE]\n\n"] if behaviour == "ok" else []
        return httpx2.Response(200, content=_sent(pieces), headers={"content-type": "text/event-stream"})


async def _sent(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@st.composite
def cases(draw):
    """Return a pool with clearances and behaviours, a policy over it, a request, and what is claimed of it."""
    members = draw(st.permutations(NAMES))[: draw(st.integers(1, 5))]
    routers = [
        RandomChoice(),
        Fixed(draw(st.sampled_from(members))),
        Rota(draw(st.lists(a_model, min_size=1, max_size=3))),
        Cascade(Judge(draw(a_model)), RandomChoice(), thresholds=[1.0]),
        Panel(RandomChoice(), merge="llm", merger=draw(a_model)),
        Orchestrator(draw(a_model), RandomChoice()),
        Prying(),
    ]
    messages = draw(
        st.sampled_from([turns("hi"), turns(CARD), turns("hi", "hello", CARD), tool_loop(), tool_loop(text=CARD)])
        | st.just([{"role": "user", "content": [IMAGE]}])
    )
    return {
        "clearances": draw(st.fixed_dictionaries(dict.fromkeys(NAMES, a_clearance))),
        "behaviours": draw(st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(BEHAVIOURS)))),
        "members": members,
        "router": draw(st.sampled_from(routers)),
        "fallback": draw(st.none() | st.permutations(NAMES).map(tuple) | st.lists(a_model, max_size=2).map(tuple)),
        "attempts": draw(st.none() | st.integers(1, 4)),
        "policy_class": draw(st.none() | a_class),
        "floor": draw(st.none() | a_class),
        "card": draw(a_class),
        "claims": draw(st.frozensets(a_class, max_size=2)),
        "deny": draw(st.sampled_from([frozenset(), frozenset(), {"m1"}, {"m0", "m3"}]).map(frozenset)),
        "allow": draw(st.none() | st.none() | st.frozensets(a_model, min_size=1)),
        "messages": messages,
        "stream": draw(st.booleans()),
        "asked_for": draw(st.sampled_from(["p", "p", "p", *NAMES])),
        "last": draw(st.none() | a_model),
        "in_time": draw(st.booleans()),
    }


def least_class(case) -> int:
    """Return the rank of the class that the request has at least, counted anew from what is known of it."""
    told = [case["policy_class"] if case["asked_for"] == "p" else None, case["floor"], *case["claims"]]
    text = json.dumps(case["messages"])
    if "4111" in text or "image_url" in text or not case["in_time"]:
        told.append(case["card"])
    return max((DEFAULT_CLASSES.index(name) for name in told if name), default=0)


async def play(case) -> Counter[str]:
    """Decide, send, and read the answer to its end; return who was asked."""
    seen = Seen(case["behaviours"])
    rules = DataClassRules(by_pii={"card": case["card"]}, floor=case["floor"])
    everyone = policy("everyone", pool(*NAMES))
    main = policy(
        pool=pool(*case["members"]),
        router=case["router"],
        fallback=case["fallback"],
        attempts=case["attempts"],
        data_class=case["policy_class"],
    )
    abilities = {name: Ability(clearance=clearance) for name, clearance in case["clearances"].items()}
    deciding = decider(main, everyone, abilities=abilities, classes=rules, deadline_s=5.0 if case["in_time"] else 0.0)
    constraints = Constraints(data_classes=case["claims"], allow=case["allow"], deny=case["deny"])
    request = ask(case["asked_for"], messages=case["messages"], stream=case["stream"], constraints=constraints)
    there = world()
    session = deciding.signals.known["session"].read(request.request, None)["session"]
    if case["last"] is not None:
        there.sessions.note("p", f"\n{session}", case["last"], time.monotonic())
    up = Provider(
        "up", base_url="http://up/v1", headers={}, adapter=OpenAIAdapter(), transport=httpx2.MockTransport(seen)
    )
    backends = {one.model: Backend(one, (Endpoint(one.model, up, Target(one.model)),), None) for one in pool(*NAMES)}
    try:
        routed = await deciding.decide(request, there)
        dispatcher = Dispatcher(time.monotonic(), backends, there.fleet, Metrics(), there.rng)
        answer = await dispatcher.run(routed.plan, routed.call, terms_of(routed, arrive("r", {}), request), routed.chat)
        await pieces_of(answer.reply)
        await answer.reply.aclose()
    except (GatewayError, ProviderError):
        pass  # whatever becomes of the request, it is who has seen it that counts
    deciding.signals.close()
    return seen.calls


def test_nobody_is_asked_who_is_not_cleared_or_not_wanted():
    """Fallbacks, failures, sessions, plug-ins, claims, late signals: no way around."""
    reached: Counter[str] = Counter()

    @settings(max_examples=400)
    @given(cases())
    def check(case):
        calls = asyncio.run(play(case))
        least = least_class(case)
        for model in calls:
            assert DEFAULT_CLASSES.index(case["clearances"][model] or "public") >= least
            assert model not in case["deny"]
            assert case["allow"] is None or model in case["allow"]
        reached.update({"sent": bool(calls), "several": len(calls) > 1, "closed": bool(calls) and least > 0})

    check()
    assert min(reached["sent"] / 100, reached["several"] / 20, reached["closed"] / 20) >= 1
    assert threading.active_count() < 50
