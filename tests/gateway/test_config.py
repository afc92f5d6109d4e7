from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.candidates import build_candidates
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.policies import build_policies
from gateway.config.schema import schemas

CONFIGS = Path(__file__).parents[2] / "configs"
KEYS = {
    "OPENAI_API_KEY": "sk-test",
    "GROQ_API_KEY": "gsk-test",
    "SUPPORT_KEY": "a",
    "ANALYSTS_KEY": "b",
    "REDIS_URL": "redis://redis:6379/0",
    "POINTSMAN_ADMIN_KEY": "an-admin-key-of-some-length",
}
GATEWAY = """\
providers:
  here: {vendor: vllm}
models:
  small: {provider: here, price: {input: 1, output: 2}}
  large: {provider: here}
policies: [p.yaml]
"""
POLICY = """\
name: p
router:
  type: estimating
  estimator: {type: constant}
  rule: {type: greedy}
fallback: [large]
"""


def read(folder: Path, gateway: str = GATEWAY, policy: str = POLICY, environment: dict[str, str] | None = None):
    (folder / "gateway.yaml").write_text(gateway)
    (folder / "p.yaml").write_text(policy)
    files = read_files(folder / "gateway.yaml", environment or {})
    build_policies(files, None)
    return files


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_configuration_is_good(path):
    """Names, references, policies and learned state fit together."""
    files = read_files(path, KEYS)

    assert files.policies


