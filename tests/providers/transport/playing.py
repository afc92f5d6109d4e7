"""A server that writes byte for byte what it is told to, a transport to ask it with, and an authority for TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers.transport import Transport
from tests.wire import stop_accepting

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Play = Callable[[Reader, Writer], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


class Server:
    """Plays `play` for each request, which it reads first; counts connections, and keeps what was sent."""

    def __init__(self, play: Play, *, reads: bool) -> None:
        self.play = play
        self.reads = reads
        self.connections = 0
        self.requests: list[bytes] = []
        self.gone = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def serve(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while True:
                if self.reads:
                    self.requests.append(await read_request(reader))
                await self.play(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()


async def read_request(reader: Reader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if b"content-length:" in line), 0)
    return head + await reader.readexactly(length)


@contextlib.asynccontextmanager
async def serving(play: Play, tls: ssl.SSLContext | None = None, *, reads: bool = True) -> AsyncIterator[Server]:
    server = Server(play, reads=reads)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls) as listener:
        port = listener.sockets[0].getsockname()[1]
        server.url = f"{'https' if tls else 'http'}://localhost:{port}/v1/x" if tls else f"http://127.0.0.1:{port}/v1/x"
        yield server
        await stop_accepting(listener)
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks)


@contextlib.asynccontextmanager
async def transport(
    *, most: int | None = None, idle: int = 8, idle_s: float = 30, tls=None
) -> AsyncIterator[Transport]:
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=idle, keepalive_expiry=idle_s)
    made = Transport(tls or ssl.create_default_context(), limits)
    yield made
    await made.aclose()
    await asyncio.sleep(0.01)


def writing(*pieces: bytes | float, close: bool = False) -> Play:
    async def play(_: Reader, writer: Writer) -> None:
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                writer.write(piece)
                await writer.drain()
        if close:
            raise ConnectionError

    return play


def authority(folder) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server for `localhost` shows, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    pem.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
