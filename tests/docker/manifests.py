"""The plain manifests: what the chart renders, in one file a mode. `python -m tests.docker.manifests` writes them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docker.helm import ROOT, Helm, unpacked

FOLDER = ROOT / "docker" / "manifests"
MODES = ("deployment", "sidecar")
HEAD = """\
# Rendered from docker/helm/pointsman with docker/helm/{mode}.yaml by `make manifests`: do not edit.
# They need Kubernetes 1.30, and the Secret `pointsman`: see docs/how-to/deploy-on-kubernetes.md.
"""


def values_of(mode: str) -> Path:
    """Return the file of values of a mode."""
    return ROOT / "docker" / "helm" / f"{mode}.yaml"


def manifest(helm: Helm, mode: str) -> str:
    """Return what the file of a mode should be."""
    return HEAD.format(mode=mode) + helm.render(values_of(mode))


def main() -> int:
    """Write the manifests; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        helm = unpacked(Path(folder))
        for mode in MODES:
            (FOLDER / f"{mode}.yaml").write_text(manifest(helm, mode), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
