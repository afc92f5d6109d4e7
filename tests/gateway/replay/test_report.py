from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.learning.places import beside
from gateway.learning.snapshots import Label, Snapshots
from gateway.learning.subjects import rules_of, subjects_of
from gateway.replay.assembly import Asked, Span, replay
from gateway.replay.page import page
from gateway.replay.requirement import parse_requirement
from gateway.replay.settings import Settings
from tests.gateway.replay.logs import START, weighted, write_gateway, write_log, write_policy

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a gateway and its log, which drew evenly."""
    found = tmp_path_factory.mktemp("replay")
    write_gateway(found)
    write_log(found / "log.db")
    return found


def replayed(folder, policy, require="", *, settings=None, baseline=None, span=None, **changes):
    """Return the replay of a policy's file in the folder, and how what is required stands."""
    asked = Asked(
        policy=folder / f"{policy}.yaml",
        baseline=baseline,
        log=None,
        config=folder / "gateway.yaml",
        span=span or Span(None, None, None),
        policy_name=None,
        clauses=parse_requirement(require) if require else (),
        settings=settings or Settings(**changes),
    )
    return replay(asked, ["pointsman", "replay"], NOW, {})


def holds(told, truth):
    low, high = told["interval"]
    return low <= truth <= high


def test_a_policy_is_estimated(folder):
    """Nine in ten small: quality .53, and latency 1.1 seconds, where the truth is known."""
    write_policy(folder, "small", router=weighted(9, 1))
    document, status = replayed(folder, "small", "cost<-10% and latency<1.3")
    quality, latency = (document["answers"][name]["estimates"] for name in ("quality", "latency"))

    assert "met" == status
    for method in ("ips", "snips", "dr", "switch_dr"):
        assert holds(quality[method]["policy"], 0.53)
        assert holds(latency[method]["policy"], 1.1)
        assert quality[method]["difference"]["interval"][1] < 0
    assert quality["direct"]["policy"]["interval"] is None
    assert 0.9 == pytest.approx(next(one["share"] for one in document["models"] if one["model"] == "small"))
    assert [("large", "small", 0.4)] == [(one["from"], one["to"], round(one["share"], 3)) for one in document["flows"]]


def test_what_ran_is_no_better_than_itself(folder):
    """The same policy, from its file: every change is nothing, and no traffic moves."""
    document, status = replayed(folder, "auto", "cost<=0% and quality>=-1pt")

    assert "met" == status
    assert 0.0 == document["answers"]["cost"]["estimates"]["dr"]["relative"]["value"]
    assert [] == document["flows"]


def test_two_policies_are_compared_on_the_same_requests(folder):
    """The baseline is a policy's file as well."""
    write_policy(folder, "nearly", router=weighted(89, 11))
    write_policy(folder, "small", router=weighted(9, 1))
    document, _ = replayed(folder, "small", baseline=folder / "nearly.yaml")
    made = document["answers"]["quality"]["estimates"]["dr"]
    low, high = made["policy"]["interval"]

    assert made["difference"]["interval"][1] - made["difference"]["interval"][0] < 0.3 * (high - low)


def test_where_nothing_was_tried_nothing_is_told(folder):
    """The model is named, and what would have to be tried is said."""
    write_policy(folder, "other", pool=["small", "other"], router={"type": "fixed", "model": "other"})
    document, status = replayed(folder, "other", "cost<-10%")
    quality = document["answers"]["quality"]

    assert "no evidence" == status
    assert quality["estimates"] is None
    assert "100% of the traffic goes where no probability was logged (at most 1% may)" in quality["refused"]
    assert "the log never tried other" in quality["refused"]
    assert len(document["exploration"]["floors"]) > 2


def test_a_part_without_evidence_is_as_large_as_it_is(folder):
    """A third of the traffic."""
    weights = {"small": 2, "other": 1}
    write_policy(folder, "third", pool=["small", "other"], router={"type": "weighted", "weights": weights})
    document, _ = replayed(folder, "third")

    assert (
        "33% of the traffic goes where no probability was logged (at most 1% may)"
        in document["answers"]["cost"]["refused"]
    )


def test_a_log_without_chance_is_refused(tmp_path):
    """Whatever is not as it was."""
    write_gateway(tmp_path)
    write_log(tmp_path / "log.db", n=300, chance=1.0)
    write_policy(tmp_path, "large", router={"type": "fixed", "model": "large"})
    refused = replayed(tmp_path, "large")[0]["answers"]["cost"]["refused"]

    assert any("100% of the requests could have gone nowhere else" in reason for reason in refused)


def test_a_short_log_is_not_enough(tmp_path):
    """Below a hundred requests in effect."""
    write_gateway(tmp_path)
    write_log(tmp_path / "log.db", n=60)
    document, status = replayed(tmp_path, "auto", "cost<5%")

    assert "no evidence" == status
    assert any("not enough data" in reason for reason in document["answers"]["cost"]["refused"])


