"""Asks a gateway how it is, for images that have neither a shell nor curl to do it with.

`python -m gateway.probe [URL]` ends with 0 where the answer is 200, and else with 1 and a line that says why. It runs
every few seconds, so it is no subcommand of `pointsman`: it needs the standard library only, and little of that.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

URL = "http://127.0.0.1:8080/readyz"
#: Seconds that an answer may take. Whoever runs the probe should wait longer, or nobody hears why it failed.
TIMEOUT_S = 2.0


def problem(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Return what is wrong with the gateway at an address; None where it answers 200."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"{url!r} is no address: {error}"
    if parts.scheme != "http" or host is None:
        return f"{url!r} is no http:// address; the default is {URL}"
    connection = HTTPConnection(host, port or 80, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/", headers={"connection": "close"})
        answer = connection.getresponse()
    except (OSError, HTTPException) as error:
        return f"{url}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"{url}: {answer.status} {answer.reason}"


def main(arguments: list[str]) -> str | None:
    """Return what is wrong, in the form that `sys.exit` takes."""
    if len(arguments) > 1:
        return f"probe: give one address, not {len(arguments)}; without any it is {URL}"
    found = problem(arguments[0] if arguments else URL)
    return None if found is None else f"probe: {found}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
