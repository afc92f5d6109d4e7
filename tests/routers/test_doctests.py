import doctest
import pkgutil
from importlib import import_module

import pytest

import routers

MODULES = [module.name for module in pkgutil.walk_packages(routers.__path__, "routers.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    """Every example in a docstring gives the output that it shows."""
    assert 0 == doctest.testmod(import_module(name)).failed


def test_there_are_examples():
    """The test above has something to run."""
    assert sum(doctest.testmod(import_module(name)).attempted for name in MODULES) > 30