def test_what_the_log_lacks_is_counted_and_not_guessed(folder):
    """A rule about the text, which is not stored."""
    write_policy(folder, "text", rules=[{"name": "joke", "when": {"text": {"contains": "joke"}}, "pool": ["small"]}])
    document, status = replayed(folder, "text", "cost<5%")

    assert {"text": document["requests"]["logged"]} == document["requests"]["untold"]
    assert ("no evidence", {}) == (status, document["answers"])


def test_some_of_the_traffic_may_be_untold(folder):
    """Not much of it: by default a twentieth."""
    rules = [
        {
            "name": "short",
            "when": {"prompt_tokens": {"above": 200}},
            "pool": ["small"],
            "router": {"type": "fixed", "model": "small"},
        },
        {"name": "joke", "when": {"text": {"contains": "joke"}}, "pool": ["small"]},
    ]
    write_policy(folder, "tenth", rules=rules)

    refused = replayed(folder, "tenth")[0]["answers"]["cost"]["refused"]
    assert any("of the requests depend on what the log lacks: text" in reason for reason in refused)
    assert [] == replayed(folder, "tenth", most_untold=0.2)[0]["answers"]["cost"]["refused"]


def test_rules_have_lines_of_their_own(folder):
    """By the rule of the new policy."""
    rules = [
        {
            "name": "long",
            "when": {"prompt_tokens": {"above": 700}},
            "pool": ["large"],
            "router": {"type": "fixed", "model": "large"},
        }
    ]
    write_policy(folder, "ruled", rules=rules, router=weighted(9, 1))
    segments = {one["rule"]: one for one in replayed(folder, "ruled")[0]["segments"]}

    assert {"long", None} == segments.keys()
    assert segments["long"]["cost"]["estimates"]["dr"]["relative"]["value"] > 0.5
    assert segments[None]["cost"]["estimates"]["dr"]["relative"]["value"] < -0.3


def test_only_some_requests_are_replayed(folder):
    """By time, or the newest."""
    some = Span(datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, 2, tzinfo=UTC), None)

    assert 60 == replayed(folder, "auto", span=some)[0]["requests"]["logged"]
    newest = replayed(folder, "auto", span=Span(None, None, 100))[0]
    assert 100 == newest["requests"]["logged"]
    assert newest["log"]["first"] < newest["log"]["last"]
    with pytest.raises(ConfigError, match="has no request under 'auto'"):
        replayed(folder, "auto", span=Span(NOW, None, None))


def test_a_policy_that_learned_from_the_log_is_flattered(tmp_path):
    """Its snapshot is used, and the warning says so; requests from before are no matter."""
    path = write_gateway(tmp_path)
    write_log(tmp_path / "log.db", n=200)
    router = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "epsilon", "epsilon": 0.5}}
    write_policy(tmp_path, "auto", router=router, learning={"enabled": True})
    files = read_files(path, {})
    (subject,) = subjects_of(files, rules_of(files))
    fitted = int((START.timestamp() + 6000) * 1e6)
    Snapshots(beside(files).snapshots).write("auto", Label(subject.digest, "c", 50, fitted), subject.new_router().save)

    (warning,) = replayed(tmp_path, "auto")[0]["warnings"]
    assert "router 'auto': it has learned from 50 rated answers of the log, the latest of 2026-03-01 01:40" in warning
    later = Span(datetime(2026, 3, 1, 2, tzinfo=UTC), None, None)
    assert [] == replayed(tmp_path, "auto", span=later)[0]["warnings"]


class Outside(HTMLParser):
    """Collects what a page would fetch, and what it would run."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        self.found += [tag] if tag in ("script", "link", "iframe") else []


@pytest.mark.parametrize("policy", ["small", "other", "text"])
def test_the_page_needs_nothing_else(folder, policy):
    """No network, no script; names are escaped; what is refused is on it."""
    write_policy(
        folder,
        "small",
        router=weighted(9, 1),
        rules=[{"name": "long", "when": {"prompt_tokens": {"above": 700}}, "tag": "x"}],
    )
    write_policy(folder, "other", pool=["small", "other"], router={"type": "fixed", "model": "other"})
    write_policy(folder, "text", rules=[{"name": "joke", "when": {"text": {"contains": "joke"}}, "pool": ["small"]}])
    document, _ = replayed(folder, policy, "cost<-10% and quality>-1pt")
    document["policy"] = "<script>alert(1)</script>.yaml"
    text, outside = page(json.loads(json.dumps(document))), Outside()
    outside.feed(text)

    assert [] == outside.found
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in html.unescape(text)
    assert re.search(r"nan|None|inf\b", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)) is None


def test_the_document_is_json(folder):
    """Nothing in it that JSON has no word for."""
    write_policy(folder, "small", router=weighted(9, 1))
    document, _ = replayed(folder, "small", "cost<-10%")

    assert document == json.loads(json.dumps(document, allow_nan=False))
    assert ("policy.replay", 1) == (document["object"], document["version"])
