"""Run an answer's function on the calls given on standard input; print what it returns, a line a call.

Runs inside the sandbox. Whatever goes wrong ends it: the calls that are left over have then failed.
"""

import json
import sys
from typing import Any

task = json.load(sys.stdin)
namespace: dict[str, Any] = {"__name__": "answer"}
exec(compile(task["source"], "answer.py", "exec"), namespace)  # noqa: S102  (the sandbox exists to do this)
for arguments in task["calls"]:
    value = namespace[task["function"]](*arguments)
    # The answer may have printed half a line.
    sys.stdout.write("\n" + task["nonce"] + json.dumps([value]) + "\n")
    sys.stdout.flush()