@pytest.mark.parametrize(("name", "text"), schemas().items())
def test_the_published_schemas_are_those_of_the_models(name, text):
    """`make schema` writes them anew."""
    assert text == (CONFIGS / name).read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("gateway", "vendor: vllm", "vendor: vlm", "gateway.yaml:2: providers.here.vendor: no vendor 'vlm'; did you mean 'vllm'?"),
        ("gateway", "vendor: vllm", "vendr: vllm", "gateway.yaml:2: providers.here.vendr: unknown option; did you mean 'vendor'?"),
        ("gateway", "provider: here,", "provider: her,", "gateway.yaml:4: models.small.provider: no provider 'her'; did you mean 'here'?"),
        ("gateway", "input: 1,", "input: -1,", "gateway.yaml:4: models.small.price.input: Input should be greater than or equal to 0, not -1"),
        ("gateway", "output: 2", "outptu: 2", "gateway.yaml:4: models.small.price.outptu: unknown option; did you mean 'output'?"),
        ("gateway", "  large:", "  small:", "gateway.yaml:5: models.small: is there twice"),
        ("gateway", "  large:", "  large:x:", "gateway.yaml:5: models.large:x: String should match pattern"),
        ("gateway", "vendor: vllm", "vendor: openai", "gateway.yaml:2: providers.here: needs a key: set OPENAI_API_KEY"),
        ("gateway", "vendor: vllm", "vendor: azure", "gateway.yaml:2: providers.here: vendor 'azure' needs a base_url"),
        ("gateway", "vendor: vllm", "vendor: vllm, base_url: 'http://foo..bar/v1'", "gateway.yaml:2: providers.here.base_url: Value error, is no address: "),
        ("gateway", "vendor: vllm", "vendor: vllm, base_url: 'http:///v1'", "gateway.yaml:2: providers.here.base_url: Value error, names no host"),
        ("gateway", "vendor: vllm", "vendor: local", "gateway.yaml:2: providers.here.weights: is missing"),
        ("gateway", "vendor: vllm", "vendor: vllm, api_key: '${NO_SUCH}'", "gateway.yaml:2: providers.here.api_key: the environment variable NO_SUCH is not set"),
        ("gateway", "policies: [p.yaml]", "policies: [q.yaml]", "q.yaml: cannot be read: No such file"),
        ("gateway", "policies: [p.yaml]", "server: {host: 0.0.0.0}", "gateway.yaml:6: server.host: '0.0.0.0' is open to other machines"),
        ("gateway", "models:", "models: [", "gateway.yaml:5: is not YAML"),
        ("p", "type: greedy", "type: greedi", "p.yaml:5: router.rule.type: unknown rule 'greedi'"),
        ("p", "type: constant", "type: knn, neighbors: 3", "p.yaml:4: router.estimator.neighbors: unknown option; did you mean 'neighbours'?"),
        ("p", "type: constant", "type: knn, neighbours: many", "p.yaml:4: router.estimator.neighbours: must be int, not 'many'"),
        ("p", "fallback: [large]", "fallback: [larg]", "p.yaml:6: fallback.0: 'larg' is not in the pool; did you mean 'large'?"),
        ("p", "fallback: [large]", "pool: [smal]", "p.yaml:6: pool.0: 'smal' is not in models; did you mean 'small'?"),
        ("p", "  type: estimating\n  estimator: {type: constant}\n  rule: {type: greedy}", "  {type: fixed, model: smal}", "p.yaml:2: router: 'smal' is not in the pool; did you mean 'small'?"),
        ("p", "  estimator: {type: constant}", "  utility: {type: threshold, strong: larg}\n  estimator: {type: constant}", "p.yaml:2: router: 'larg' is not in the pool; did you mean 'large'?"),
        ("p", "{type: constant}", "\n    type: ensemble\n    members:\n    - type: constant\n    - type: knn\n      neighbour: 3", "p.yaml:9: router.estimator.members.1.neighbour: unknown option; did you mean 'neighbours'?"),
        ("p", "{type: constant}", "\n    type: ensemble\n    members:\n    - type: constant\n    - {type: knm}", "p.yaml:8: router.estimator.members.1.type: unknown estimator 'knm'; did you mean 'knn'? known are"),
        ("p", "  type: estimating\n  estimator: {type: constant}\n  rule: {type: greedy}", "  {type: weighted, weights: {small: 1, larg: 2}}", "p.yaml:2: router: 'larg' is not in the pool; did you mean 'large'?"),
        ("p", "name: p", "name: small", "p.yaml:1: name: 'small' is the name of a model already"),
        ("p", "name: p", "limits: {ttft: 1}\nname: p", "p.yaml:1: limits.ttft: unknown option; did you mean 'ttft_s'?"),
    ],
)  # fmt: skip
def test_errors_name_the_file_the_line_and_the_remedy(tmp_path, file, old, new, said):
    """A user finds the place without searching."""
    texts = {"gateway": GATEWAY, "p": POLICY}
    texts[file] = texts[file].replace(old, new)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, texts["gateway"], texts["p"])

    assert said in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    """One run shows every mistake of a file."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, GATEWAY.replace("input: 1", "input: x").replace("vendor: vllm", "vendor: vllm, x: 1"))

    assert 2 == len(str(caught.value).splitlines())


def test_the_digest_is_of_what_was_read(tmp_path):
    """What is written while a configuration is being opened is a change still to be taken, and not already in force."""
    files = read(tmp_path)
    digest = files.digest
    (tmp_path / "p.yaml").write_text(POLICY.replace("greedy", "softmax"))

    assert digest == files.digest
    assert digest != read_files(tmp_path / "gateway.yaml", {}).digest


def test_variables_come_from_the_environment(tmp_path):
    """`${NAME}` and `${NAME:-other}`; an empty other leaves the default."""
    gateway = GATEWAY + "server: {port: '${PORT:-9000}', api_keys: '${KEYS:-}'}\n"

    assert 9000 == read(tmp_path, gateway).config.server.port
    assert 80 == read(tmp_path, gateway, environment={"PORT": "80"}).config.server.port
    assert () == read(tmp_path, gateway).config.server.keys
    assert ("a", "b") == read(tmp_path, gateway, environment={"KEYS": "a, b"}).config.server.keys


def test_secrets_are_never_shown(tmp_path):
    """Neither in what prints a configuration, nor in an error about it."""
    gateway = GATEWAY.replace("vendor: vllm", "vendor: vllm, api_key: sk-secret, headers: {x: sk-secret}")

    assert "sk-secret" not in repr(read(tmp_path, gateway).config)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, gateway.replace("api_key: sk-secret", "api_key: {k: sk-secret}"))
    assert "sk-secret" not in str(caught.value)


def test_prices_are_those_written_else_the_catalogues_else_unknown():
    """An unknown price is None, never zero."""
    files = read_files(CONFIGS / "providers.yaml", KEYS)
    candidates = build_candidates(files.config)

    assert candidates["gpt-5"][0].price is not None
    assert candidates["gpt-5"][0].context_window == 400_000
