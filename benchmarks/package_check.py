"""Build the wheel, look at what is in it, install it alone into a fresh environment, and try it there.

Run `make package-check`. The three top-level packages have plain names, so it matters that they are all there is,
and that no dependency has one of the same name. Nothing is fetched: the dependencies are those of the environment
that this runs in, and its editable installation stays out of sight.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zipfile import ZipFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
NAME = "pointsman"
PACKAGES = {"gateway", "providers", "routers"}
#: All that is not Python: each pattern must have a match, and nothing else may be there.
DATA = (
    "gateway/py.typed",
    "providers/py.typed",
    "routers/py.typed",
    "routers/online/basis.npz",
    "gateway/quotas/ledger.lua",
    "gateway/evaluation/online/page.css",
    "gateway/replay/page.css",
    "gateway/evaluation/page/*.css",
    "gateway/evaluation/page/*.js",
    "gateway/profiling/probes.jsonl",
    "gateway/signals/difficulty/*.jsonl",
    "gateway/signals/*/README.md",
    "gateway/signals/*/weights.npz",
    "gateway/signals/domains/examples.jsonl",
    "gateway/signals/*/vectors.npz",
    "gateway/signals/pii/*.txt",
    "gateway/signals/static/LICENSE",
    "gateway/signals/minilm/LICENSE",
    "gateway/signals/minilm/model.onnx",
    "gateway/signals/minilm/tokenizer.json",
    "providers/templates/*.jinja",
)
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE")
TESTS = ("test_*.py", "*_test.py", "conftest.py")
STEP_LIMIT_S = 120

#: Run in the fresh environment: who owns what, and where it is imported from.
OWNERS = """
import json, gateway, providers, routers
from importlib.metadata import packages_distributions
files = {module.__name__: module.__file__ for module in (gateway, providers, routers)}
print(json.dumps({"owners": packages_distributions(), "files": files}))
"""
CONFIG = {
    "providers": {"here": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
    "models": {"small": {"provider": "here"}, "large": {"provider": "here"}},
    "policies": ["auto.yaml"],
}
#: A router that reads embeddings, so that the encoder is opened as well.
POLICY = {
    "name": "auto",
    "router": {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}},
}


class Wrong(Exception):
    """The package is not as it should be."""


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Return what a command prints. Raises `Wrong` where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=STEP_LIMIT_S, check=False
    )
    if ended.returncode:
        line = " ".join(map(str, command))
        raise Wrong(f"`{line}` ended with status {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def build(folder: Path) -> Path:
    """Return the wheel, built into `folder` with this environment's hatchling."""
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def wrong_names(names: Sequence[str]) -> Iterator[str]:
    """Yield what a wheel has that it should not have, and what it lacks."""
    tops = {PurePosixPath(name).parts[0] for name in names}
    (info,) = [top for top in tops if top.endswith(".dist-info")] or [f"{NAME}.dist-info"]
    if tops != PACKAGES | {info}:
        yield f"at the top are {sorted(tops)}, not {sorted(PACKAGES | {info})}"
    described = {name.removeprefix(f"{info}/") for name in names if name.startswith(f"{info}/")}
    if described != set(METADATA):
        yield f"{info} has {sorted(described)}, not {sorted(METADATA)}"
    yield from _wrong_content([name for name in names if not name.startswith(f"{info}/")])


def _wrong_content(names: Sequence[str]) -> Iterator[str]:
    data = [name for name in names if not name.endswith(".py")]
    for name in data:
        if not any(fnmatch(name, pattern) for pattern in DATA):
            yield f"{name} got in: delete it, have it ignored, or add it to DATA if it belongs there"
    for pattern in DATA:
        if not any(fnmatch(name, pattern) for name in data):
            yield f"{pattern} is missing"
    for name in names:
        if any(fnmatch(PurePosixPath(name).name, pattern) for pattern in TESTS):
            yield f"{name} is a test: tests belong into tests/"


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a fresh environment that has the dependencies of this one; return its programs."""
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    run(
        [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-deps", "--no-index", wheel],
        ROOT,
    )
    dependencies = folder / "dependencies"
    link_dependencies(dependencies)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "lib" / version / "site-packages" / "dependencies.pth").write_text(f"{dependencies}\n")
    return programs


def link_dependencies(folder: Path) -> None:
    """Link all that is installed here into a folder, but for the gateway itself."""
    folder.mkdir()
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(place).iterdir():
            if not entry.name.startswith(f"{NAME}-") and entry.suffix != ".pth":
                (folder / entry.name).symlink_to(entry)


def wrong_owners(answer: str, folder: Path) -> Iterator[str]:
    """Yield packages that belong to somebody else too, or are imported from elsewhere."""
    found = json.loads(answer)
    for package in sorted(PACKAGES):
        if (owners := found["owners"].get(package)) != [NAME]:
            yield f"{package} belongs to {owners}, not to {NAME} alone"
        if not Path(found["files"][package]).is_relative_to(folder):
            yield f"{package} is imported from {found['files'][package]}, not from the wheel"
    mine = {package for package, owners in found["owners"].items() if NAME in owners}
    if mine != PACKAGES:
        yield f"{NAME} owns {sorted(mine)}, not {sorted(PACKAGES)}"


def try_out(programs: Path, folder: Path) -> None:
    """Use what was installed, from a folder that has nothing to do with it. Raises `Wrong`."""
    folder.mkdir()
    (folder / "gateway.yaml").write_text(json.dumps(CONFIG))
    (folder / "auto.yaml").write_text(json.dumps(POLICY))
    said = run([programs / NAME, "--help"], folder)
    if "serve" not in said:
        raise Wrong(f"`{NAME} --help` does not mention `serve`:\n{said}")
    said = run([programs / "python", "-m", "gateway", "check", "gateway.yaml"], folder)
    if "good" not in said:
        raise Wrong(f"`gateway check` does not find a good configuration good:\n{said}")


def refuse(problems: Iterator[str]) -> None:
    """Raise `Wrong` where there is any problem."""
    if found := list(problems):
        raise Wrong("\n".join(found))


def check(folder: Path) -> str:
    """Check the package; return a line about it. Raises `Wrong`."""
    wheel = build(folder / "dist")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    refuse(wrong_names(names))
    programs = install(wheel, folder / "environment")
    answer = run([programs / "python", "-c", OWNERS], folder)
    refuse(wrong_owners(answer, folder / "environment"))
    try_out(programs, folder / "elsewhere")
    return f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.1f} MB, good"


def main() -> int:
    """Return the exit status."""
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-package-") as folder:
        try:
            print(check(Path(folder).resolve()))
        except Wrong as error:
            for line in str(error).splitlines():
                print(f"package-check: {line}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
