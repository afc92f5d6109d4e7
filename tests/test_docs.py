"""The documentation is true: its blocks run, its YAML and JSON are good, its generated page is current.

See CONTRIBUTING.md for the comments that steer this (`<!-- test: ... -->`).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from docs.generate import PAGE as GENERATED
from docs.generate import configuration
from gateway.config.files import read_files
from gateway.config.models import GatewayConfig
from gateway.config.policy_models import PolicyConfig
from gateway.config.routers import build_new_router
from gateway.config.rules import TEXT
from gateway.rules.features import parse_defaults
from gateway.rules.parse import parse_condition
from gateway.rules.projections import parse_projections
from gateway.signals.registry import features
from providers.vendors import VENDORS
from routers.registry import build_estimator, build_router, build_rule, components
from tests.pages import PAGES, ROOT, Block, blocks
from tests.workspace import PORT, Workspace, matches, served_by_make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = [block for page in PAGES for block in blocks(page)]
RUN = ("bash", "python", "sql")


def runs(block: Block) -> bool:
    return (block.language in RUN and not block.directive.startswith("skip")) or block.directive.startswith("file ")


def needs_server(page: Path) -> bool:
    return any(PORT in block.code for block in blocks(page) if runs(block))


RUNNING = [page for page in PAGES if any(runs(block) for block in blocks(page))]
SERVED = [page for page in RUNNING if needs_server(page)]
ALONE = [page for page in RUNNING if not needs_server(page)]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Return a workspace whose gateway serves on a free port, started by the command of `make run`."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / ".venv").symlink_to(sys.prefix)
    said = folder / "said"
    with said.open("w") as output:
        process = subprocess.Popen(
            served_by_make(), cwd=folder, env=Workspace(folder).environment, stdout=output, stderr=output
        )
    try:
        while not (ready := re.search(r"ready at http://127\.0\.0\.1:(\d+)", said.read_text())):
            assert process.poll() is None, said.read_text()
            time.sleep(0.1)
        yield Workspace(folder, ready[1])
    finally:
        process.terminate()
        process.wait(30)


def perform_all(page: Path, workspace: Workspace) -> None:
    found = list(blocks(page))
    outputs = {id(block): after.code for block, after in pairwise(found) if after.directive == "output"}
    for block in filter(runs, found):
        workspace.perform(block, outputs.get(id(block)))


@pytest.mark.local
@pytest.mark.parametrize("page", SERVED, ids=named)
def test_commands_do_what_the_page_says(page, served):
    """The blocks of a page run in order against the gateway of `make run`."""
    perform_all(page, served)


@pytest.mark.parametrize("page", ALONE, ids=named)
def test_code_does_what_the_page_says(page, tmp_path):
    """The blocks of a page that needs no gateway run in order."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    perform_all(page, Workspace(tmp_path))


def completed_gateway(data: dict[str, Any]) -> dict[str, Any]:
    """Return a section of a gateway's file with what it needs to stand alone."""
    vendors = {name: {"vendor": name, "base_url": "http://127.0.0.1:9/v1"} for name in VENDORS}
    return {
        **data,
        "providers": {**vendors, **data.get("providers", {})},
        "models": {"example": {"provider": "vllm"}, **data.get("models", {})},
    }


#: The variables that the pages' examples read.
ENVIRONMENT = {
    "OPENAI_API_KEY": "k",
    "GROQ_API_KEY": "k",
    "OPENAI_KEYS": "k,l",
    "POINTSMAN_ADMIN_KEY": "an-admin-key-of-some-length",
    "REDIS_URL": "redis://redis:6379/0",
    "FEEDBACK_SECRET": "a-secret-for-the-tokens",
    "CHAT_KEY": "the-key-of-the-chat",
    "ANNA_KEY": "the-key-of-anna",
}


def check_yaml(data: dict[str, Any], folder: Path) -> None:
    """Check a gateway's file, a policy, or a part of either."""
    if set(data) <= set(GatewayConfig.model_fields):
        path = folder / "configs" / "example.yaml"
        path.write_text(yaml.safe_dump(completed_gateway(data)), encoding="utf-8")
        for policy in read_files(path, ENVIRONMENT).policies:
            build_new_router(policy.router)
    elif set(data) <= set(PolicyConfig.model_fields):
        check_policy(PolicyConfig.model_validate({"name": "p", "router": {"type": "random"}, **data}))
    elif set(data) == {"when"}:
        parse_condition(data["when"], {**features(), **TEXT})
    else:
        builders = {"router": build_router, "estimator": build_estimator, "rule": build_rule}
        (kind,) = (kind for kind in builders if data["type"] in components(kind))
        builders[kind](data)


def check_policy(policy: PolicyConfig) -> None:
    """Check a policy's routers, projections, defaults and conditions; models may be any."""
    for router in (policy.router, *(rule.router for rule in policy.rules if rule.router)):
        build_router(router)
    projections = parse_projections(policy.projections, {**features(), **TEXT})
    parse_defaults(policy.defaults, features())
    for rule in policy.rules:
        if rule.when:
            parse_condition(rule.when, {**features(), **TEXT, **projections.provides})


@pytest.mark.parametrize(
    "block",
    [block for block in ALL if block.language == "yaml" and not block.directive],
    ids=lambda block: block.place,
)
def test_yaml_is_good(block, tmp_path):
    """What a page shows can be written like that; what it writes to a file, its own commands read."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")

    check_yaml(yaml.safe_load(block.code), tmp_path)


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "json"], ids=lambda block: block.place)
def test_json_is_good(block):
    """What a page shows as JSON is JSON."""
    assert json.loads(block.code)


@pytest.mark.parametrize("block", ALL, ids=lambda block: block.place)
def test_every_block_is_checked_or_says_why_not(block):
    """A block has a language that the tests know, and a comment that they understand."""
    word, reason = block.directive.partition(" ")[0], block.argument

    assert block.language in {*RUN, "yaml", "json", "text", "toml"}
    assert word in {"", "skip", "output", "until", "file"}
    assert bool(reason) == (word in {"skip", "file"})


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_output_follows_what_prints_it(page):
    """An output that nothing is compared with would promise what nobody checks."""
    pairs = list(pairwise(blocks(page)))

    assert [] == [after.place for before, after in pairs if after.directive == "output" and not runs(before)]


@pytest.mark.parametrize(
    ("expected", "output", "is_met"),
    [
        ("a ... c\n", "x\na b c\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\nb\n", "  a  \n  b\n", True),
        ("a b\n", "a c\n", False),
        ("b\n...\na\n", "a\nb\n", False),
        ("1.0\n", "1x0\n", False),
    ],
)
def test_outputs_are_compared(expected, output, is_met):
    """Three dots stand for anything, also for lines; all else is meant as written, but for margins."""
    assert is_met == matches(expected, output)


def test_the_reference_is_current():
    """`python docs/generate.py` writes it anew."""
    assert configuration() == GENERATED.read_text(encoding="utf-8")
