"""Builds what decides, by hand: policies over models of this and that ability, and requests to decide on."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import numpy as np

from gateway.callers import NOBODY
from gateway.constraints import UNBOUNDED, Constraints
from gateway.data_class import DataClasses
from gateway.deciding import Ask, Decider, World
from gateway.eligibility import Ability, Eligibility
from gateway.endpoints.endpoint import NO_KEY, Condition, Endpoint
from gateway.endpoints.fleet import Fleet
from gateway.latencies import Latencies
from gateway.metrics import Metrics
from gateway.policy import Policies, Policy
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.quotas import Quotas
from gateway.route import Route
from gateway.sessions import Sessions
from gateway.signals.agent import Agent
from gateway.signals.base import Caller, Request
from gateway.signals.context import ConversationContext
from gateway.signals.extract import Signals
from gateway.signals.length import Length
from gateway.signals.needs import Needs
from gateway.signals.pii.signal import PiiSignal
from gateway.signals.request import last_user_text
from gateway.signals.session import Session
from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.provider import Provider
from providers.types import Target, Timeouts
from routers.random_choice import RandomChoice
from routers.types import Candidate, Estimates

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
CARD = "My card is 4111 1111 1111 1111."
#: Read once: it loads its lexicon.
PII = PiiSignal()


def signals(*more, deadline_s: float = 5.0) -> Signals:
    """Return the signals that every decision reads, and more."""
    return Signals([Length(), ConversationContext(), Needs(), Session(), Agent(), *more], None, deadline_s, Metrics())


def policy(name="p", pool=(), router=None, fallback=None, **options: Any) -> Policy:
    """Return a policy with one route; by default each of the pool is as likely as the next."""
    rest = {key: options.pop(key) for key in ("attempts", "bounds", "changes") if key in options}
    route = Route(tuple(pool), router or RandomChoice(), fallback, Timeouts(total_s=5), **rest)
    return Policy(name, "", route, "", **options)


def decider(*policies: Policy, abilities=None, classes=None, deadline_s=5.0, more=()) -> Decider:
    """Return what decides by these policies. `classes` are the rules of data classes; `more` signals replace others."""
    models = {candidate.model: candidate for one in policies for route in one.routes() for candidate in route.pool}
    ladder = classes.classes if classes else None
    known = {model: Ability() for model in models} | dict(abilities or {})
    found = [PII, *more] if classes else more
    return Decider(
        Policies({one.name: one for one in policies}, models, Timeouts(total_s=5)),
        signals(*found, deadline_s=deadline_s),
        Eligibility(known, ladder),
        classes,
    )


def ask(
    model="p",
    text="Say hello.",
    *,
    constraints: Constraints = UNBOUNDED,
    caller: Caller = NOBODY,
    headers=None,
    **body,
) -> Ask:
    """Return a request with one user turn, unless `messages` are given."""
    whole = {"model": model, "messages": [{"role": "user", "content": text}], **body}
    chat = parse_chat(json.dumps(whole).encode())
    return Ask(chat, Request(chat.body, last_user_text(chat.body), NOON, headers or {}, caller), constraints)


def world(seed: int = 0) -> World:
    """Return a world in which nothing has happened yet."""
    return World(Fleet(), Sessions(), Latencies(), random.Random(seed), Quotas((), MemoryLedger(), longest_s=0))


def pool(*names: str, **options: Any) -> tuple[Candidate, ...]:
    return tuple(Candidate(name, **options) for name in names)


def tool_loop(call_id: str = "call_1", text: str = "What is the weather?") -> list[dict[str, Any]]:
    """Return the messages of an open loop of tools."""
    call = {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    return [
        {"role": "user", "content": text},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "4 degrees"},
    ]


def turns(*texts: str) -> list[dict[str, Any]]:
    """Return messages whose roles take turns, the user first."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


LADDER = DataClasses()


def resting(there: World, *models: str, seconds: float = 60.0) -> None:
    """Let models rest: each has one endpoint, which asks to be left alone."""
    endpoints = {model: (endpoint(model),) for model in models}
    there.fleet.take(endpoints, {model: Condition() for model in models})
    for model in models:
        there.fleet.condition(model).breaker.told_to_wait(time.monotonic(), seconds)


def endpoint(name: str, *keys: str, provider: str = "up", weight: float = 1.0) -> Endpoint:
    """Return an endpoint that nothing is sent to."""
    mute = httpx2.MockTransport(lambda _: httpx2.Response(500))
    away = Provider(provider, base_url="http://up/v1", headers={}, adapter=OpenAIAdapter(), transport=mute)
    return Endpoint(name, away, Target(name), keys or (NO_KEY,), weight)


class Known:
    """An estimator that expects of each model the reward that it was told."""

    requires: frozenset[str] = frozenset()

    def __init__(self, **rewards):
        self.rewards = rewards

    def predict(self, contexts, candidates):
        means = np.array([[self.rewards[one.model] for one in candidates]] * len(contexts), np.float32)
        return Estimates(means, np.zeros_like(means))

    def learn(self, outcomes):
        raise NotImplementedError

    state = restore = learn
