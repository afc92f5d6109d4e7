"""Lets coverage lead the way through what reads bytes from outside: streams, answers, and request bodies.

Needs the package atheris, which goes with few versions of Python. The options are libFuzzer's, as in
`python benchmarks/fuzz_atheris.py -max_total_time=60`. An input that raises anything but what is expected is written to
the current folder.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["providers"]):
    from providers.adapters.openai import OpenAIAdapter
    from providers.chat import InvalidBody, edited, parse_chat
    from providers.errors import ProviderError

ASK = parse_chat(b'{"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": true}')
ADAPTER = OpenAIAdapter()


def one(data: bytes) -> None:
    """Read bytes as all that they may be; the first says where a stream is cut."""
    _stream(data[1:], data[0] if data else 0)
    with suppress(ProviderError):
        ADAPTER.as_events(ADAPTER.decode(data), ASK)
    with suppress(InvalidBody):
        edited(parse_chat(data), {"model": "other"})


def _stream(data: bytes, place: int) -> None:
    decoder = ADAPTER.stream_decoder(ASK)
    with suppress(ProviderError):
        for piece in (data[:place], data[place:], b"\n\n"):
            for event in decoder.feed(piece):
                if not event.endswith((b"\n", b"\r")):
                    raise RuntimeError(f"an event without an end: {event!r}")
    decoder.produced()


def main() -> None:
    """Hand over to libFuzzer."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
