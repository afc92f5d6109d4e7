import sys

import pytest

from gateway.profiling.sandbox import OUTPUT_BYTES, SandboxError, missing_layers, run_python

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="these layers are Linux's")


def attempt(action: str, setup: str = "") -> str:
    """Return what a program printed that tried something and says how it went."""
    trial = f"try:\n    {action}\nexcept Exception:\n    print('refused')\nelse:\n    print('done')"
    code = f"import os, sys\n{setup}\n{trial}"
    return run_python(code).stdout.strip().splitlines()[-1]


def test_returns_what_a_program_prints():
    """A harmless program runs as it would outside."""
    completed = run_python("import math\nprint(math.gcd(12, 18))")

    assert (completed.stdout, completed.exit_code, completed.timed_out) == ("6\n", 0, False)


def test_passes_standard_input_and_then_its_end():
    """A program reads what it was given, and then an end of file rather than a terminal."""
    completed = run_python("import sys\nprint(input())\nprint(repr(sys.stdin.read()))", stdin="naïve\n")

    assert completed.stdout == "naïve\n''\n"


def test_a_program_that_asks_for_input_is_not_left_waiting():
    """Reading without any input fails at once."""
    completed = run_python("input('your name? ')", timeout_s=5)

    assert (completed.timed_out, completed.exit_code != 0) == (False, True)


def test_stops_an_endless_loop():
    """The time limit ends a program that does not end itself, and keeps what it has printed."""
    completed = run_python("print('begun', flush=True)\nwhile True: pass", timeout_s=0.5)

    assert (completed.stdout, completed.timed_out) == ("begun\n", True)


def test_reports_the_exit_code():
    """`sys.exit` ends the program and nothing else."""
    assert run_python("import sys\nsys.exit(7)").exit_code == 7


@pytest.mark.parametrize("code", ["def broken(:", "\0", "\ud800 = 1", "(" * 5000, "1 +" * 100_000 + "1"])
def test_code_that_is_no_python_is_an_exit_code(code):
    """Nothing that a program may contain raises an error here."""
    assert run_python(code).exit_code != 0


def test_refuses_memory_beyond_the_limit():
    """A hog is refused, and does not take the machine along."""
    hog = "data = bytearray(200 * 1024**2)\nprint(len(data))"

    assert [run_python(hog, memory_bytes=size * 1024**2).stdout for size in (400, 100)] == ["209715200\n", ""]


def test_caps_the_output():
    """Endless printing ends with an error in the program, and a bounded text here."""
    completed = run_python("while True: print('x' * 1000)", timeout_s=5)

    assert len(completed.stdout) == OUTPUT_BYTES
    assert not completed.timed_out


def test_the_environment_is_empty(monkeypatch):
    """No key of the user's reaches a program."""
    monkeypatch.setenv("SECRET_KEY", "sesame")

    assert run_python("import os\nprint(os.environ.get('SECRET_KEY'))").stdout == "None\n"


def test_cannot_import_installed_packages():
    """A program sees the standard library only."""
    assert attempt("import numpy") == "refused"


@linux_only
def test_starts_no_processes():
    """A fork bomb does not get off the ground."""
    assert [
        attempt("os.fork()"),
        attempt("subprocess.run(['true'])", "import subprocess"),
        attempt("threading.Thread(target=print).start()", "import threading"),
    ] == ["refused", "refused", "refused"]


@linux_only
def test_cannot_touch_files_outside(tmp_path):
    """A file can be neither read, written, truncated, removed nor opened up; none can be made."""
    treasure = tmp_path / "treasure"
    treasure.write_text("gold")
    actions = [
        "open({!r}).read()",
        "open({!r}, 'w')",
        "os.truncate({!r}, 0)",
        "os.remove({!r})",
        "os.chmod({!r}, 0o777)",
        "os.rename({!r}, {!r} + '2')",
        "open({!r} + '3', 'w')",
    ]

    outcomes = {action: attempt(action.replace("{!r}", repr(str(treasure)))) for action in actions}

    assert dict.fromkeys(actions, "refused") == outcomes
    assert ([file.name for file in tmp_path.iterdir()], treasure.read_text()) == (["treasure"], "gold")


@linux_only
def test_cannot_write_in_its_own_folder():
    """The working directory is empty and stays so."""
    assert attempt("open('notes', 'w').write('x')") == "refused"


@linux_only
def test_cannot_reach_its_parent():
    """Neither signals nor the process table lead to other processes."""
    assert [
        attempt("os.kill(os.getppid(), 0)"),
        attempt("open(f'/proc/{os.getppid()}/environ').read()"),
    ] == ["refused", "refused"]


@linux_only
def test_opens_no_sockets():
    """There is no network, not even the local one."""
    assert attempt("socket.socket()", "import socket") == "refused"


def test_cannot_raise_its_limits():
    """Limits are hard."""
    assert attempt("resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))", "import resource") == "refused"


def test_leaves_nothing_behind(tmp_path, monkeypatch):
    """The temporary folder is gone afterwards, also after a timeout."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    run_python("while True: pass", timeout_s=0.2)

    assert list(tmp_path.iterdir()) == []


def test_says_what_the_system_lacks():
    """The report names layers, or is empty where all are in force."""
    known = {"namespaces", "files (Landlock)", "system calls (seccomp)"}

    assert all(layer in known or layer.startswith("RLIMIT_") for layer in missing_layers())


def test_an_interpreter_that_does_not_run_is_an_error(monkeypatch):
    """Rather than failing every answer, a sandbox that runs nothing says so."""
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(SandboxError, match="does not run in the sandbox"):
        missing_layers()
