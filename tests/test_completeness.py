"""Nothing is left out: what there is, is documented, has an example, and can be found."""

from __future__ import annotations

import ast
import inspect
import random
import re
from typing import TYPE_CHECKING

import pytest
import typer
import yaml

import gateway.errors
import gateway.failures
import gateway.feedback.errors
import gateway.identity.errors
import gateway.keys.errors
import gateway.quotas.errors
import providers.errors
import providers.types
import routers.types
from gateway.cli.main import app
from gateway.config.files import read_files
from gateway.config.policies import build_policies
from gateway.counters import Family
from gateway.metrics import Metrics
from gateway.profiling.probes import load_probes
from gateway.workers.tally import Tally
from providers.vendors import LOCAL, VENDORS
from routers.registry import BUILT_IN, describe
from routers.types import Context
from tests.pages import PAGES, ROOT, anchors, links, section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import ModuleType

DOCS = ROOT / "docs"
ERRORS = [
    gateway.errors,
    gateway.failures,
    gateway.feedback.errors,
    gateway.identity.errors,
    gateway.keys.errors,
    gateway.quotas.errors,
    providers.errors,
]
POLICIES = sorted((ROOT / "configs" / "policies").glob("*.yaml"))
COMPONENTS = [(kind, name) for kind, known in BUILT_IN.items() for name in known]
MODULES = sorted(path for package in ("gateway", "routers", "providers") for path in (ROOT / package).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


#: Options that hold components of a kind under a name of their own.
LISTS = {"members": "estimator", "gates": "gate"}


def written_types(value: object, key: str = "router") -> Iterator[tuple[str, str]]:
    """Yield every component that a policy's router names, as (kind, name)."""
    if isinstance(value, list):
        for part in value:
            yield from written_types(part, LISTS.get(key, key))
    if isinstance(value, dict):
        if "type" in value:
            yield key, value["type"]
        for inner, part in value.items():
            yield from written_types(part, inner)


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_every_component_is_documented(kind, name):
    """It has a section in docs/routers.md, which names its options and an example."""
    text = section(DOCS / "routers.md", name)
    own = [option.name for option in describe(kind)[name] if option.name not in {"floor", "total"}]

    assert ".yaml](../configs/policies/" in text
    assert [] == [option for option in own if f"`{option}`" not in text]


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_every_component_has_an_example(kind, name):
    """Some policy in configs/policies uses it."""
    used = {found for path in POLICIES for found in written_types(yaml.safe_load(path.read_text())["router"])}

    assert (kind, name) in used


@pytest.mark.parametrize("path", POLICIES, ids=named)
def test_every_example_is_good(path, tmp_path):
    """It validates, is built over a pool of the models that the shipped gateways have, and decides."""
    gateways = [yaml.safe_load(file.read_text()) for file in (ROOT / "configs").glob("*.yaml")]
    models = {model: {"provider": "here"} for gateway in gateways for model in gateway["models"]}
    file = tmp_path / "gateway.yaml"
    file.write_text(
        yaml.safe_dump({"providers": {"here": {"vendor": "vllm"}}, "models": models, "policies": [str(path)]})
    )
    (policy,) = build_policies(read_files(file, {}), None).policies.values()
    assert path.stem == policy.name
    assert policy.description
    for route in policy.routes():
        call = next(route.router.plan(Context("hello", 2), route.pool, random.Random(0)))
        assert set(call.candidates) <= set(route.pool)
    assert "\n# " in path.read_text()


def shown() -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield every metric's name, kind and labels: of a process, and of the parent of several."""
    for metric in vars(Metrics()).values():
        if isinstance(metric, Family):
            yield metric._shape[0], metric._shape[2], metric._labels
        elif hasattr(metric, "_labelnames"):
            yield metric._name, metric._type, metric._labelnames
    for family in Tally().families(()):
        yield family.name, family.type, ()


def test_every_metric_is_documented():
    """docs/metrics.md has each with its kind and its labels, and no other."""
    row = re.compile(r"^\| `(pointsman_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
    written = {
        name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in row.findall(text_of("metrics.md"))
    }
    suffix = {"counter": "_total"}
    expected = {name + suffix.get(kind, ""): (kind, set(labels)) for name, kind, labels in shown()}

    assert expected == written


@pytest.mark.parametrize("module", ERRORS, ids=lambda module: module.__name__)
def test_every_error_is_documented(module):
    """docs/http.md has the code of every class."""
    classes = [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, Exception)]
    codes = {code for c in classes if isinstance(code := getattr(c, "code", None), str)}

    assert codes
    assert set() == {code for code in codes if f"`{code}`" not in text_of("http.md")}


def test_every_code_is_documented():
    """So are the codes that are given where an error is raised."""
    given = re.compile(r'code\s*=\s*"(\w+)"|error_body\(\d+, .*?"(\w+)"\)|else "(\w+)"$', re.MULTILINE)
    files = [*(ROOT / "gateway" / "api").glob("*.py"), ROOT / "gateway" / "app.py", ROOT / "gateway" / "dial.py"]
    codes = {code for file in files for found in given.findall(file.read_text()) for code in found if "_" in code}

    assert {"invalid_dial", "missing_required_parameter", "store_unavailable", "internal_error"} <= codes
    assert set() == {code for code in codes if f"`{code}`" not in text_of("http.md")}


def test_every_path_is_documented():
    """docs/http.md has each path that the application serves."""
    paths = set(
        re.findall(
            r'@router\.(get|post|patch|delete)\(\s*"([^"]+)"',
            "".join(p.read_text() for p in (ROOT / "gateway" / "api").glob("*.py")),
        )
    )
    written = {path.replace("{model:path}", "{model}") for _, path in paths}

    assert "/chat/completions" in written
    assert set() == {path for path in written if path not in text_of("http.md")}


def test_every_header_is_documented():
    """docs/http.md has each header of ours that is read or written."""
    headers = {name for path in MODULES for name in re.findall(r"\"(x-pointsman-[a-z-]+)\"", path.read_text())}

    assert headers
    assert set() == {name for name in headers if f"`{name}`" not in text_of("http.md")}


@pytest.mark.parametrize("vendor", [*VENDORS, LOCAL.name])
def test_every_vendor_is_documented(vendor):
    """The reference has a row for it."""
    assert f"`{vendor}`" in text_of("configuration.md")


def test_every_command_is_documented():
    """docs/commands.md has a section for each that users start, which names its options."""
    found = typer.main.get_command(app).commands
    commands = {name: command for name, command in found.items() if not command.hidden}
    missing = [
        f"{name} {option}"
        for name, command in commands.items()
        for option in ["", *(o for p in command.params for o in p.opts if o.startswith("--"))]
        if option not in {"--config", "--help"} and option not in (section(DOCS / "commands.md", name) or "\0")
    ]

    assert {"serve", "check", "profile", "train", "onboard", "evaluate", "tune", "log", "schema"} <= set(commands)
    assert [] == missing


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "docs/tutorial.md"])
def test_the_number_of_questions_is_right(page):
    """A page that says how many questions are included says how many there are."""
    assert str(len(load_probes())) in (ROOT / page).read_text()


def public_classes(module: ModuleType) -> list[str]:
    return [node.name for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("module", [routers.types, providers.types], ids=lambda module: module.__name__)
def test_every_promised_name_is_documented(module):
    """docs/plugins.md has each class of the modules that others may build on."""
    text = section(DOCS / "plugins.md", module.__name__)

    assert [] == [name for name in public_classes(module) if f"`{name}`" not in text]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_has_a_docstring(path):
    """It says in a sentence what the module is."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_every_page_is_linked_from_the_index():
    """Nothing is written that nobody finds."""
    index = DOCS / "index.md"
    linked = {(DOCS / link).resolve() for link in links(index)}

    assert [] == [named(page) for page in sorted(DOCS.rglob("*.md")) if page != index and page not in linked]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    """Relative links name files that are there, and headings that they have."""
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" in link or (target.exists() and (not anchor or anchor in anchors(target))):
            continue
        broken.append(link)

    assert [] == broken


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("*.md")), ids=named)
def test_every_decision_has_its_three_parts(page):
    """Context, decision, consequences; and a number that is the file's."""
    assert page.read_text().startswith(f"# {page.name[:4]} ")
    assert {"context", "decision", "consequences"} <= anchors(page)
