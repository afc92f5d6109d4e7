"""The command line, as users run it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pyarrow.parquet as pq
import pytest
import typer
import yaml

from gateway.cli.log import moment
from tests.conftest import PRICE, write_config

if TYPE_CHECKING:
    from pathlib import Path

ROUTER = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0.1}}
PROBES = [
    {"prompt_id": f"p{n}", "task": "sum", "prompt": f"{n} + {n}?", "grader": {"kind": "number", "value": 2 * n}}
    for n in range(12)
]


def pointsman(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert status == done.returncode, done.stderr
    return done


@pytest.fixture
def config(tmp_path, upstream) -> Path:
    return write_config(tmp_path, upstream.url, {"auto": {"pool": ["good", "other"], "router": ROUTER}})


def test_check_tells_what_is_unknown(config):
    """A configuration is good; a price that is unknown is a warning."""
    said = pointsman("check", config).stdout

    assert "policy auto: good, other" in said
    assert "models.unpriced: warning: its price is unknown" in said
    assert ": good, with " in said.splitlines()[-1]


def test_a_bad_configuration_is_a_line_and_a_status(config):
    """No trace: file, line, name, remedy."""
    (config.parent / "auto.yaml").write_text("name: auto\nrouter: {type: estimatin}\n")

    done = pointsman("check", config, status=1)
    assert f"error: {config.parent / 'auto.yaml'}:2: router.type: unknown router 'estimatin'" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_keys_no_option_opens_the_gateway_to_others(config):
    """What the file may not say, the command line may not either."""
    done = pointsman("serve", "--config", config, "--host", "0.0.0.0", "--port", "0", status=1)

    assert "error: --host: '0.0.0.0' is open to other machines, and no key is asked" in done.stderr
    assert "Traceback" not in done.stderr


def test_profile_and_train_make_a_learned_router(config, upstream, tmp_path):
    """Ask, grade, write the table, fit, save; a second run asks nothing again."""
    (tmp_path / "probes.jsonl").write_text("".join(json.dumps(probe) + "\n" for probe in PROBES))
    table = tmp_path / "table.parquet"
    arguments = [
        "--config",
        config,
        "--out",
        table,
        "--probes",
        tmp_path / "probes.jsonl",
        "--model",
        "good",
        "--model",
        "other",
    ]
    assert "12 probes x 2 models" in pointsman("profile", *arguments).stdout
    asked = sum(upstream.calls.values())
    pointsman("profile", *arguments)

    assert 24 == asked == sum(upstream.calls.values())
    written = pq.read_table(table)
    assert [
        "prompt_id",
        "task",
        "prompt",
        "score|good",
        "score|other",
        "cost|good",
        "cost|other",
        "fold",
    ] == written.column_names[:8]
    assert {"train", "dev"} == set(written["fold"].to_pylist())
    assert "on the dev fold" in pointsman("train", table, "--policy", "auto", "--config", config).stdout
    assert {"state.json", "state.npz"} == {path.name for path in (tmp_path / "state" / "auto").iterdir()}


def test_profile_takes_a_price_that_was_stated_afterwards(config, upstream, tmp_path):
    """What nobody knows is said, and computed from the journal's tokens once there is a price; nothing is asked again."""
    (tmp_path / "probes.jsonl").write_text("".join(json.dumps(probe) + "\n" for probe in PROBES))
    table = tmp_path / "table.parquet"
    arguments = ["--config", config, "--out", table, "--probes", tmp_path / "probes.jsonl", "--model", "unpriced"]

    said = pointsman("profile", *arguments).stderr
    before = pq.read_table(table)["cost|unpriced"].to_pylist()
    written = yaml.safe_load(config.read_text())
    written["models"]["unpriced"]["price"] = PRICE
    config.write_text(yaml.safe_dump(written))
    asked = sum(upstream.calls.values())
    silent = pointsman("profile", *arguments).stderr

    assert "model unpriced: what it costs is unknown; state its `price` under `models` and run this again" in said
    assert "unpriced: what it costs" not in silent
    assert all(math.isnan(usd) for usd in before)
    assert [pytest.approx(0.000022)] * 12 == pq.read_table(table)["cost|unpriced"].to_pylist()
    assert asked == sum(upstream.calls.values())


def test_profile_does_not_repeat_what_a_pause_does_not_mend(config, upstream, tmp_path):
    """A key that is refused is refused again: each probe is put once, and nobody waits."""
    (tmp_path / "probes.jsonl").write_text("".join(json.dumps(probe) + "\n" for probe in PROBES))
    probes = ["--out", tmp_path / "table.parquet", "--probes", tmp_path / "probes.jsonl", "--model", "status-401"]

    said = pointsman("profile", "--config", config, *probes, status=1).stderr

    assert "the model answered no probe" in said
    assert 12 == sum(upstream.calls.values())


def test_the_log_is_printed_and_exported(serve, tmp_path):
    """While the gateway writes: a table, JSON Lines, Parquet."""
    running = serve({"auto": {"pool": ["good", "other"], "router": ROUTER}})
    for _ in range(3):
        chat = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
        httpx2.post(f"{running.url}/v1/chat/completions", json=chat)
    running.logged()
    config = running.folder / "gateway.yaml"

    lines = pointsman("log", "--config", config, "--jsonl", "-").stdout.splitlines()
    pointsman("log", "--config", config, "--parquet", tmp_path / "log.parquet", "--since", "1h")

    assert ["0.000022000"] * 3 == [json.loads(line)["cost_usd"] for line in lines]
    assert 3 == pq.read_table(tmp_path / "log.parquet").num_rows
    assert 3 == pointsman("log", "--config", config).stdout.count("0.000022")
    assert 1 == pointsman("log", "--config", config, "--last", "1").stdout.count("0.000022")


def test_the_log_is_exported_in_one_format_at_a_time(config, tmp_path):
    """With two, nothing is written, and the status says so."""
    files = tmp_path / "log.jsonl", tmp_path / "log.parquet"
    said = pointsman("log", "--config", config, "--jsonl", files[0], "--parquet", files[1], status=2).stderr

    assert "--jsonl and --parquet" in said
    assert [False, False] == [file.exists() for file in files]


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none_is_refused(config, port):
    """Nothing listens anywhere else instead."""
    assert "'--port'" in pointsman("serve", "--config", config, "--port", port, status=2).stderr


def test_the_schemas_are_written_to_a_folder_that_is_not_there(tmp_path):
    """It is made, with those above it."""
    pointsman("schema", tmp_path / "a" / "b")

    assert {"schema.json", "policy.schema.json"} == {path.name for path in (tmp_path / "a" / "b").iterdir()}


def test_a_time_is_an_age_or_an_iso_time():
    """A time without zone is UTC."""
    now = datetime(2026, 1, 8, tzinfo=UTC)

    assert datetime(2026, 1, 1, tzinfo=UTC) == moment("7d", now) == moment("2026-01-01", now)
    with pytest.raises(typer.BadParameter, match="yesterday"):
        moment("yesterday", now)
