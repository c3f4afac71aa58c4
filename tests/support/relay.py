"""A relay to the server that can be held in either direction, cut and restored, with TLS at its near end if wanted."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.support.guests import WAIT_S, until

_Result = TypeVar("_Result")


class Relay:
    """Passes bytes both ways; what happens on it happens in one thread of its own.

    Args:
        port: the server's, on 127.0.0.1.
        tls: ends TLS here, as a proxy in front of the server does.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = port
        self._tls = tls
        self._is_cut = False
        self._held = {"in": 0, "out": 0}  # bytes that wait
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._do(self._listen())
        self.url = f"{'http' if tls is None else 'https'}://localhost:{self.port}"
        self.passed = {"in": 0, "out": 0}  # connections do not matter: bytes since the beginning

    def hold(self, way: str) -> None:
        """What goes "in" to the server, or "out" to the client, waits on the way."""
        self._call(self._gates[way].clear)

    def waits(self, way: str) -> None:
        """Wait until something is held on that way."""
        until(lambda: self._held[way] > 0, f"something that waits on its way {way}")

    def release(self, way: str) -> None:
        self._call(self._gates[way].set)

    def cut(self) -> None:
        """Every connection breaks, what is held is lost, and new ones are refused."""
        self._call(self._cut)

    def restore(self, port: int | None = None) -> None:
        """New connections pass again, freely; to another server if a port is given."""
        self._target = port or self._target

        def restore() -> None:
            self._is_cut = False
            for gate in self._gates.values():
                gate.set()

        self._call(restore)

    def close(self) -> None:
        self._call(self._cut)
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def _call(self, act: Callable[[], None]) -> None:
        async def run() -> None:
            act()

        self._do(run())

    def _do(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_S)

    async def _listen(self) -> int:
        self._gates = {"in": asyncio.Event(), "out": asyncio.Event()}
        for gate in self._gates.values():
            gate.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "localhost", 0, ssl=self._tls)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        ways = (self._pass("in", reader, far_writer), self._pass("out", far_reader, writer))
        tasks = {asyncio.create_task(way) for way in ways}
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.close()  # what is written already still goes out
        self._ends -= ends
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= tasks

    async def _pass(self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                self._held[way] += len(data)
                try:
                    await self._gates[way].wait()
                finally:
                    self._held[way] -= len(data)
                sink.write(data)
                await sink.drain()
        except (OSError, ssl.SSLError):
            pass  # either end may break at any moment: that is what this is for


class Authority:
    """Who makes certificates that only this test trusts, with the `openssl` program.

    Args:
        folder: an empty one, to keep them in.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._run("-subj", "/CN=Test authority", "-keyout", self._key, "-out", self.file)

    def context(self, host: str, days: int = 2) -> ssl.SSLContext:
        """What a server needs that proves to be `host`."""
        name = host.replace("*", "any")
        key, certificate = self._folder / f"{name}.key", self._folder / f"{name}.pem"
        self._run(
            *("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"),
            *("-addext", "basicConstraints=critical,CA:FALSE", "-CA", self.file, "-CAkey", self._key),
            *("-keyout", key, "-out", certificate),
            days=days,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def _run(self, *arguments: object, days: int = 2) -> None:
        command = [
            "openssl",
            "req",
            "-x509",
            "-noenc",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]
        subprocess.run(
            [*command, "-days", str(days), *map(str, arguments)], check=True, capture_output=True, timeout=30
        )
