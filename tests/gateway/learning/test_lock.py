from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.learning.lock import Lock, LogTaken
from gateway.store.base import StoreError
from tests.processes import ROOT

HOLD = "import sys; from pathlib import Path; from gateway.learning.lock import Lock; lock = Lock.take(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


def test_one_process_has_it(tmp_path):
    """Another is told who; when that one is killed, it is free."""
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as holder:
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(LogTaken, match=f"process {holder.pid}"):
            Lock.take(path)
        holder.kill()
        holder.wait()
    Lock.take(path).release()
    Lock.take(path).release()


def test_where_it_cannot_be_the_folder_is_named(tmp_path):
    """The remedy is a folder that can be written."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="must be writable"):
        Lock.take(tmp_path / "file" / "lock")
