import asyncio
import json
import threading

import pytest

from gateway.profiling.graders import grade
from gateway.profiling.journal import Asked, JournalError
from gateway.profiling.probes import PROBE
from gateway.profiling.run import profile

SUMS = tuple(
    PROBE.validate_python(
        {"prompt_id": f"sum-{n}", "task": "sums", "prompt": f"{n} + 1?", "grader": {"kind": "number", "value": n + 1}}
    )
    for n in range(4)
)
MODELS = {"small": "weights A", "large": "weights B"}


class Pool:
    """Models that add well (large) or not at all (small), and fail on demand; counts what is asked."""

    def __init__(self, *failing):
        self.failing = set(failing)
        self.asked = []
        self.busy = self.most_busy = 0

    async def __call__(self, model, probe):
        """Answer, or fail."""
        self.asked.append((model, probe.prompt_id))
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1
        if (model, probe.prompt_id) in self.failing:
            return Asked(None, "timeout", None, None, None, 30.0)
        text = str(int(probe.prompt[0]) + 1) if model == "large" else "no idea"
        return Asked(text, None, 5, 1, 0.001, 0.2)


async def run(path, pool, models=MODELS, probes=SUMS, **more):
    """Profile the models and return (results, those told)."""
    told = []
    return await profile(probes, models, pool, path, told.append, **more), told


async def test_grades_every_model_on_every_probe(tmp_path):
    """There is a result for each model and probe, model by model, and each is told as it comes."""
    results, told = await run(tmp_path / "j", Pool())

    assert [result.score for result in results] == [0.0] * 4 + [1.0] * 4
    assert [(result.model, result.prompt_id) for result in results[:5]] == [
        *(("small", f"sum-{n}") for n in range(4)),
        ("large", "sum-0"),
    ]
    assert told == results


async def test_goes_on_where_it_stopped(tmp_path):
    """Nothing is asked twice, and the results are the same as those of one uninterrupted run."""
    first, _ = await run(tmp_path / "j", Pool(), {"small": "weights A"})
    pool = Pool()

    results, told = await run(tmp_path / "j", pool)

    assert pool.asked == [("large", f"sum-{n}") for n in range(4)]
    assert results[:4] == first
    assert told == results
    assert results == (await run(tmp_path / "other", Pool()))[0]


async def test_an_error_is_no_score_and_is_asked_again(tmp_path):
    """A cell without an answer stays empty, and the next run tries it again."""
    results, _ = await run(tmp_path / "j", Pool(("large", "sum-2")))
    pool = Pool()
    again, _ = await run(tmp_path / "j", pool)

    assert [result.score for result in results[4:]] == [1.0, 1.0, None, 1.0]
    assert pool.asked == [("large", "sum-2")]
    assert [result.score for result in again[4:]] == [1.0] * 4


async def test_an_answer_without_text_scores_nothing(tmp_path):
    """A model that answered with nothing was wrong; that is no error."""

    async def silent(_model, _probe):
        return Asked(None, None, 5, 0, None, 0.1)

    results, _ = await run(tmp_path / "j", silent, {"small": "A"})

    assert [result.score for result in results] == [0.0] * 4


async def test_an_interrupted_run_keeps_what_it_has(tmp_path):
    """When a run is cancelled, the answers until then are in the journal."""
    pool, reached = Pool(), asyncio.Event()

    async def hangs(model, probe):
        if probe.prompt_id == "sum-2":
            reached.set()
            await asyncio.Event().wait()
        return await pool(model, probe)

    task = asyncio.create_task(run(tmp_path / "j", hangs))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rest = Pool()
    await run(tmp_path / "j", rest, {"small": "weights A"})

    assert pool.asked == [("small", "sum-0"), ("small", "sum-1")]
    assert rest.asked == [("small", "sum-2"), ("small", "sum-3")]


async def test_a_torn_last_line_is_asked_again(tmp_path):
    """A journal cut anywhere in its last line is as good as one without that line."""
    path = tmp_path / "j"
    await run(path, Pool(), {"large": "weights B"})
    whole = path.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1

    for cut in (start, start + 1, start + 20, len(whole) - 1):
        path.write_bytes(whole[:cut])
        pool = Pool()
        results, _ = await run(path, pool, {"large": "weights B"})
        assert pool.asked == [("large", "sum-3")]
        assert [result.score for result in results] == [1.0] * 4
        assert path.read_bytes().count(b"\n") == 5


