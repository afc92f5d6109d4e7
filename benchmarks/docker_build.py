"""Build the images with buildah, on a Debian made for the occasion, and run them as Kubernetes would.

    python benchmarks/docker_build.py [slim] [full]

Needs root, and Debian's packages `buildah` and `debootstrap`; takes some minutes. `tests/docker` carries out the same
Dockerfile without a container engine; here an engine does it, the root filesystem is mounted read-only, and the user is
the image's. What is printed is the size of each image, and how long it takes until it is ready.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DEBIAN = "bookworm"
PACKAGES = "ca-certificates,python3-venv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
KEY = "benchmark"
STEP_LIMIT_S, READY_LIMIT_S = 1800, 120
#: The image's root read-only, with its own folders and nothing of the machine but devices; then its user, for good.
CONFINE = """
mount --bind "$0" "$0"; mount --options remount,ro,bind "$0"
mount --types tmpfs none "$0/tmp"; mount --types tmpfs --options uid=65532,mode=700 none "$0/var/lib/pointsman"
mount --rbind /dev "$0/dev"; mount --types proc none "$0/proc"
exec setpriv --no-new-privs chroot --userspec="$@"
"""
#: For the image without a configuration: what answers is an endpoint that nobody listens at.
CONFIG = {
    "providers": {"nobody": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
    "models": {"m": {"provider": "nobody"}},
    "store": {"path": "/var/lib/pointsman/pointsman.db"},
}


class Wrong(Exception):
    """An image is not as it should be."""


@dataclass(frozen=True)
class Engine:
    """buildah, with its images in a folder of its own."""

    folder: Path

    def run(self, *arguments: str) -> str:
        """Return what a command prints. Raises `Wrong`."""
        options = ["--root", str(self.folder / "images"), "--runroot", str(self.folder / "run")]
        return run("buildah", *options, *arguments)

    def base(self) -> str:
        """Return the name of a Debian with Python, which trusts whom this machine trusts."""
        tree = self.folder / "debian"
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(tree))
        shutil.copy2(CERTIFICATES, tree / CERTIFICATES.relative_to("/"))
        container = self.run("from", "scratch").strip()
        self.run("add", "--quiet", container, str(tree), "/")
        self.run("config", "--env", f"PIP_CERT={CERTIFICATES}", container)
        self.run("commit", "--quiet", "--rm", container, "base")
        return "localhost/base"

    def build(self, base: str, target: str) -> None:
        """Build a target of the Dockerfile under its name."""
        file = ROOT / "docker" / "Dockerfile"
        options = ["--layers", "--isolation", "chroot", "--network", "host", "--format", "docker"]
        ignored = ["--ignorefile", f"{file}.dockerignore", "--build-arg", f"BASE={base}"]
        self.run("bud", *options, *ignored, "--file", str(file), "--target", target, "--tag", target, str(ROOT))

    def config(self, image: str) -> dict[str, Any]:
        """Return what an image says of itself: Env, User, Entrypoint, Cmd, Healthcheck, StopSignal."""
        config: dict[str, Any] = json.loads(self.run("inspect", "--type", "image", image))["Docker"]["config"]
        return config


def run(*command: str) -> str:
    """Return what a command prints. Raises `Wrong` where it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=STEP_LIMIT_S, check=False)
    if ended.returncode:
        raise Wrong(
            f"`{' '.join(command)}` ended with {ended.returncode}:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"
        )
    return ended.stdout


@contextmanager
def started(root: Path, config: dict[str, Any], said: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start what an image starts, confined; yield the process and its address once it is ready. Raises `Wrong`."""
    environment = dict(pair.split("=", 1) for pair in config["Env"]) | {"POINTSMAN_API_KEYS": KEY}
    command = [*config["Entrypoint"], *config["Cmd"], "--host", "127.0.0.1", "--port", "0"]
    confined = ["unshare", "--mount", "sh", "-euc", CONFINE, str(root), config["User"], str(root), *command]
    with said.open("wb") as output:
        process = subprocess.Popen(
            confined, env={"PATH": os.environ["PATH"], **environment}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + READY_LIMIT_S
        while not (ready := re.search(r"ready at (\S+)", said.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Wrong(f"it does not get ready:\n{said.read_text()}")
            time.sleep(0.05)
        yield process, ready[1]
    finally:
        process.kill()
        process.wait()


def healthy(root: Path, config: dict[str, Any], url: str) -> bool:
    """Run the image's health check in the image, against an address."""
    _, *command = config["Healthcheck"]["Test"]
    probe = ["chroot", f"--userspec={config['User']}", str(root), *command, f"{url}/readyz"]
    return subprocess.run(probe, capture_output=True, timeout=30, check=False).returncode == 0


def tried(root: Path, config: dict[str, Any], said: Path, *, asks: bool) -> float:
    """Use a container as it is used; return the seconds until it was ready. Raises `Wrong`."""
    began = time.monotonic()
    with started(root, config, said) as (process, url):
        ready_s = time.monotonic() - began
        if not healthy(root, config, url):
            raise Wrong("its health check fails")
        if asks:
            ask(url)
        process.terminate()
        if status := process.wait(60):
            raise Wrong(f"it ended with {status}:\n{said.read_text()}")
    if "telemetry" in said.read_text():
        raise Wrong(f"it has something to tell others:\n{said.read_text()}")
    if healthy(root, config, url):
        raise Wrong("its health check does not notice that it has ended")
    return ready_s


def ask(url: str) -> None:
    """Ask each of the local models. Raises `Wrong`."""
    for model in ("smollm2-135m", "gemma3-270m", "auto"):
        answer = httpx2.post(
            f"{url}/v1/chat/completions",
            headers={"authorization": f"Bearer {KEY}"},
            json={"model": model, "max_tokens": 8, "messages": [{"role": "user", "content": "Say hello."}]},
            timeout=120,
        )
        if answer.status_code != 200:
            raise Wrong(f"{model} answers {answer.status_code}: {answer.text}")


def size_mb(root: Path) -> float:
    """Return how much a folder takes, in MB."""
    return int(run("du", "--summarize", "--bytes", str(root)).split()[0]) / 1e6


def main(targets: list[str]) -> int:
    """Build and try the images; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="pointsman-docker-") as name:
        engine = Engine(Path(name))
        try:
            base = engine.base()
            for target in targets or ["slim", "full"]:
                engine.build(base, target)
                print(f"{target}: {report(engine, target)}", flush=True)
        except Wrong as error:
            print(f"docker_build: {error}", file=sys.stderr)
            return 1
        finally:
            # What is mounted cannot be deleted.
            engine.run("rm", "--all")
    return 0


def report(engine: Engine, image: str) -> str:
    """Try an image; return a line about it. Raises `Wrong`."""
    config = engine.config(image)
    root = Path(engine.run("mount", engine.run("from", image).strip()).strip())
    if image == "slim":
        (root / "etc" / "pointsman").mkdir()
        (root / "etc" / "pointsman" / "gateway.yaml").write_text(json.dumps(CONFIG))
    ready_s = tried(root, config, engine.folder / "said", asks=image == "full")
    own_mb = size_mb(root / "opt" / "pointsman")
    return f"{own_mb:.0f} MB besides the base image; ready after {ready_s:.1f} s; status 0 on SIGTERM"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
