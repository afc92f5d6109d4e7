import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gateway.embedding_cache import FILE, CacheError, EmbeddingCache, default_folder

WRITER = """\
import sys, numpy as np
from pathlib import Path
from gateway.embedding_cache import EmbeddingCache

cache = EmbeddingCache(Path(sys.argv[1]))
print("ready", flush=True)
for n in range(60):
    cache.add([f"{sys.argv[2]} {n}", f"both {n}"], "d", np.full((2, 3), n, np.float32))
"""
KILLED = """\
import os, sys, numpy as np
from pathlib import Path
from gateway.embedding_cache import EmbeddingCache

cache = EmbeddingCache(Path(sys.argv[1]))
cache.add(["whole"], "d", np.ones((1, 3), np.float32))
with cache._opened() as connection:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO vectors VALUES (?, ?)", (b"half", b"half"))
    os._exit(1)
"""


def look_up(cache, texts, digest="d", dimension=3):
    """Return the vectors of some texts, and the rows that have none, which stay zero."""
    vectors = np.zeros((len(texts), dimension), np.float32)
    return vectors, cache.fill(vectors, texts, digest)


def test_what_was_added_is_found(tmp_path):
    """In another order, among texts that are not there."""
    EmbeddingCache(tmp_path).add(["a", "b"], "d", np.array([[1, 2, 3], [4, 5, 6]], np.float32))

    vectors, missing = look_up(EmbeddingCache(tmp_path), ["b", "c", "a"])

    assert [1] == missing
    np.testing.assert_array_equal([[4, 5, 6], [0, 0, 0], [1, 2, 3]], vectors)


def test_vectors_are_an_encoders_own(tmp_path):
    """Another encoder's vectors do not compare."""
    cache = EmbeddingCache(tmp_path)
    cache.add(["a"], "d", np.ones((1, 3), np.float32))

    assert [0] == look_up(cache, ["a"], digest="e")[1]


def test_a_text_that_is_there_stays_as_it_is(tmp_path):
    """Whoever came first."""
    cache = EmbeddingCache(tmp_path)
    cache.add(["a"], "d", np.ones((1, 3), np.float32))

    cache.add(["a"], "d", np.zeros((1, 3), np.float32))

    np.testing.assert_array_equal([[1, 1, 1]], look_up(cache, ["a"])[0])


def test_a_cleared_cache_is_empty_and_small(tmp_path):
    """And as good as new."""
    cache = EmbeddingCache(tmp_path)
    cache.add([str(n) for n in range(200)], "d", np.ones((200, 384), np.float32))
    before = (tmp_path / FILE).stat().st_size

    cache.clear()

    assert before > 10 * (tmp_path / FILE).stat().st_size
    assert [0] == look_up(cache, ["1"])[1]
    cache.add(["1"], "d", np.ones((1, 3), np.float32))
    assert [] == look_up(cache, ["1"])[1]


def test_the_folder_is_made_for_its_owner_alone(tmp_path):
    """A vector tells something of the text that it was made of."""
    look_up(EmbeddingCache(tmp_path / "new" / "folder"), ["a"])

    assert 0o700 == stat.S_IMODE((tmp_path / "new" / "folder").stat().st_mode)


def test_two_processes_may_write_at_once(tmp_path):
    """Both finish, and nothing is lost."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, name], stdout=subprocess.PIPE, cwd=Path.cwd())
        for name in ("one", "two")
    ]
    assert [b"ready\n"] * 2 == [writer.communicate(timeout=60)[0] for writer in writers]

    texts = [f"{name} {n}" for name in ("one", "two", "both") for n in range(60)]
    vectors, missing = look_up(EmbeddingCache(tmp_path), texts)
    assert ([], [0, 0]) == (missing, [writer.returncode for writer in writers])
    np.testing.assert_array_equal(np.tile(np.arange(60), 3), vectors[:, 0])


def test_a_process_that_is_killed_while_it_writes_leaves_what_was_whole(tmp_path):
    """The next one takes its place at once."""
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=Path.cwd(), check=False, timeout=60)
    cache = EmbeddingCache(tmp_path)

    assert (1, []) == (killed.returncode, look_up(cache, ["whole"])[1])
    cache.add(["next"], "d", np.ones((1, 3), np.float32))
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert (2,) == connection.execute("SELECT count(*) FROM vectors").fetchone()
    connection.close()


def test_a_file_that_is_damaged_is_named(tmp_path):
    """So is the remedy: a cache may go."""
    (tmp_path / FILE).write_bytes(b"no database" * 1000)

    with pytest.raises(CacheError, match=rf"^{tmp_path / FILE}: .*not a database.*delete it"):
        look_up(EmbeddingCache(tmp_path), ["a"])


def test_a_vector_of_another_length_is_refused(tmp_path):
    """It cannot be that encoder's."""
    cache = EmbeddingCache(tmp_path)
    cache.add(["a"], "d", np.ones((1, 3), np.float32))

    with pytest.raises(CacheError, match="a vector of 12 bytes, not of 4 numbers; delete the file"):
        look_up(cache, ["a"], dimension=4)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """The message says how to name another."""
    (tmp_path / "file").touch()

    with pytest.raises(CacheError, match="let POINTSMAN_CACHE name a folder to write to"):
        look_up(EmbeddingCache(tmp_path / "file" / "folder"), ["a"])


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"POINTSMAN_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"POINTSMAN_CACHE": "", "XDG_CACHE_HOME": "/xdg"}, "/xdg/pointsman"),
        ({"XDG_CACHE_HOME": "relative"}, Path("~/.cache/pointsman").expanduser()),
        ({}, Path("~/.cache/pointsman").expanduser()),
        ({"POINTSMAN_CACHE": "~/own"}, Path("~/own").expanduser()),
    ],
)
def test_the_environment_says_where_caches_go(environment, folder):
    """The product's own variable comes first, then the desktop's, then the usual place."""
    assert Path(folder) == default_folder(environment)


@settings(max_examples=30, deadline=None)  # every example waits for the disk
@given(
    st.lists(st.text(st.characters(), max_size=5), max_size=6, unique=True),
    hnp.arrays(np.float32, (6, 4), elements=st.floats(width=32)),
)
def test_vectors_come_back_bit_by_bit(texts, vectors):
    """Any text is a key, also one that UTF-8 cannot express; any number is kept, also NaN and minus zero."""
    vectors = vectors[: len(texts)]
    with tempfile.TemporaryDirectory() as folder:
        EmbeddingCache(Path(folder)).add(texts, "d", vectors)
        found, missing = look_up(EmbeddingCache(Path(folder)), texts, dimension=4)

    assert ([], vectors.tobytes()) == (missing, found.tobytes())
