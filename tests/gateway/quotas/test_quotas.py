from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.quotas import Estimate, Holder, MemoryLedger, Quota, QuotaExceeded, Quotas, QuotaUnpriced

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
USD = 10**9
ANA = Holder(key="ana", user="u", team="blue", tags=("web", "beta"), policy="auto")
BEN = Holder(key="ben", user="u", team="blue", policy="auto")
SMALL = Estimate(100, USD // 100)


def quotas_of(ledger, *quotas, longest_s=600.0):
    return Quotas(quotas, ledger, longest_s=longest_s)


def fast(amount=2, **options):
    return Quota("fast", "key", "requests", amount, "minute", **options)


def budget(amount=USD, **options):
    return Quota("budget", "team", "usd", amount, "month", **options)


async def refused(quotas, holder=ANA, model="m", estimate=SMALL, at=NOON):
    with pytest.raises(QuotaExceeded) as caught:
        await quotas.reserve(holder, model, estimate, at)
    return caught.value


async def test_a_limit_of_requests_admits_exactly_its_amount(ledger):
    """The next is refused until the minute is over, and told when that is; another key has its own count."""
    quotas = quotas_of(ledger, fast())
    for _ in range(2):
        await quotas.reserve(ANA, "m", SMALL, NOON + 15 * SECOND)

    error = await refused(quotas, at=NOON + 15 * SECOND)
    assert ("fast", "ana", "requests", 2, 0, "rate", 45.0) == (
        error.quota,
        error.holder,
        error.unit,
        error.limit,
        error.remaining,
        error.kind,
        error.retry_after_s,
    )
    assert (429, "rate_limit_exceeded", "45", "45000") == (
        error.status,
        error.code,
        error.headers["retry-after"],
        error.headers["retry-after-ms"],
    )
    assert "'fast' of the key 'ana'" in str(error)
    await quotas.reserve(BEN, "m", SMALL, NOON)
    await quotas.reserve(ANA, "m", SMALL, NOON + MINUTE)


async def test_a_budget_that_is_used_up_is_no_limit_that_passes(ledger):
    """The client is told that it is out of quota, and not to try again."""
    quotas = quotas_of(ledger, budget(USD))
    grant = await quotas.reserve(ANA, "m", Estimate(0, USD), NOON)
    await grant.settle(10, USD, NOON)

    error = await refused(quotas, holder=BEN)
    assert ("quota", "insufficient_quota", {"x-should-retry": "false"}) == (error.kind, error.code, error.headers)
    assert b'"type": "insufficient_quota"' in error.body()
    assert "1 USD a month, 0 USD left, and this request takes 0.01 USD" in str(error)
    assert "2026-12-01T00:00:00Z" in str(error)


async def test_all_quotas_are_granted_or_none(ledger):
    """A request that one quota refuses leaves nothing behind in the others."""
    quotas = quotas_of(ledger, fast(1), Quota("tokens", "everyone", "tokens", 100, "minute"))
    for _ in range(3):
        assert "tokens" == (await refused(quotas, estimate=Estimate(101, 0))).quota

    await quotas.reserve(ANA, "m", Estimate(100, 0), NOON)


async def test_what_is_settled_counts_instead_of_what_was_reserved(ledger):
    """Less gives the rest back; more overdraws the quota, so that the next is refused."""
    quotas = quotas_of(ledger, Quota("tokens", "key", "tokens", 1000, "minute"))
    grant = await quotas.reserve(ANA, "m", Estimate(1000, 0), NOON)
    await grant.settle(400, 0, NOON)
    grant = await quotas.reserve(ANA, "m", Estimate(600, 0), NOON)
    await grant.settle(700, 0, NOON)

    error = await refused(quotas, estimate=Estimate(1, 0))
    assert (0, 1000) == (error.remaining, error.limit)


async def test_what_is_unknown_counts_as_reserved(ledger):
    """An answer whose tokens or cost nobody knows is not free."""
    quotas = quotas_of(ledger, budget(), Quota("tokens", "key", "tokens", 1000, "minute"))
    grant = await quotas.reserve(ANA, "m", Estimate(800, USD // 2), NOON)
    await grant.settle(None, None, NOON)

    assert "tokens" == (await refused(quotas, estimate=Estimate(201, 0))).quota
    assert "budget" == (await refused(quotas, estimate=Estimate(200, USD // 2 + 1))).quota


async def test_a_grant_ends_once(ledger):
    """Settling twice counts once; releasing after settling gives nothing back, and settling after releasing nothing."""
    quotas = quotas_of(ledger, fast(2), Quota("tokens", "key", "tokens", 1000, "minute"))
    settled, released = [await quotas.reserve(ANA, "m", Estimate(100, 0), NOON) for _ in range(2)]
    await settled.settle(300, 0, NOON)
    await settled.settle(300, 0, NOON)
    await settled.release(NOON)
    await released.release(NOON)
    await released.settle(700, 0, NOON)

    with pytest.raises(RuntimeError, match="settled or released"):
        await settled.moved("m", SMALL, NOON)
    await quotas.reserve(ANA, "m", Estimate(700, 0), NOON)
    assert "fast" == (await refused(quotas, estimate=Estimate(0, 0))).quota


async def test_a_reservation_that_nobody_ends_comes_back(ledger):
    """It expires after a minute without renewal; settled after that it still counts."""
    quotas = quotas_of(ledger, Quota("day", "key", "requests", 1, "day"))
    lost = await quotas.reserve(ANA, "m", SMALL, NOON)
    await refused(quotas, at=NOON + 59 * SECOND)

    other = await quotas.reserve(ANA, "m", SMALL, NOON + 60 * SECOND)
    await other.release(NOON + 61 * SECOND)
    await lost.settle(1, 1, NOON + 62 * SECOND)
    await refused(quotas, at=NOON + 63 * SECOND)


async def test_a_long_request_is_renewed_up_to_its_longest(ledger):
    """As long as the quotas are tended, what it holds does not expire before the longest time that a request takes."""
    quotas = quotas_of(ledger, Quota("parallel", "key", "concurrent", 1, None), longest_s=300)
    await quotas.reserve(ANA, "m", SMALL, NOON)
    for seconds in range(0, 300, 10):
        await quotas.tend(NOON + seconds * SECOND)
        assert "rate" == (await refused(quotas, at=NOON + seconds * SECOND)).kind

    await quotas.reserve(ANA, "m", SMALL, NOON + 300 * SECOND)


async def test_places_are_given_back_however_a_request_ends(ledger):
    """Concurrent requests count while they are under way, over all windows."""
    quotas = quotas_of(ledger, Quota("parallel", "key", "concurrent", 2, None))
    one, two = [await quotas.reserve(ANA, "m", SMALL, NOON) for _ in range(2)]
    error = await refused(quotas)
    assert (1.0, "rate") == (error.retry_after_s, error.kind)
    await one.settle(5, 5, NOON)
    await two.release(NOON)

    for _ in range(2):
        await quotas.reserve(ANA, "m", SMALL, NOON)
    await refused(quotas)


async def test_settlement_belongs_to_the_window_of_the_reservation(ledger):
    """A request that begins in one minute and ends in the next counts in the first."""
    quotas = quotas_of(ledger, Quota("tokens", "key", "tokens", 100, "minute"))
    grant = await quotas.reserve(ANA, "m", Estimate(100, 0), NOON)
    await grant.settle(100, 0, NOON + MINUTE)

    await quotas.reserve(ANA, "m", Estimate(100, 0), NOON + MINUTE)
    await refused(quotas, at=NOON + 59 * SECOND)


async def test_a_request_moves_to_another_model(ledger):
    """It holds the other model's claims instead; where that is refused it holds what it held."""
    large = Quota("large-day", "model", "requests", 1, "day", of=frozenset({"large"}))
    quotas = quotas_of(ledger, large, budget(USD))
    first = await quotas.reserve(ANA, "large", Estimate(1, USD // 2), NOON)
    second = await quotas.reserve(ANA, "small", Estimate(1, USD // 4), NOON)

    with pytest.raises(QuotaExceeded) as caught:
        await second.moved("large", Estimate(1, USD // 4), NOON)
    assert ("large-day", True) == (caught.value.quota, caught.value.of_model)
    with pytest.raises(QuotaExceeded) as caught:
        await second.moved("medium", Estimate(1, USD // 2 + 1), NOON)
    assert ("budget", False) == (caught.value.quota, caught.value.of_model)

    await first.moved("small", Estimate(1, USD // 4), NOON)
    await second.moved("large", Estimate(1, 3 * USD // 4), NOON)
    await refused(quotas, estimate=Estimate(1, 1))


async def test_a_holders_quota_is_the_better_reason_than_a_models(ledger):
    """Where both are used up, another model would not help; the longest wait is told."""
    quotas = quotas_of(
        ledger,
        Quota("model", "model", "requests", 1, "month"),
        fast(1),
        Quota("hour", "team", "requests", 1, "hour"),
    )
    await quotas.reserve(ANA, "m", SMALL, NOON)

    assert "hour" == (await refused(quotas)).quota
    assert "model" == (await refused(quotas, holder=Holder(key="zoe"))).quota


async def test_a_models_quota_removes_it_from_the_candidates(ledger):
    """One with too little left for a request is named with the reason, as long as the window lasts; another is not."""
    quotas = quotas_of(ledger, Quota("gpt5-day", "model", "usd", USD, "day", of=frozenset({"large", "huge"})))
    models = ["small", "large", "huge"]

    def exhausted(at=NOON, share=2):
        return quotas.exhausted(models, lambda _: Estimate(1, USD // share), at)

    assert {} == exhausted()
    grant = await quotas.reserve(ANA, "large", Estimate(1, USD * 3 // 4), NOON)

    assert {"large": "quota: gpt5-day has too little left of 1 USD a day"} == exhausted()
    assert {} == exhausted(share=4)
    assert {} == exhausted(NOON + 24 * 60 * MINUTE)
    await grant.release(NOON)
    await quotas.tend(NOON)
    assert {} == exhausted()


async def test_what_costs_nothing_passes_an_empty_budget(ledger):
    """A free model is still there when the money is gone."""
    quotas = quotas_of(ledger, budget(USD))
    await (await quotas.reserve(ANA, "m", SMALL, NOON)).settle(1, 2 * USD, NOON)

    await quotas.reserve(ANA, "free", Estimate(100, 0), NOON)
    await refused(quotas)


async def test_an_unknown_price_is_refused_unless_allowed(ledger):
    """It would not be counted; the error says what to do."""
    quotas = quotas_of(ledger, budget())
    with pytest.raises(QuotaUnpriced, match="'budget' counts USD, and the price of the model 'm' is unknown"):
        await quotas.reserve(ANA, "m", Estimate(1, None), NOON)
    assert "budget" == quotas.unpriced(ANA, "m")
    assert quotas.unpriced(Holder(key="zoe"), "m") is None

    lenient = quotas_of(ledger, budget(refuses_unpriced=False))
    grant = await lenient.reserve(ANA, "m", Estimate(1, None), NOON)
    await grant.settle(1, USD, NOON)
    await lenient.reserve(ANA, "m", Estimate(1, USD), NOON)


async def test_a_keys_own_quotas_hold_beside_those_for_all(ledger):
    """They may have the same name, and are counted apart."""
    own = fast(1, own=True)
    quotas = quotas_of(ledger, fast(2))
    holder = Holder(key="zoe", own=(own,))
    await quotas.reserve(holder, "m", SMALL, NOON)

    assert 1 == (await refused(quotas, holder=holder)).limit
    await quotas.reserve(Holder(key="zoe"), "m", SMALL, NOON)


async def test_what_can_never_pass_is_not_to_be_tried_again(ledger):
    """A request for more than the whole quota is told so, also where the quota is one of minutes."""
    quotas = quotas_of(ledger, Quota("tokens", "key", "tokens", 100, "minute"))

    error = await refused(quotas, estimate=Estimate(101, 0))
    assert "quota" == error.kind
    assert "more than it ever has" in str(error)
    assert "quota" == (await refused(quotas, estimate=Estimate(10**30, 0))).kind


async def test_headers_tell_the_tightest_limit_of_the_key(ledger):
    """Minutes only, of requests and tokens, in OpenAI's words."""
    quotas = quotas_of(
        ledger,
        fast(600),
        Quota("tokens", "key", "tokens", 1000, "minute"),
        budget(),
        Quota("day", "key", "requests", 5, "day"),
    )
    own = Quota("own", "key", "requests", 3, "minute", own=True)
    holder = Holder(key="ana", own=(own,))
    await quotas.reserve(holder, "m", Estimate(400, 0), NOON)

    assert {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "30s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "600",
        "x-ratelimit-reset-tokens": "30s",
    } == quotas.headers(holder, NOON + 30 * SECOND)


async def test_pressure_grows_as_a_quota_nears_its_end(ledger):
    """Up to `cheaper_from` money has its price; then it is dearer, the more the less is left."""
    quotas = quotas_of(ledger, budget(100 * USD, cheaper_from=0.8), fast(100))
    assert ({"budget": 0.0}, 1.0) == (quotas.pressure(ANA, NOON).shares, quotas.pressure(ANA, NOON).price)
    prices = []
    for spent in (80, 10, 5, 4):
        grant = await quotas.reserve(ANA, "m", Estimate(1, spent * USD), NOON)
        await grant.settle(1, spent * USD, NOON)
        prices.append(round(quotas.pressure(ANA, NOON).price, 9))

    assert [1.0, 2.0, 4.0, 20.0] == prices
    assert {"budget": 0.99} == quotas.pressure(ANA, NOON).shares


async def test_a_paced_quota_makes_money_dearer_while_it_is_spent_too_fast(ledger):
    """Half of a month's money on its first day: the price rises, and falls again while nothing is spent."""
    quotas = quotas_of(ledger, budget(100 * USD, paced=True))
    first = datetime(2026, 11, 1, tzinfo=UTC)
    prices = [quotas.pressure(ANA, first).price]
    for hours in range(1, 51):
        at = first + hours * 60 * MINUTE
        if hours <= 25:
            grant = await quotas.reserve(ANA, "m", Estimate(1, 2 * USD), at)
            await grant.settle(1, 2 * USD, at)
        prices.append(quotas.pressure(ANA, at).price)

    assert 1.0 == prices[0]
    assert prices[25] > 10
    assert prices[25] > prices[30] > prices[50] == 1.0


async def test_quotas_may_change_over_the_same_counts(ledger):
    """After a change of the configuration what has been counted still holds, and what is open can be settled."""
    quotas = quotas_of(ledger, fast(5))
    grant = await quotas.reserve(ANA, "m", SMALL, NOON)
    quotas.replace([fast(2)], longest_s=60)
    await grant.settle(1, 1, NOON)

    await quotas.reserve(ANA, "m", SMALL, NOON)
    await refused(quotas)


async def test_nothing_is_asked_where_no_quota_counts(replicas):
    """Without a quota that counts a request it passes, though there is no Redis that could answer."""
    quotas = quotas_of(replicas("redis://127.0.0.1:9/0"), Quota("teams", "team", "requests", 1, "day"))
    grant = await quotas.reserve(Holder(key="zoe"), "m", SMALL, NOON)

    await grant.moved("n", SMALL, NOON)
    await grant.settle(1, 1, NOON)


def test_the_ledger_in_memory_never_waits():
    """Reserving and settling end at once, without giving way to anybody."""
    quotas = quotas_of(MemoryLedger(), fast(), budget())

    def at_once(coroutine):
        with pytest.raises(StopIteration) as end:
            coroutine.send(None)
        return end.value.value

    grant = at_once(quotas.reserve(ANA, "m", SMALL, NOON))
    assert at_once(grant.moved("n", SMALL, NOON)) is None
    assert at_once(grant.settle(1, 1, NOON)) is None
    assert at_once(quotas.tend(NOON)) is None


async def test_two_replicas_admit_exactly_the_amount(replicas):
    """200 requests at once, over two ledgers on one Redis, five times: exactly so many pass as the quota has."""
    for amount in (1, 7, 60, 137, 199):
        sides = [quotas_of(replicas(), Quota(f"q{amount}", "everyone", "requests", amount, "day")) for _ in range(2)]

        async def attempt(n, sides=sides):
            try:
                grant = await sides[n % 2].reserve(ANA, "m", SMALL, NOON)
            except QuotaExceeded:
                return False
            await grant.settle(1, 1, NOON)
            return True

        passed = await asyncio.gather(*(attempt(n) for n in range(200)))
        assert amount == sum(passed)


async def test_tending_goes_on_until_cancelled(ledger):
    """The background task renews by its own clock, and ends when it is told to."""
    quotas = quotas_of(ledger, Quota("parallel", "key", "concurrent", 1, None))
    await quotas.reserve(ANA, "m", SMALL, NOON)
    times = iter([NOON + 50 * SECOND])
    task = asyncio.create_task(quotas.run(lambda: next(times)))
    await asyncio.sleep(0.2)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await refused(quotas, at=NOON + 100 * SECOND)