async def test_a_torn_header_is_an_empty_journal(tmp_path):
    """A run that died at once starts anew."""
    (tmp_path / "j").write_text('{"journal": 1, "pro')

    results, _ = await run(tmp_path / "j", Pool())

    assert len(results) == 8


async def test_further_models_join_a_journal(tmp_path):
    """A journal takes up models later, and knows them all from then on."""
    await run(tmp_path / "j", Pool(), {"small": "weights A"})
    await run(tmp_path / "j", Pool(), {"large": "weights B"})
    pool = Pool()

    await run(tmp_path / "j", pool)

    assert pool.asked == []
    with pytest.raises(JournalError, match="model 'large' was 'weights B' and is now 'weights C'"):
        await run(tmp_path / "j", pool, {"large": "weights C"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not a journal\n", "line 1: not a line of a journal"),
        ("{}\n{}\n", "line 1: not a line of a journal"),
        ("HEADER\nrubbish\nRESULT\n", "line 2: not a line of a journal"),
        ("RESULT\n", "has no header"),
    ],
)
async def test_refuses_what_is_no_journal(tmp_path, content, message):
    """A file that holds something else is neither read nor written over."""
    await run(tmp_path / "good", Pool())
    header, result, *_ = (tmp_path / "good").read_text().splitlines()
    path = tmp_path / "j"
    path.write_text(content.replace("HEADER", header).replace("RESULT", result))
    before = path.read_bytes()

    with pytest.raises(JournalError, match=message):
        await run(path, Pool())
    assert path.read_bytes() == before


async def test_refuses_the_journal_of_another_probe_set(tmp_path):
    """Answers to other probes are not mixed in; the message says what to do."""
    await run(tmp_path / "j", Pool())

    with pytest.raises(JournalError, match="another probe set; delete it or name another --out"):
        await run(tmp_path / "j", Pool(), probes=SUMS[1:])


async def test_refuses_a_place_that_cannot_be_written(tmp_path):
    """A folder that does not exist is named."""
    with pytest.raises(JournalError, match=r"cannot be read or written .* name another --out"):
        await run(tmp_path / "missing" / "j", Pool())


async def test_asks_no_more_at_once_than_allowed(tmp_path):
    """One probe at a time by default, more where allowed."""
    one, three = Pool(), Pool()

    await run(tmp_path / "one", one)
    results, _ = await run(tmp_path / "three", three, concurrency=3)

    assert (one.most_busy, three.most_busy) == (1, 3)
    assert [result.score for result in results] == [0.0] * 4 + [1.0] * 4


async def test_grades_off_the_event_loop(tmp_path):
    """While code is graded, which takes a while, the loop goes on."""
    probe = PROBE.validate_python(
        {
            "prompt_id": "code",
            "task": "code",
            "prompt": "f",
            "grader": {"kind": "program", "function": "f", "cases": [{"args": [], "returns": 1}]},
        }
    )
    ticks = []

    async def ask(_model, _probe):
        return Asked("def f():\n    return 1", None, 1, 1, None, 0.1)

    async def tick():
        while True:
            ticks.append(threading.active_count())
            await asyncio.sleep(0.01)

    ticker = asyncio.create_task(tick())
    results, _ = await run(tmp_path / "j", ask, {"small": "A"}, (probe,))
    ticker.cancel()

    assert [result.score for result in results] == [grade(probe, "def f():\n    return 1")]
    assert len(ticks) > 3


async def test_the_journal_is_plain_json_lines(tmp_path):
    """Other tools can read what was asked and answered."""
    await run(tmp_path / "j", Pool(), {"large": "weights B"})

    header, first, *_ = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]

    assert header["models"] == {"large": "weights B"}
    assert (first["model"], first["prompt_id"], first["score"], first["asked"]["text"]) == ("large", "sum-0", 1.0, "1")
