"""Fixtures: Helm, unpacked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docker.helm import Helm, unpacked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    folder: Path = tmp_path_factory.mktemp("helm")
    return unpacked(folder)
