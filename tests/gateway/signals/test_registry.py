"""Every signal that there is does what a signal must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.config.files import read_files
from gateway.config.signals import open_signals
from gateway.signals.embedding import Embedder
from gateway.signals.minilm_encoder import MiniLMEncoder
from gateway.signals.registry import BUILT_IN, features, signal_of
from tests.gateway.signals.checks import check_signal
from tests.pages import ROOT, section

SETTINGS = {
    "keywords": {"refunds": {"any": ["refund"]}},
    "metadata": {"headers": ["x-channel"]},
    "time": {"windows": {"night": {"opens": "22:00", "closes": "06:00"}}},
}


@pytest.fixture(scope="module")
def signals(tmp_path_factory: pytest.TempPathFactory):
    """Return every signal by name, opened as a gateway opens it."""
    folder = tmp_path_factory.mktemp("gateway")
    config = {"providers": {"p": {"vendor": "vllm"}}, "models": {"a": {"provider": "p"}}, "signals": SETTINGS}
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    files = read_files(Path(folder / "gateway.yaml"), {})
    return {one.name: one for one in open_signals(files, frozenset(BUILT_IN), Embedder(MiniLMEncoder()))}


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_passes_the_battery(signals, name):
    """Names, kinds, purity, threads, odd bodies, long texts."""
    check_signal(signals[name], examples=25)


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_is_documented(name):
    """docs/signals.md has a section for it, and names every feature."""
    page = ROOT / "docs" / "signals.md"
    text = page.read_text(encoding="utf-8")
    own = [feature for feature in features() if signal_of(feature) == name]
    row = re.search(rf"^\| \[{name}\].*$", text, re.MULTILINE)

    assert section(page, name)
    assert row is not None
    for feature in own:
        stem = feature.rpartition(".")[2]
        assert f"`{feature}`" in row[0] or f"`.{stem}`" in row[0]


def test_features_belong_to_one_signal():
    """No two signals give the same."""
    given = [feature for name in BUILT_IN for feature in features() if signal_of(feature) == name]

    assert sorted(features()) == sorted(given)
    assert "metadata" == signal_of("metadata.tier")
