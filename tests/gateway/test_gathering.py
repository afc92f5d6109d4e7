import asyncio
from random import Random

import numpy as np
import pytest

from gateway.gathering import Gathering, gregarious
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.estimators.knn import KNN
from routers.rules.greedy import Greedy
from routers.types import Candidate, Context, Estimates, Incumbent, Outcomes
from tests.gateway.worlds import ask, decider, policy, world

POOL = (Candidate("a"), Candidate("b"))


class Counting(Constant):
    """Expects the same of all, gains by company, and notes how many it was asked about at a time."""

    gains_by_company = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def predict(self, contexts, candidates) -> Estimates:
        """Estimate, and note for how many."""
        self.asked.append(len(contexts))
        return super().predict(contexts, candidates)


class Failing(Counting):
    """Cannot estimate anything."""

    def predict(self, contexts, candidates) -> Estimates:
        """Note for how many it should have estimated, and fail."""
        super().predict(contexts, candidates)
        raise ValueError("the encoder was changed")


def contexts(count):
    """Return requests with embeddings."""
    draw = np.random.default_rng(1)
    return [Context(str(at), at, draw.standard_normal(8).astype(np.float32)) for at in range(count)]


def neighbours():
    """Return a router that learned which of two models is good where, by more rows than are looked through whole."""
    draw = np.random.default_rng(0)
    embeddings = (draw.standard_normal((4000, 8)) * 0.5 ** np.arange(8)).astype(np.float32)
    rewards = (embeddings[:, :2] > 0).astype(np.float32)
    router = EstimatingRouter(KNN(), Greedy())
    router.learn(Outcomes(("a", "b"), embeddings, rewards, np.abs(rewards), 100 * rewards))
    return router


def first_call(router, context):
    return next(router.plan(context, POOL, Random(0)))


async def test_requests_of_one_turn_are_estimated_together():
    """One question to the estimator serves all of them, and none of the next turn."""
    router, gathering = EstimatingRouter(Counting(), Greedy()), Gathering()

    for count in (5, 1, 3):
        asked = contexts(count)
        ready = await asyncio.gather(*[gathering.joined(router, context, POOL) for context in asked])
        for one, context in zip(ready, asked, strict=True):
            first_call(one, context)

    assert [5, 1, 3] == router.estimator.asked


async def test_each_is_decided_on_as_if_it_were_alone():
    """Wherever its dial stands, whoever answered its session, and to the last bit of its estimates."""
    router, gathering, asked = neighbours(), Gathering(), contexts(20)
    views = [
        view.staying_with(Incumbent("b", 0.1)) if at % 3 == 0 else view
        for at, view in enumerate(router.with_quality_weight(at / 20) for at in range(20))
    ]

    ready = await asyncio.gather(
        *[gathering.joined(view, context, POOL) for view, context in zip(views, asked, strict=True)]
    )

    alone = [first_call(view, context) for view, context in zip(views, asked, strict=True)]
    assert alone == [first_call(one, context) for one, context in zip(ready, asked, strict=True)]


async def test_those_with_other_candidates_or_another_router_are_apart():
    """What is expected of the candidates goes by all of them."""
    first, second, gathering = (
        EstimatingRouter(Counting(), Greedy()),
        EstimatingRouter(Counting(), Greedy()),
        Gathering(),
    )
    one, two, three, four = contexts(4)

    await asyncio.gather(
        gathering.joined(first, one, POOL),
        gathering.joined(second, two, POOL),
        gathering.joined(first, three, POOL[:1]),
        gathering.joined(first, four, POOL),
    )

    assert ([2, 1], [1]) == (first.estimator.asked, second.estimator.asked)


async def test_who_leaves_meanwhile_keeps_nobody():
    """The others go on, and the next turn's are estimated by themselves."""
    router, gathering = EstimatingRouter(Counting(), Greedy()), Gathering()
    leaving, staying, next_one = contexts(3)
    tasks = [asyncio.ensure_future(gathering.joined(router, context, POOL)) for context in (leaving, staying)]

    asyncio.get_running_loop().call_soon(tasks[0].cancel)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    await gathering.joined(router, next_one, POOL)

    assert isinstance(ended[0], asyncio.CancelledError)
    assert isinstance(ended[1], EstimatingRouter)
    assert [2, 1] == router.estimator.asked


async def test_an_estimator_that_fails_tells_each():
    """Nobody waits for an answer that does not come."""
    router, gathering = EstimatingRouter(Failing(), Greedy()), Gathering()

    ended = await asyncio.gather(
        *[gathering.joined(router, context, POOL) for context in contexts(3)], return_exceptions=True
    )

    assert ["the encoder was changed"] * 3 == [str(error) for error in ended]


@pytest.mark.parametrize(("estimator", "gains"), [(KNN(), True), (Constant(), False)])
def test_an_estimator_says_whether_company_gains(estimator, gains):
    """Others are asked one by one, without a turn of the event loop."""
    assert gains == gregarious(EstimatingRouter(estimator, Greedy()))


async def test_a_policy_estimates_together_what_is_decided_in_one_turn():
    """From requests to decisions, and each as if it had been alone."""
    router = EstimatingRouter(Counting(), Greedy())
    deciding = decider(policy(pool=POOL, router=router))

    together = await asyncio.gather(*[deciding.decide(ask(text=f"Say {n}."), world()) for n in range(4)])
    alone = await deciding.decide(ask(text="Say 0."), world())

    assert [4, 1] == router.estimator.asked
    assert [alone.call] * 4 == [routed.call for routed in together]
    assert {"signals", "rules", "eligibility", "route"} <= together[0].trace.stages.keys()
