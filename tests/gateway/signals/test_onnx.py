import os
import subprocess
import sys

from tests.processes import ROOT


def test_the_runtime_keeps_what_it_knows_to_itself(tmp_path):
    """It would leave an identifier in the home folder, and send it away."""
    command = "from gateway.signals.encoder import open_encoder; open_encoder('minilm').encode(['hello'])"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, env=environment, check=True, timeout=60)

    assert [] == [path for path in tmp_path.rglob("*") if "onnxruntime" in str(path).lower()]
