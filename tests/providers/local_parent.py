"""Serve a local model until something worse than an end comes: prints the model's process id and address."""

import asyncio
import sys

from providers.local import LocalModel, LocalServer


async def main():
    """Serve the weights named on the command line."""
    server = LocalServer(LocalModel(sys.argv[1]))
    base_url = await server.start()
    sys.stdout.write(f"{server.pid} {base_url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
