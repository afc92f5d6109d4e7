"""Record numbered decisions in a file, a line of output each, until SIGTERM (or something worse) comes.

A line is the number and the time at which it was recorded, in seconds of the monotonic clock, which all
processes of a machine share. The last line after SIGTERM is "closed".
"""

import asyncio
import signal
import sys
import time
from pathlib import Path

from gateway.recorder import Recorder
from gateway.store.checks import build_decision
from gateway.store.sqlite import SQLiteStore


async def main(path):
    """Record about one decision a millisecond."""
    recorder = Recorder(SQLiteStore.open(path), on_dropped=sys.exit, on_error=sys.exit)
    recorder.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    number = 0
    while not stop.is_set():
        recorder.record(build_decision(number))
        sys.stdout.write(f"{number} {time.monotonic()}\n")
        sys.stdout.flush()
        number += 1
        await asyncio.sleep(0.001)
    await recorder.aclose()
    sys.stdout.write("closed\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
