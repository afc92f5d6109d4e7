import subprocess
import sys

import pytest

from gateway.engines.engine import EngineError, open_engine

WITHOUT_DASK = """\
import sys
sys.modules["distributed"] = sys.modules["dask"] = None
from gateway.engines.engine import EngineError, open_engine
try:
    open_engine("dask")
except EngineError as error:
    print(error)
"""


@pytest.mark.parametrize(("name", "workers"), [("serial", 1), ("processes:3", 3)])
def test_an_engine_is_opened_by_its_name(name, workers):
    """The number behind the colon is how many jobs it does at once."""
    with open_engine(name) as engine:
        assert workers == engine.workers


def test_processes_are_as_many_as_the_machine_has_processors():
    """Where nothing else is said."""
    with open_engine("processes") as engine:
        assert 1 <= engine.workers


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "no engine ''; give 'serial'"),
        ("threads", "no engine 'threads'; give 'serial', 'processes'"),
        ("serial:2", "no engine 'serial:2'"),
        ("processes:", "'' is not a number of processes"),
        ("processes:0", "'0' is not a number of processes"),
        ("processes:-1", "'-1' is not a number of processes"),
        ("processes:two", "'two' is not a number of processes; give 1 or more, as 'processes:4'"),
    ],
)
def test_a_name_that_is_none_is_refused(name, said):
    """With those that there are."""
    with pytest.raises(EngineError, match=said):
        open_engine(name)


def test_without_dask_the_extra_is_named():
    """In a process of its own, where it cannot be imported."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_DASK], capture_output=True, text=True, check=True, timeout=60)

    assert "engine 'dask' needs dask, which is not installed: pip install 'pointsman[cluster]'" in done.stdout
