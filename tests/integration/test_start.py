"""What a gateway costs that does nothing yet."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import write_config
from tests.processes import ROOT, started

#: What only some configurations need, each of which is dear to import.
DEAR = [
    "cryptography",
    "fasttext",
    "genai_prices",
    "jwt",
    "matplotlib",
    "onnxruntime",
    "pyarrow",
    "redis",
    "scipy",
    "sklearn",
    "torch",
]
AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}


def test_a_plain_gateway_imports_nothing_that_it_does_not_need(tmp_path, upstream):
    """From the command line to the first answer it could give."""
    path = write_config(tmp_path, upstream.url, AUTO)
    code = (
        "import asyncio, sys, gateway.cli.main, gateway.server\n"
        "from pathlib import Path\n"
        "from gateway.application import Gateway\n"
        "async def main():\n"
        f"    gateway = Gateway(Path({str(path)!r}), {{}})\n"
        "    await gateway.open()\n"
        "    await gateway.aclose()\n"
        "asyncio.run(main())\n"
        f"print(sorted(set({DEAR}) & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]\n" == found.stdout


def test_a_plain_gateway_is_small(tmp_path, upstream):
    """Less than 150 MB while it waits for its first request."""
    with started(write_config(tmp_path, upstream.url, AUTO)) as process:
        status = Path(f"/proc/{process.popen.pid}/status").read_text()

    assert int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) < 150_000
