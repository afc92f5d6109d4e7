from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.events import Feedback
from gateway.judging.calibration import ENOUGH, calibrate
from gateway.judging.calibration_grid import calibration_grids
from gateway.judging.calibration_page import calibration_page
from gateway.judging.ratings import Rated, Said, ratings
from gateway.store.base import LoggedEvent
from gateway.store.samples import NOON, build_decision, build_outcome


def rows(n: int, seed: int = 0, **judges: Any) -> list[Rated]:
    """Return answers that people rate by their quality; each judge says what its function makes of it."""
    rng = random.Random(seed)
    made = []
    for _ in range(n):
        model, quality = rng.choice(["gpt-5", "claude-4"]), rng.random()
        others = {name: said for name, judge in judges.items() if (said := judge(rng, model, quality)) is not None}
        made.append(Rated(model, rng.choice(["code", "law"]), float(quality > 0.5), others))
    return made


def noisy(rng, _model, quality):
    return Said(min(max(quality + rng.gauss(0, 0.1), 0), 1), 100)


def voice(found, name):
    return next(one for one in found.voices if one.name == name)


def test_a_good_judge_is_told_from_a_bad_one():
    """One that sees the quality is trusted; one that draws lots is not, and none by less than its due."""
    made = rows(400, **{"judge:a": noisy, "judge:b": lambda rng, *_: Said(rng.random(), 100)})
    found = calibrate(made, {})
    good, bad = voice(found, "judge:a"), voice(found, "judge:b")

    assert good.auc.low > 0.9
    assert bad.auc.value < 0.6
    assert good.kappa.low > 0.6
    assert bad.kappa.holds(0)
    assert good.trust > 0.5
    assert bad.trust < 0.05
    assert (400, 400, True) == (found.rated, good.n, good.enough)


def test_too_little_says_nothing():
    """Below a hundred answers no trust is suggested; figures have their intervals all the same."""
    few, enough = (calibrate(rows(n, **{"judge:a": noisy}), {}).voices[0] for n in (ENOUGH - 1, ENOUGH))

    assert (None, False) == (few.trust, few.enough)
    assert few.auc.low < few.auc.value <= few.auc.high
    assert enough.trust is not None
    assert () == calibrate([], {}).voices


def test_a_judge_that_favours_its_own_is_seen():
    """By family and by model."""

    def partial(rng, model, quality):
        said = noisy(rng, model, quality)
        return replace(said, value=min(said.value + 0.3, 1) if model == "gpt-5" else said.value)

    found = calibrate(rows(400, **{"judge:gpt-5-nano": partial}), {}).voices[0]
    biases = {(group.kind, group.name): group.bias for group in found.groups}

    assert biases["family", "own"].low > biases["family", "other"].high
    assert biases["model", "gpt-5"].value == biases["family", "own"].value
    assert {("domain", "code"), ("domain", "law")} <= set(biases)


def test_a_judge_that_likes_length_is_seen():
    """What it says too much goes with the length."""

    def lengthy(rng, _model, quality):
        characters = rng.randint(10, 2000)
        return Said(min(0.6 * quality + characters / 5000, 1), characters)

    found = calibrate(rows(300, **{"judge:a": lengthy}), {}).voices[0]
    fair = calibrate(rows(300, **{"judge:a": lambda rng, _, q: Said(q, rng.randint(10, 2000))}), {}).voices[0]

    assert found.length.low > 0
    assert fair.length.holds(0)


def test_a_sign_is_held_against_answers_without_it():
    """A retry that follows bad answers is trusted, one that follows any is not, and an unseen sign says nothing."""

    def honest(rng, _model, quality):
        return Said(0.2) if quality < 0.5 and rng.random() < 0.7 else None

    def idle(rng, *_):
        return Said(0.2) if rng.random() < 0.35 else None

    found = calibrate(rows(500, **{"implicit:retry": honest, "implicit:edited": idle}), {})
    told, silent = voice(found, "implicit:retry"), voice(found, "implicit:edited")

    assert told.human.value == 0
    assert told.auc.low > 0.7
    assert told.trust > 0.9
    assert silent.auc.holds(0.5)
    assert silent.trust < 0.05


def event(*feedback: Feedback) -> LoggedEvent:
    return LoggedEvent(build_decision(1), build_outcome(1, served_by="small", error=None), feedback)


def said(kind: Any, value: float | None, source: str, **more: Any) -> Feedback:
    fields = {"model": None, "other": None, "comment": None, **more}
    return Feedback(f"{kind}{source}{more}", UUID(int=1), NOON, kind, value, source=source, **fields)


def test_what_people_said_is_paired_with_what_others_said():
    """Preferences and labels count as what they say of the answer that was served; the last word counts."""
    comment = json.dumps({"characters": [42]})
    (row,) = ratings(
        [
            event(
                said("binary", 1.0, "user"),
                said("label", None, "grader:1", name="wrong"),
                said("preference", 1.0, "judge:a", model="large", other="small", comment=comment),
                said("score", 0.9, "judge:b", comment="no JSON"),
                said("implicit", 0.2, "implicit", name="retry"),
                said("score", 0.1, "stranger"),
            ),
            event(said("score", 0.9, "judge:b")),
            LoggedEvent(build_decision(2), None, (said("binary", 1.0, "user"),)),
        ],
        {"wrong": 0.5},
    )

    assert ("small", "code", 0.75) == (row.model, row.domain, row.human)
    assert {"judge:a": Said(0.0, 42), "judge:b": Said(0.9), "implicit:retry": Said(0.2)} == row.others


@pytest.mark.parametrize("n", [1, 2, 120])
def test_a_report_is_plain(n):
    """JSON can write all of it, also where hardly anything is defined; and so can tables and a page."""
    found = calibrate(rows(n, **{"judge:<b>": noisy, "implicit:retry": lambda *_: Said(0.2)}), {})
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    page = calibration_page(found, NOON)

    assert ["implicit:retry", "judge:<b>"] == [one["name"] for one in plain["voices"]]
    assert (n >= ENOUGH) == (plain["voices"][1]["trust"] is not None)
    assert (n < ENOUGH) == ("not enough data" in page)
    assert "judge:&lt;b&gt;" in page
    assert "judge:<b>" not in page
    assert list(calibration_grids(found))
