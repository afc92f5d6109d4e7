import yaml

from gateway.config.files import read_files
from gateway.config.policies import build_policies
from routers.gates.encoding import comparing

GATEWAY = """\
providers:
  here: {vendor: vllm}
models:
  small: {provider: here}
policies: [p.yaml]
"""


def router_with(folder, gate):
    router = {"type": "cascade", "gate": gate, "router": {"type": "random"}}
    (folder / "gateway.yaml").write_text(GATEWAY)
    (folder / "p.yaml").write_text(yaml.safe_dump({"name": "p", "router": router}))
    return build_policies(read_files(folder / "gateway.yaml", {}), None).policies["p"].route.router


def test_a_gate_that_compares_texts_is_given_an_encoder(tmp_path):
    """However deep it is in others: unit vectors, one for each text."""
    router = router_with(tmp_path, {"type": "all_of", "gates": [{"type": "wellformed"}, {"type": "similarity"}]})
    (gate,) = comparing(router)
    vectors = gate.encode(["one text", "another"])

    assert 2 == len(vectors)
    assert all(abs(float(vector @ vector) - 1) < 1e-3 for vector in vectors)


def test_where_none_compares_texts_none_is_given(tmp_path):
    """Nothing is opened for it."""
    assert () == comparing(router_with(tmp_path, {"type": "wellformed"}))
