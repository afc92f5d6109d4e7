import pytest

from gateway.store.base import StoreError
from gateway.store.checks import CHECKS, check_store
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """Build an empty store of each kind."""
    store = MemoryStore() if request.param == "memory" else SQLiteStore.open(tmp_path / "log.db")
    yield store
    store.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_store_passes_every_check(check, store):
    """Each store does what is asked of every store."""
    check(store)


def test_battery_runs_over_memory():
    """The battery as a whole accepts the store in memory."""
    check_store(MemoryStore)


def test_battery_runs_over_files(tmp_path):
    """The battery as a whole accepts the store in a file, each check with its own."""
    files = (tmp_path / str(number) / "log.db" for number in range(len(CHECKS)))

    check_store(lambda: SQLiteStore.open(next(files)))


class Forgetful(MemoryStore):
    """A store that says yes to everything and keeps the first event of each batch."""

    def append(self, events):
        """Keep the first."""
        return super().append(events[:1]) + [True] * (len(events) - 1)


class Undying(MemoryStore):
    """A store that does not close."""

    def close(self):
        """Do nothing."""


@pytest.mark.parametrize("kind", [Forgetful, Undying])
def test_battery_finds_a_defect(kind):
    """A store that breaks the contract is told what was expected."""
    with pytest.raises(AssertionError, match="expected"):
        check_store(kind)


def test_battery_closes_what_it_was_given():
    """No store is left open, whatever came of its check."""
    given = []

    def make_store():
        given.append(MemoryStore())
        return given[-1]

    check_store(make_store)

    assert len(CHECKS) == len(given)
    for store in given:
        with pytest.raises(StoreError):
            store.append([])
