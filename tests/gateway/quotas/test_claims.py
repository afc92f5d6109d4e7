from __future__ import annotations

import pytest

from gateway.quotas.claims import MOST, MOST_SPENT, Claims, spent
from gateway.quotas.crowd import Crowd
from gateway.quotas.types import Estimate, Holder, Quota

ANA = Holder(key="ana", user="u", team="blue", tags=("web", "beta", "web"), policy="auto")
TEN = Estimate(10, 20)
NOW_MS = 1_767_225_600_000


def stakes(quota, holder=ANA, model="m", estimate=TEN):
    return Claims([quota], Crowd()).stakes(holder, model, estimate, NOW_MS)


@pytest.mark.parametrize(
    ("per", "named", "nobody"),
    [
        ("key", ["ana"], [""]),
        ("user", ["u"], [""]),
        ("team", ["blue"], []),
        ("tag", ["web", "beta"], []),
        ("model", ["m"], ["m"]),
        ("policy", ["auto"], []),
        ("everyone", [""], [""]),
    ],
)
def test_a_request_is_counted_for_its_holders(per, named, nobody):
    """Keys and users without a name are counted together; who is of no team, tag or policy is not counted there."""
    quota = Quota("q", per, "requests", 5, "minute")

    assert named == [stake.holder for stake in stakes(quota)]
    assert nobody == [stake.holder for stake in stakes(quota, Holder())]


def test_a_quota_may_be_for_some_only():
    """Others are not counted."""
    quota = Quota("q", "tag", "requests", 5, "minute", of=frozenset({"beta", "alpha"}))

    assert ["beta"] == [stake.holder for stake in stakes(quota)]


def test_each_unit_counts_its_own():
    """Requests and places one by one, tokens and money by the estimate, then by what was used."""
    units = [stakes(Quota(unit, "key", unit, 50, window))[0] for unit, window in WINDOWS.items()]

    assert [1, 10, 20, 1] == [stake.claim.amount for stake in units]
    assert (1, 7, 9, 0) == spent(units, 7, 9)
    assert (1, 10, 20, 0) == spent(units, None, None)


WINDOWS = {"requests": "minute", "tokens": "hour", "usd": "month", "concurrent": None}


def test_counters_differ_by_quota_unit_window_and_holder():
    """No two share a count, also where a quota was changed under the same name."""
    quotas = [
        Quota("q", "key", "requests", 5, "minute"),
        Quota("q", "key", "tokens", 5, "minute"),
        Quota("q", "key", "requests", 5, "hour"),
        Quota("q", "key", "requests", 5, "minute", own=True),
        Quota("r", "key", "requests", 5, "minute"),
    ]
    holders = [Holder(key="a"), Holder(key="b"), Holder(key="a|b"), Holder(key="")]
    counters = [stakes(quota, holder)[0].claim.counter for quota in quotas for holder in holders]

    assert len(quotas) * len(holders) == len(set(counters))


def test_amounts_stay_within_what_can_be_counted():
    """A client may ask for an answer of any length, and an endpoint report any count."""
    (stake,) = stakes(Quota("q", "key", "tokens", 5, "minute"), estimate=Estimate(10**30, 0))
    assert MOST == stake.claim.amount
    assert (MOST_SPENT,) == spent([stake], 10**30, 0)
    assert (0,) == spent([stake], -3, 0)
