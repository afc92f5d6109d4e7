from __future__ import annotations

import pytest

from tests.docker.manifests import FOLDER, MODES, manifest


@pytest.mark.parametrize("mode", MODES)
def test_plain_manifests_are_what_the_chart_renders(helm, mode):
    """`make manifests` writes them anew."""
    assert manifest(helm, mode) == (FOLDER / f"{mode}.yaml").read_text(encoding="utf-8")


def test_there_are_no_other_manifests():
    """Whoever applies the folder gets what is rendered."""
    assert sorted(f"{mode}.yaml" for mode in MODES) == sorted(path.name for path in FOLDER.iterdir())
