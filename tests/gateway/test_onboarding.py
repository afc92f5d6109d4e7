"""A model joins a policy: who may, what it is asked, what is kept, and what the command says."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import httpx2
import numpy as np
import pytest

from gateway.config.files import read_files
from gateway.config.routers import build_router_of
from gateway.onboarding import Onboarding, OnboardingError
from gateway.profiling.choice import Adaptive, Planned
from gateway.profiling.interview import Interview, InterviewError
from gateway.profiling.journal import Asked, Journal, Result
from gateway.profiling.probes import PROBE, fold_of
from gateway.profiling.questions import Questions
from gateway.signals.encoder import open_encoder
from gateway.standing import Bill
from routers.state import read_manifest
from routers.types import Candidate
from tests.conftest import write_config

if TYPE_CHECKING:
    from pathlib import Path

TASKS = ("greeting", "sums", "lists")
#: The upstream says "Hello from a real server." to everything: it is good at greetings, and at nothing else.
PROBES = tuple(
    PROBE.validate_python(
        {
            "prompt_id": f"p{n}",
            "task": TASKS[n % 3],
            "prompt": f"{TASKS[n % 3]} number {n}",
            "grader": {"kind": "phrase", "accept": ["real server"]} if n % 3 == 0 else {"kind": "number", "value": n},
        }
    )
    for n in range(90)
)
TRAIN = tuple(probe for probe in PROBES if fold_of(probe) == "train")
ESTIMATORS = {"knn": {"type": "knn", "neighbours": 20}, "irt": {"type": "irt", "epochs": 5}}


def router(estimator="knn"):
    """Return a router as a policy writes it."""
    rule = {"type": "greedy", "floor": 0.1}
    return {"type": "estimating", "estimator": ESTIMATORS[estimator], "rule": rule, "quality_weight": 1}


def pool(*models):
    """Return candidates by name."""
    return [Candidate(model) for model in models]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder("minilm")


@pytest.fixture(scope="module")
def questions(encoder):
    return Questions(TRAIN, encoder.encode([probe.prompt for probe in TRAIN]))


@pytest.fixture(params=ESTIMATORS)
def estimator(request):
    return request.param


@pytest.fixture
def policy(tmp_path, upstream, questions, encoder, estimator):
    """Return a policy that has learned of two models: `other` is good at sums, `whole` a little at all."""
    return trained(tmp_path, upstream.url, questions, encoder.digest, estimator)


def trained(folder, url, questions, digest, estimator="knn", **policy):
    """Write the configuration, let its policy learn, and return it."""
    names = ["other", "whole", "good", "status-400", "no-usage"]
    path = write_config(folder, url, {"auto": {"pool": names, "router": router(estimator), **policy}})
    (file,) = read_files(path, {}).policies
    fitted = build_router_of(file.router)
    for model, scores in (("other", {"sums": 1.0}), ("whole", {"sums": 0.5, "lists": 0.5, "greeting": 0.5})):
        results = {n: answered(model, probe, scores.get(probe.task, 0.0)) for n, probe in enumerate(questions.probes)}
        fitted.learn(questions.outcomes(model, results))
    fitted.save(file.state, encoder=digest, metadata={"table_sha256": "abc"})
    return file


def answered(model, probe, score, error=None):
    """Return a result."""
    text = None if error else "text"
    return Result(model, probe.prompt_id, None if error else score, Asked(text, error, 12, 6, 0.001, 0.5))


def onboarding(policy, model="good", digest=None, *, again=False, others=("other", "whole", "no-usage")):
    """Open the policy for a model."""
    return Onboarding.begin(model, policy, pool(*others, model), digest, again=again)


def results_of(begun, questions, score, number=40):
    """Return the results of an interview in which `score` says how good an answer is."""
    choose = begun.choose(questions, number, Random(0))
    results = {}
    while len(results) < number:
        chosen = choose({n: result.score for n, result in results.items()}, 4)
        results |= {n: answered(begun.model, questions.probes[n], score(questions.probes[n])) for n in chosen}
    return results


def test_the_newcomer_stands_where_its_answers_put_it(policy, questions, encoder):
    """Good at greetings alone, it is the best of all there, the last at sums, and its interval is in [0, 1]."""
    begun = onboarding(policy, digest=encoder.digest)
    results = results_of(begun, questions, lambda probe: float(probe.task == "greeting"))

    standings = {standing.task: standing for standing in begun.finish(questions, results)}

    assert ["all", *sorted(TASKS)] == sorted(standings)
    assert {4} == {standing.of for standing in standings.values()}
    whole = standings["all"]
    assert whole.interval[0] <= 1 / 3 <= whole.interval[1]
    for standing in standings.values():
        low, high = standing.interval
        assert 0 <= low <= standing.reward.mean <= high <= 1


def test_what_is_saved_is_what_a_gateway_loads(policy, questions, encoder):
    """The newcomer is known, the encoder and the table are still named, and the others are as they were."""
    contexts, before = questions.contexts(), build_router_of(policy.router)
    begun = onboarding(policy, digest=encoder.digest)
    begun.finish(questions, results_of(begun, questions, lambda _: 1.0))

    manifest, after = read_manifest(policy.state), build_router_of(policy.router)

    assert (encoder.digest, "abc", "40 probes") == (
        manifest.encoder,
        manifest.metadata["table_sha256"],
        manifest.metadata["onboarded good"],
    )
    assert {"other", "whole", "good"} == set(manifest.models)
    one, other = (each.newcomers.predict(contexts, pool("other", "whole")) for each in (before, after))
    assert one.mean.tobytes() == other.mean.tobytes()
    assert after.newcomers.predict(contexts, pool("good")).mean.mean() > 0.7
    assert after.costs.predict(contexts[:1], pool("good"))[0, 0] == pytest.approx(0.001)


def test_every_task_has_its_share_of_the_probes(policy, questions, encoder):
    """Forty probes of three tasks are 13 or 14 of each, chosen beforehand or step by step."""
    begun = onboarding(policy, digest=encoder.digest)
    results = results_of(begun, questions, lambda _: 0.5)

    counts = Counter(questions.probes[n].task for n in results)
    assert {13, 14} == set(counts.values())


def test_an_estimator_that_can_test_adaptively_does(policy, questions, encoder, estimator):
    """Others have a plan."""
    choose = onboarding(policy, digest=encoder.digest).choose(questions, 40, Random(0))

    assert isinstance(choose, {"irt": Adaptive, "knn": Planned}[estimator])


def test_adaptive_choice_minds_the_answers(tmp_path, upstream, questions, encoder):
    """Who answers all is asked other things than who answers none, and nobody anything twice."""
    begun = onboarding(trained(tmp_path, upstream.url, questions, encoder.digest, "irt"), digest=encoder.digest)
    able, weak = (results_of(begun, questions, lambda _, score=score: score, 20) for score in (1.0, 0.0))

    assert 20 == len(able) == len(weak)
    assert set(able) != set(weak)


@pytest.mark.parametrize("number", [0, 19, 61])
def test_the_number_of_probes_has_bounds(tmp_path, upstream, questions, encoder, number):
    """Too few tell nothing, and many are a profile."""
    begun = onboarding(trained(tmp_path, upstream.url, questions, encoder.digest), digest=encoder.digest)

    with pytest.raises(OnboardingError, match=f"--probes {number} must be between 20 and 60"):
        begun.choose(questions, number, Random(0))


@pytest.mark.parametrize(
    ("opened", "message"),
    [
        ({"model": "whole"}, "knows model 'whole' already; .*profile.*train.*--again"),
        ({"model": "good", "digest": "another"}, "trained with another encoder"),
    ],
)
def test_who_may_not_join_is_told_why(tmp_path, upstream, questions, encoder, opened, message):
    """The message names the policy, the model and the remedy."""
    policy = trained(tmp_path, upstream.url, questions, encoder.digest)

    with pytest.raises(OnboardingError, match=message):
        onboarding(policy, **{"digest": encoder.digest, **opened})


def test_a_model_outside_the_pool_cannot_join(tmp_path, upstream, questions, encoder):
    """It would never be chosen."""
    policy = trained(tmp_path, upstream.url, questions, encoder.digest)

    with pytest.raises(OnboardingError, match="'good' is not in the pool of policy 'auto'; add it there first"):
        Onboarding.begin("good", policy, pool("other"), encoder.digest, again=False)


def test_a_policy_that_has_learned_nothing_is_trained_first(tmp_path, upstream):
    """The message has the command."""
    path = write_config(tmp_path, upstream.url, {"auto": {"pool": ["good", "other"], "router": router()}})

    with pytest.raises(OnboardingError, match=r"learned nothing.*run `pointsman train TABLE --policy auto` first"):
        onboarding(read_files(path, {}).policies[0])


def test_a_router_that_learns_nothing_takes_nobody_in(tmp_path, upstream):
    """There is nothing to join."""
    path = write_config(tmp_path, upstream.url, {"any": {"router": {"type": "random"}}})
    (policy,) = read_files(path, {}).policies
    build_router_of(policy.router).save(policy.state)

    with pytest.raises(OnboardingError, match="learns nothing"):
        onboarding(policy)


def test_again_forgets_the_first_answers(policy, questions, encoder):
    """A model that has changed is asked anew, and nothing of the old one is left in what is expected of it."""
    for again, score in ((False, 1.0), (True, 0.0)):
        begun = onboarding(policy, digest=encoder.digest, again=again)
        *_, whole = begun.finish(questions, results_of(begun, questions, lambda _, score=score: score))

    assert whole.reward.mean < 0.3


def test_too_few_answers_change_nothing(policy, questions, encoder):
    """The message counts them and gives the last error; the state stays."""
    begun, before = onboarding(policy, digest=encoder.digest), (policy.state / "state.json").read_bytes()
    results = {
        n: answered("good", probe, 1.0, "it is tired" if n >= 19 else None)
        for n, probe in enumerate(questions.probes[:40])
    }

    with pytest.raises(OnboardingError, match=r"answered 19 of 40 probes \(the last error: it is tired\)"):
        begun.finish(questions, results)
    assert before == (policy.state / "state.json").read_bytes()


def test_the_bill_adds_up_what_was_answered():
    """Errors cost nothing; one price unknown makes the sum unknown."""
    results = [answered("m", PROBES[0], 1.0), answered("m", PROBES[1], 0.0), answered("m", PROBES[2], 0.0, "failed")]
    unpriced = Result("m", "p3", 1.0, Asked("text", None, None, None, None, 1.0))

    bill, other = Bill.of(results), Bill.of([*results, unpriced])

    assert (2, 24, 12, 1.0) == (bill.answers, bill.prompt_tokens, bill.completion_tokens, bill.seconds)
    assert pytest.approx(0.002) == bill.usd
    assert (3, None, 24, 2.0) == (other.answers, other.usd, other.prompt_tokens, other.seconds)


class Model:
    """Answers like the upstream, but fails where it is told to; remembers what it was asked, and how much at once."""

    def __init__(self, fails=lambda _: False):
        self.fails = fails
        self.asked = []

    async def __call__(self, _model, probe):
        self.asked.append(probe.prompt_id)
        if self.fails(len(self.asked)):
            return Asked(None, "overloaded", None, None, None, 0.0)
        return Asked("Hello from a real server.", None, 12, 6, 0.001, 0.1)


async def interview(path, model, number=20, at_once=4):
    """Hold an interview by a plan; return the results and how often somebody heard of one."""
    told = []
    with Journal(path, "digest", {"m": "what it is"}) as journal:
        held = Interview("m", TRAIN, model, journal, told.append)
        return await held.hold(Planned(range(len(TRAIN))), number, at_once), told


async def test_an_interview_grades_what_is_answered(tmp_path):
    """Greetings are right, sums are wrong; what failed has no score; each result is told."""
    results, told = await interview(tmp_path / "j", Model(lambda n: n == 7))

    assert 20 == len(results) == len(told)
    failed = [n for n, result in results.items() if result.score is None]
    assert 1 == len(failed)
    for n, result in results.items():
        assert n in failed or (TRAIN[n].task == "greeting") == result.score


async def test_an_interview_goes_on_where_it_stopped(tmp_path):
    """What was answered is not asked again, what failed is."""
    first, second = Model(lambda n: n in {2, 3}), Model()
    await interview(tmp_path / "j", first)
    results, _ = await interview(tmp_path / "j", second)

    assert 2 == len(second.asked)
    assert not any(result.score is None for result in results.values())


async def test_an_interview_that_nobody_answers_ends_at_once(tmp_path):
    """Four failures in the beginning are enough; the message has the error."""
    model = Model(lambda _: True)

    with pytest.raises(InterviewError, match="'m' answered none of the first 4 probes: overloaded"):
        await interview(tmp_path / "j", model)
    assert 4 == len(model.asked)


async def test_an_interview_ends_where_no_probe_is_left(tmp_path):
    """A small set is asked whole."""
    results, _ = await interview(tmp_path / "j", Model(), number=1000)

    assert len(TRAIN) == len(results)


def pointsman(*arguments: object, folder: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "POINTSMAN_CACHE": str(folder / "cache"), "COLUMNS": "120"}
    command = [sys.executable, "-m", "gateway", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert status == done.returncode, done.stderr
    return done


@pytest.fixture
def ready(tmp_path, serve, upstream, questions, encoder):
    """Return a running gateway whose policy is trained, and the arguments of the command."""
    (tmp_path / "probes.jsonl").write_text(
        "".join(json.dumps(PROBE.dump_python(probe, mode="json")) + "\n" for probe in PROBES)
    )
    trained(tmp_path, upstream.url, questions, encoder.digest)
    running = serve({"auto": {"pool": ["other", "whole", "good", "status-400"], "router": router()}})
    common = ("--policy", "auto", "--config", tmp_path / "gateway.yaml", "--probe-set", tmp_path / "probes.jsonl")
    return running, common


def expected_of(running, model):
    """Return what the gateway expects of a model for a greeting."""
    chat = {"model": "auto", "messages": [{"role": "user", "content": "greeting number 300"}]}
    answer = httpx2.post(f"{running.url}/v1/route", json=chat).json()
    (row,) = [row for row in answer["candidates"] if row["model"] == model]
    return row["reward"]["mean"]


def test_the_command_lets_a_model_join_a_running_gateway(ready, upstream, tmp_path):
    """It asks as many probes as it says, prints what was learned and what it cost, and the gateway takes it."""
    running, common = ready
    assert 0.5 == expected_of(running, "good")

    said = pointsman("onboard", "good", *common, folder=tmp_path).stdout

    assert 40 == upstream.calls["good"] == sum(upstream.calls.values())
    assert "40 probes answered: 0.00088 USD, 480 + 240 tokens" in said
    assert f"good joined policy auto: state written to {tmp_path / 'state' / 'auto'}" in said
    assert all(task in said for task in (*TASKS, "all", "95 % interval", "of 4"))
    assert ["auto"] == [path.name for path in (tmp_path / "state").iterdir()]
    deadline = time.monotonic() + 15
    while expected_of(running, "good") == 0.5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not math.isclose(0.5, expected_of(running, "good"))
    assert "knows model 'good' already" in pointsman("onboard", "good", *common, folder=tmp_path, status=1).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("status-400",), "model 'status-400' answered none of the first 4 probes: "),
        (("goof",), "no model 'goof'; did you mean 'good'?"),
        (("good", "--probes", "61"), "--probes 61 must be between 20 and 60"),
        (("slow",), "model 'slow' is not in the pool of policy 'auto'"),
    ],
)
def test_what_is_wrong_is_a_line_and_a_status(ready, tmp_path, arguments, message):
    """No trace, and the state is as it was."""
    _, common = ready
    before = read_manifest(tmp_path / "state" / "auto")

    done = pointsman("onboard", *arguments, *common, folder=tmp_path, status=1)

    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert before == read_manifest(tmp_path / "state" / "auto")


def test_questions_tell_what_was_not_asked(questions):
    """A row for every probe: NaN where there is no answer, and what the answer was where there is."""
    table = questions.outcomes("m", {1: answered("m", TRAIN[1], 0.5), 2: answered("m", TRAIN[2], 0.0, "failed")})

    assert len(TRAIN) == table.n == len(questions.contexts())
    assert [1] == np.flatnonzero(~np.isnan(table.rewards[:, 0])).tolist()
    assert (0.5, 6.0, 0.5) == (table.rewards[1, 0], table.completion_tokens[1, 0], table.latencies_s[1, 0])
    assert math.isnan(table.latencies_s[2, 0])
    assert [TRAIN[0].prompt, TRAIN[1].prompt] == list(table.texts[:2])
