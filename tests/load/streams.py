"""Memory while thousands of streams of events are open, each at rest between two events."""

import asyncio
import resource
import time

from parties import NAMES, Parties, free_port

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b"d\r\ndata: token\n\n\r\n"


def measure(number: int) -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < 2 * number + 200:
        raise SystemExit(f"{number} streams need {2 * number + 200} descriptors here, and the limit is {most}")
    return asyncio.run(run(number))


async def run(number: int) -> int:
    port = free_port()
    api = Api()
    server = await asyncio.start_server(api.serve, "127.0.0.1", port, backlog=4096)
    async with server:
        with Parties(upstream=port) as parties:
            print(f"\n{number} open streams of events")
            print("| | at rest, MiB | with them, MiB | KiB each | event to all, ms |")
            print("|---|---|---|---|---|")
            for name in NAMES:
                before = parties.memory(name)
                clients = await open_streams(parties.ports[name], number)
                slowest = await pass_on(api, clients)
                held = parties.memory(name)
                each = (held - before) / number / 1024
                print(
                    f"| {name} | {before / 2**20:.0f} | {held / 2**20:.0f} | {each:.1f} | {slowest * 1000:.0f} |",
                    flush=True,
                )
                for _, writer in clients:
                    writer.close()
                await api.left()
    return 0


class Api:
    """Answers each request with an endless stream of events."""

    def __init__(self) -> None:
        self._streams: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + EVENT)
            self._streams.add(writer)
            # Nothing more comes but the end.
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._streams.discard(writer)
            self._changed.set()
            writer.close()

    def say(self) -> None:
        for writer in self._streams:
            writer.write(EVENT)

    async def left(self) -> None:
        while self._streams:
            self._changed.clear()
            await self._changed.wait()


async def open_streams(port: int, number: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Each has had its first event."""
    few = asyncio.Semaphore(200)

    async def one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with few:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head, head
            await reader.readuntil(b"token\n\n")
            return reader, writer

    return await asyncio.gather(*(one() for _ in range(number)))


async def pass_on(api: Api, clients: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> float:
    """Seconds until an event has reached everybody."""
    began = time.monotonic()
    api.say()
    await asyncio.gather(*(reader.readuntil(b"token\n\n") for reader, _ in clients))
    return time.monotonic() - began
