import math
import operator
import os

import numpy as np
import pytest

from gateway.embeddings import embed_all
from gateway.engines.engine import EngineError
from gateway.engines.local import THREADS, Processes, Serial
from gateway.signals.encoder import open_encoder


@pytest.fixture(scope="module")
def processes():
    with Processes(2) as engine:
        yield engine


@pytest.fixture(params=["serial", "processes"])
def engine(request, processes):
    return Serial() if request.param == "serial" else processes


def test_results_have_the_order_of_the_items(engine):
    """Whichever came first; none at all is fine."""
    assert [-n for n in range(20)] == engine.map(operator.neg, range(20))
    assert [] == engine.map(operator.neg, [])


def test_each_result_is_told_once(engine):
    """With its item's number, in any order."""
    told = []

    engine.map(operator.neg, [5, 6, 7], lambda number, result: told.append((number, result)))

    assert [(0, -5), (1, -6), (2, -7)] == sorted(told)


def test_a_jobs_exception_is_raised_here(engine):
    """With its own type and words; the engine can be used on."""
    with pytest.raises(ValueError, match="math domain error"):
        engine.map(math.sqrt, [4.0, -1.0, 9.0])

    assert [2.0] == engine.map(math.sqrt, [4.0])


def test_what_has_not_begun_is_not_done_after_an_exception(processes, tmp_path):
    """The first job fails while hundreds wait."""
    (tmp_path / "0").mkdir()
    folders = [tmp_path / str(n) for n in range(500)]

    with pytest.raises(FileExistsError):
        processes.map(os.mkdir, folders)

    assert 500 > processes.map(len, [list(tmp_path.iterdir())])[0]


def test_processes_are_others_and_use_one_thread_each(processes):
    """The environment of this one stays as it was."""
    before = [os.environ.get(name) for name in THREADS]

    assert ["1"] * len(THREADS) == processes.map(os.getenv, THREADS)
    assert os.getpid() not in processes.map(process_id, [None] * 4)
    assert before == [os.environ.get(name) for name in THREADS]


def test_a_process_that_dies_is_told():
    """It is the job's fault, or the machine's: with the remedy for the latter."""
    with Processes(1) as engine, pytest.raises(EngineError, match=r"engine 'processes:1': a process died .* use fewer"):
        engine.map(os._exit, [3])


def test_processes_embed_as_this_one_does(processes):
    """Each opens the encoder for itself."""
    encoder, texts = open_encoder("minilm"), [f"text {n}" for n in range(200)]

    np.testing.assert_array_equal(encoder.encode(texts), embed_all(texts, encoder, engine=processes))


def process_id(_: None) -> int:
    return os.getpid()
