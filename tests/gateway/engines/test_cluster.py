import logging
import math
import operator
import os

import numpy as np
import pytest

from gateway.embeddings import embed_all
from gateway.engines.engine import EngineError, open_engine
from gateway.signals.encoder import open_encoder

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
module = pytest.importorskip("gateway.engines.cluster")


def die_once(mark):
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return "done"


def process_of(_number):
    return os.getpid()


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as started:
        yield started


@pytest.fixture(scope="module")
def engine(cluster):
    with open_engine(cluster.scheduler_address) as opened:
        yield opened


def test_results_have_the_order_of_the_items(engine):
    """Also where there are more of them than are sent ahead, and equal ones; none at all is fine."""
    assert [-(n % 5) for n in range(30)] == engine.map(operator.neg, [n % 5 for n in range(30)])
    assert [] == engine.map(operator.neg, [])


def test_the_workers_are_the_clusters_threads(engine, cluster):
    """As many as there are now: one that was lost comes back."""
    cluster.wait_for_workers(2, timeout=30)

    assert 2 == engine.workers


def test_each_result_is_told_once(engine):
    """With its item's number, in any order."""
    told = []

    engine.map(operator.neg, [5, 6, 7], lambda number, result: told.append((number, result)))

    assert [(0, -5), (1, -6), (2, -7)] == sorted(told)


def test_a_jobs_exception_is_raised_here(engine):
    """With its own type and words; the engine can be used on."""
    with pytest.raises(ValueError, match="math domain error"):
        engine.map(math.sqrt, [4.0, -1.0, *[9.0] * 20])

    assert [2.0] == engine.map(math.sqrt, [4.0])


def test_jobs_run_in_the_clusters_processes(engine):
    """With one thread each for numerical work."""
    assert {"1"} == set(engine.map(os.getenv, ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]))


def test_a_job_may_be_large(engine):
    """Dask would warn of ten megabytes."""
    assert [2e6] * 2 == engine.map(np.sum, [np.ones(2_000_000)] * 2)


def test_a_job_whose_worker_is_lost_is_done_by_another(engine, tmp_path):
    """The first to come kills its process; the job is given away and done."""
    assert ["done"] == engine.map(die_once, [tmp_path / "died"])


def test_the_cluster_embeds_as_this_process_does(engine):
    """Each worker opens the encoder for itself."""
    encoder, texts = open_encoder("minilm"), [f"text {n}" for n in range(150)]

    np.testing.assert_array_equal(encoder.encode(texts), embed_all(texts, encoder, engine=engine))


def test_dasks_own_configuration_may_name_the_scheduler(cluster):
    """As the variable DASK_SCHEDULER_ADDRESS does."""
    with dask.config.set({"scheduler-address": cluster.scheduler_address}), open_engine("dask") as engine:
        assert [-1] == engine.map(operator.neg, [1])


def test_without_a_scheduler_a_cluster_is_started_and_ended_with_its_use():
    """With a process for each processor of this machine."""
    with open_engine("dask") as engine:
        processes = set(engine.map(process_of, range(4 * os.cpu_count())))
        assert os.cpu_count() == engine.workers
        assert os.getpid() not in processes
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


class Talkative(distributed.SchedulerPlugin):
    """Sends news to the next client together with its greeting, as a busy scheduler may."""

    name = "talkative"

    def __init__(self):
        self.told = None

    def add_client(self, scheduler, client):
        if self.told is None:
            self.told = client
            scheduler.loop.add_callback(lambda: scheduler.client_comms[client].send({"op": "news"}))


def test_a_greeting_that_comes_with_other_news_is_asked_for_again(cluster):
    """It says nothing about the scheduler, which does answer."""
    plugin = Talkative()
    cluster.scheduler.add_plugin(plugin)
    try:
        with open_engine(cluster.scheduler_address) as engine:
            assert [-1] == engine.map(operator.neg, [1])
    finally:
        cluster.scheduler.remove_plugin(plugin.name)
    assert plugin.told is not None


def test_a_scheduler_that_does_not_answer_is_named():
    """With the command that starts one."""
    with pytest.raises(EngineError, match=r"engine 'tcp://127.0.0.1:1': no scheduler answers .* start one with `dask"):
        module.Cluster("tcp://127.0.0.1:1", patience_s=0.2)


def test_an_address_that_is_none_is_refused():
    """In the same words."""
    with pytest.raises(EngineError, match="engine 'http://x': no scheduler answers"):
        open_engine("http://x")


def test_a_cluster_without_workers_is_refused():
    """It would wait for ever."""
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(
            EngineError, match=f"the scheduler has no workers; start some with `dask worker {empty.scheduler_address}"
        ),
    ):
        module.Cluster(empty.scheduler_address, patience_s=0.2)
