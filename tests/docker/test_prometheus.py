from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from gateway.metrics import Metrics
from tests.docker.helm import ROOT

FOLDER = ROOT / "docker" / "prometheus"
TRIED = Path(__file__).with_name("alerts_test.yml")


def promtool(*arguments):
    """Run Prometheus' own checker: from the environment, where `make promtool` puts it, or the system's."""
    program = shutil.which("promtool", path=f"{Path(sys.prefix) / 'bin'}:/usr/bin:/usr/local/bin")
    assert program is not None, "promtool is not installed: run `make promtool`"
    return subprocess.run(
        [program, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def rules():
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_prometheus_takes_its_configuration_and_the_rules():
    """By its own checker, which parses every expression and template."""
    ended = promtool("check", "config", FOLDER / "prometheus.yml")

    assert 0 == ended.returncode, ended.stderr
    assert f"SUCCESS: {len(rules())} rules found" in ended.stdout


def test_alerts_come_when_they_should():
    """Each is tried on series, with those that must not set it off beside them."""
    ended = promtool("test", "rules", TRIED)

    assert 0 == ended.returncode, ended.stdout + ended.stderr


def test_every_alert_is_tried():
    """A new one needs its series."""
    tests = yaml.safe_load(TRIED.read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}

    assert {rule["alert"] for rule in rules()} == fired


def test_alerts_go_by_metrics_that_are_there():
    """A metric that is renamed would silence its alert."""
    known = {name for metric in Metrics().registry.collect() for name in names(metric)}
    asked = {name for rule in rules() for name in re.findall(r"\bpointsman_\w+", rule["expr"])}

    assert asked
    assert set() == asked - known


def names(metric):
    """Return what a metric's series are called."""
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
    return {metric.name + suffix for suffix in suffixes}


def test_every_alert_says_how_grave_it_is_and_what_is_wrong():
    """Whoever is woken up reads one line."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
