"""How settings of signals become signals."""

from __future__ import annotations

import pytest
import yaml

from gateway.config.deciding import needs_encoder
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.signals import open_signals
from gateway.signals.embedding import Embedder
from gateway.signals.minilm_encoder import MiniLMEncoder


def files_with(folder, when, **signals):
    """Return a configuration whose one rule asks for something."""
    config = {
        "providers": {"p": {"vendor": "vllm"}},
        "models": {"a": {"provider": "p"}},
        "signals": signals,
        "policies": ["auto.yaml"],
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    rules = [{"name": "r", "when": when, "pool": ["a"]}]
    (folder / "auto.yaml").write_text(yaml.safe_dump({"name": "auto", "rules": rules, "router": {"type": "random"}}))
    return read_files(folder / "gateway.yaml", {})


@pytest.mark.parametrize(
    ("when", "signals", "needed"),
    [
        ({"prompt_tokens": {"above": 5}}, {}, False),
        ({"safety.jailbreak": {"above": 0.5}}, {}, False),
        ({"safety.jailbreak": {"above": 0.5}}, {"safety": {"cascade": True}}, True),
        ({"domain": "code"}, {}, True),
        ({"difficulty": {"above": 0.5}}, {}, True),
    ],
)
def test_the_encoder_is_opened_only_where_something_reads_it(tmp_path, when, signals, needed):
    """A rule on length needs none."""
    assert needed == needs_encoder(files_with(tmp_path, when, **signals))


@pytest.mark.parametrize(
    ("signals", "name", "said"),
    [
        ({"safety": {"cascade": True}, "embedding": {"model": "static"}}, "safety", "encoder 'minilm'"),
        ({"safety": {"cascade": True, "low": 0.9, "high": 0.1}}, "safety", "low <= high"),
        ({"time": {"zone": "Mars/Olympus"}}, "time", "Mars/Olympus"),
        ({"keywords": {"k": {"regex": ["("]}}}, "keywords", "no regular expression"),
        ({"keywords": {"k": {}}}, "keywords", "are empty"),
        ({"domain": {"classes": {"only": {"examples": ["one"]}}}}, "domain", "two classes"),
        ({"domain": {"classes": {"a": {"examples": ["x"]}, "b": {}}}}, "domain", "'b'"),
        ({"domain": {"examples": "none.jsonl"}}, "domain", "none.jsonl"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_their_line(tmp_path, signals, name, said):
    """The section's place is named."""
    files = files_with(tmp_path, {"prompt_tokens": {"above": 5}}, **signals)
    embedder = Embedder(MiniLMEncoder())

    with pytest.raises(ConfigError, match=rf"gateway\.yaml:\d+: signals\.{name}: .*{said}"):
        open_signals(files, frozenset({name}), embedder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("more.jsonl", '{"text": "Where is my parcel?", "domain": "delivery"}\n'),
        ("more.csv", "text,domain\nWhere is my parcel?,delivery\n"),
    ],
)
def test_examples_of_domains_may_stand_in_a_file(tmp_path, name, content):
    """It is watched, and a change of it is a change of the configuration."""
    (tmp_path / name).write_text(content * 1)
    classes = {"billing": {"examples": ["I was charged twice"]}}
    files = files_with(tmp_path, {"domain": "delivery"}, domain={"classes": classes, "examples": name})
    (signal,) = (s for s in open_signals(files, frozenset({"domain"}), Embedder(MiniLMEncoder())) if s.name == "domain")
    (tmp_path / name).write_text(content + content.splitlines()[-1].replace("parcel", "letter") + "\n")
    changed = files_with(tmp_path, {"domain": "delivery"}, domain={"classes": classes, "examples": name})

    assert tmp_path / name in files.watched()
    assert files.digest != changed.digest
    assert "domain" in signal.provides


def test_a_line_of_examples_without_a_domain_is_named(tmp_path):
    """By its number."""
    (tmp_path / "more.jsonl").write_text('{"text": "a", "domain": "x"}\n{"text": "b"}\n')
    files = files_with(tmp_path, {"domain": "x"}, domain={"examples": "more.jsonl"})

    with pytest.raises(ConfigError, match="example 2 needs"):
        open_signals(files, frozenset({"domain"}), Embedder(MiniLMEncoder()))


def test_signals_for_the_log_have_to_exist(tmp_path):
    """A misspelt one is found when the files are read."""
    with pytest.raises(ConfigError, match=r"signals\.log\.0: no signal 'langauge'; did you mean 'language'"):
        files_with(tmp_path, {"prompt_tokens": {"above": 5}}, log=["langauge"])
