from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import Field

from gateway.config.loader import ConfigError, load
from gateway.config.quota_models import OwnQuotaConfig, QuotaConfig
from gateway.config.quotas import build_quotas, wrong_quotas
from gateway.config.validate import validate
from gateway.config.written import Written
from gateway.quotas.types import Quota


class Document(Written):
    """A file with quotas for all and for one key."""

    quotas: tuple[QuotaConfig, ...] = ()
    own: tuple[OwnQuotaConfig, ...] = Field(())


def read(tmp_path, text):
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    document = load(path, {})
    return validate(document, Document), document


def test_quotas_are_counted_as_they_are_written(tmp_path):
    """Money in nano-dollars, defaults filled in."""
    config, _ = read(
        tmp_path,
        """
quotas:
  - {name: team-month, per: team, unit: usd, amount: 500.5, window: month, when_out: downgrade, from: 0.7, pace: true}
  - {name: fast, per: key, unit: requests, amount: 600, window: minute}
  - {name: parallel, per: key, unit: concurrent, amount: 20}
  - {name: gpt5-day, per: model, of: [gpt-5], unit: usd, amount: "0.000000001", window: day, unpriced: allow}
  - {name: down, per: everyone, unit: usd, amount: 1, window: day, when_out: downgrade}
own:
  - {name: mine, unit: tokens, amount: 5, window: hour}
""",
    )

    assert (
        Quota("team-month", "team", "usd", 500_500_000_000, "month", cheaper_from=0.7, paced=True),
        Quota("fast", "key", "requests", 600, "minute"),
        Quota("parallel", "key", "concurrent", 20, None),
        Quota("gpt5-day", "model", "usd", 1, "day", of=frozenset({"gpt-5"}), refuses_unpriced=False),
        Quota("down", "everyone", "usd", 10**9, "day", cheaper_from=0.8),
    ) == build_quotas(config.quotas)
    assert (Quota("mine", "key", "tokens", 5, "hour", own=True),) == build_quotas(config.own)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("per: key, unit: requests, amount: 5", "`window` is for what is counted over time"),
        ("per: key, unit: concurrent, amount: 5, window: day", "`window` is for what is counted over time"),
        ("per: key, unit: tokens, amount: 1.5, window: day", "a whole number of tokens"),
        ("per: key, unit: tokens, amount: 1e18, window: day", "at most 9000000000000000"),
        ("per: key, unit: usd, amount: 9000001, window: day", "9000000 at most"),
        ("per: key, unit: usd, amount: '0.0000000001', window: day", "nine digits after the point"),
        ("per: key, unit: usd, amount: 0, window: day", "greater than 0"),
        ("per: key, unit: usd, amount: .nan, window: day", "finite number"),
        ("per: key, unit: tokens, amount: 5, window: day, when_out: downgrade", "are for quotas in USD"),
        ("per: key, unit: tokens, amount: 5, window: day, pace: true", "are for quotas in USD"),
        ("per: key, unit: usd, amount: 5, window: day, from: 0.5", "`from` goes with `when_out: downgrade`"),
        ("per: key, unit: usd, amount: 5, window: day, when_out: downgrade, from: 1", "less than 1"),
        ("per: everyone, of: [a], unit: usd, amount: 5, window: day", "`of` names some"),
        ("per: model, unit: usd, amount: 5, window: day, pace: true", "a model whose quota is used up is not asked"),
        ("per: modle, unit: usd, amount: 5, window: day", "not 'modle'"),
        ("per: key, unit: usd, amount: 5, window: week", "not 'week'"),
        ("per: key, unit: usd, amount: 5, window: day, pase: true", "did you mean 'pace'?"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_line(tmp_path, written, says):
    """The error says where and why."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"quotas:\n  - {{name: q, {written}}}\n")

    assert f"{tmp_path}/gateway.yaml:2: quotas.0" in str(caught.value)
    assert says in str(caught.value)


def test_names_are_checked_against_what_there_is(tmp_path):
    """A name that two quotas have, and a model that does not exist; keys may be made at any time, and are not checked."""
    config, document = read(
        tmp_path,
        """
quotas:
  - {name: q, per: model, of: [small, larg], unit: usd, amount: 1, window: day}
  - {name: q, per: key, of: [whoever], unit: usd, amount: 1, window: day}
""",
    )

    assert [
        f"{tmp_path}/gateway.yaml:3: quotas.0.of.1: there is no model 'larg'; did you mean 'large'?",
        f"{tmp_path}/gateway.yaml:4: quotas.1.name: there are two quotas 'q': they would share a count",
    ] == list(wrong_quotas(config.quotas, document, ("quotas",), {"model": ["small", "large"]}))
    assert Decimal(1) == config.quotas[0].amount
