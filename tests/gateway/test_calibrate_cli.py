from __future__ import annotations

import json
from uuid import UUID

import yaml
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.events import Feedback
from gateway.store.samples import NOON, build_decision, build_outcome
from gateway.store.sqlite import SQLiteStore


def logged(folder, n):
    """Write a log in which a judge and users have rated `n` answers; return the configuration's path."""
    config = {
        "providers": {"up": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
        "models": {"small": {"provider": "up"}},
        "store": {"path": "log.db"},
        "feedback": {"labels": {"right": 1.0, "wrong": 0.0}},
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    store = SQLiteStore.open(folder / "log.db")
    for number in range(1, n + 1):
        decision, good = UUID(int=number), number % 3 != 0
        said = [
            Feedback(
                f"u{number}", decision, NOON, "label", None, None, None, "user", None, "right" if good else "wrong"
            ),
            Feedback(f"j{number}", decision, NOON, "score", 0.8 if good else 0.3, None, None, "judge:big", None),
        ]
        store.append([build_decision(number), build_outcome(number, served_by="small"), *said])
    store.close()
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["feedback", "calibration", *map(str, arguments)])


def test_a_report_from_the_log(tmp_path):
    """As a table, as JSON, and as a page."""
    path = logged(tmp_path, 120)
    page = tmp_path / "reports" / "calibration.html"
    table = run("-c", path, "--html", page)
    found = json.loads(run("-c", path, "--json").stdout)

    assert (0, True) == (table.exit_code, "judge:big" in table.stdout)
    assert page.read_text().startswith("<!doctype html>")
    (voice,) = found["voices"]
    assert (120, "judge:big", 120) == (found["rated"], voice["name"], voice["n"])
    assert (1.0, 1.0) == (voice["agreement"]["value"], voice["auc"]["value"])
    assert voice["trust"] > 0.9


def test_a_report_from_little(tmp_path):
    """It says so; and other sources may be the people."""
    path = logged(tmp_path, 12)

    assert "not enough data" in " ".join(run("-c", path).stdout.split())
    assert 0 == json.loads(run("-c", path, "--json", "--human", "grader").stdout)["rated"]
    assert 0 == json.loads(run("-c", path, "--json", "--since", "1h").stdout)["rated"]
