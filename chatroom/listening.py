"""Where the server listens: its sockets, the addresses they are announced under, errors that say how to fix them."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address

from chatroom.net.listeners import listen
from chatroom.settings import Settings
from chatroom.startup import Started, StartError, Terminal, plain_lines, terminal_lines

log = logging.getLogger(__name__)


def open_web(settings: Settings) -> list[socket.socket]:
    """Open the sockets that pages and bots connect to.

    Raises:
        StartError: the address is not available.
    """
    shown = f"{settings.host or '*'}:{settings.port}"
    try:
        return listen(settings.host, settings.port.number, backlog=settings.backlog)
    except socket.gaierror:
        raise StartError(f"--host {settings.host} is not an address of this machine") from None
    except OSError as problem:
        cures = {
            errno.EADDRINUSE: f"port {settings.port} is in use; stop what uses it or choose another with --port",
            errno.EADDRNOTAVAIL: f"--host {settings.host} is not an address of this machine",
            errno.EACCES: f"port {settings.port} needs more privileges; choose one above 1023 with --port",
        }
        text = cures.get(problem.errno or 0, f"cannot listen on {shown}: {problem.strerror}")
        raise StartError(text) from None


def open_line(settings: Settings) -> list[socket.socket]:
    """Open the line gateway's sockets; none if it is off, or if its default port is taken.

    Raises:
        StartError: the address is not available.
    """
    port = settings.line_port
    if port is None:
        return []
    try:
        return listen(settings.line_host, port.number, backlog=settings.backlog)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE and not port.chosen:
            log.warning(
                "port %s is in use, so the line gateway is off; choose another with --line-port", port
            )
            return []
        cures = {
            errno.EADDRINUSE: f"port {port} is in use; choose another with --line-port, or off",
            errno.EACCES: f"port {port} needs more privileges; choose one above 1023 with --line-port",
        }
        no_address = f"--line-host {settings.line_host} is not an address of this machine"
        raise StartError(cures.get(problem.errno or 0, no_address)) from None


def announce(
    settings: Settings, listeners: Sequence[socket.socket], line_listeners: Sequence[socket.socket]
) -> None:
    """Print to standard error where the server listens.

    Raises:
        StartError: standard error cannot be written, as on a full disk.
    """
    started = _started(settings, listeners, line_listeners)
    if settings.log_json:
        for line in plain_lines(started):
            log.info(line)
        return
    terminal = Terminal.of(sys.stderr, os.environ)
    lines = plain_lines(started) if terminal is None else terminal_lines(started, terminal, settings.lang)
    try:
        print(*lines, sep="\n", file=sys.stderr, flush=True)
    except BrokenPipeError:
        pass  # its reader has gone, as in `| head`
    except OSError as problem:
        raise StartError(
            f"cannot write to standard error ({problem.strerror}): free some space there, or send it elsewhere"
        ) from None


def _started(
    settings: Settings, listeners: Sequence[socket.socket], line_listeners: Sequence[socket.socket]
) -> Started:
    host, port = listeners[0].getsockname()[:2]
    others: str | None = host
    if settings.is_everywhere:
        host, others = "127.0.0.1", _own_address()
    elif ip_address(host.partition("%")[0]).is_loopback:
        others = None
    line_url = None
    if line_listeners:
        line_url = _url("telnet", *line_listeners[0].getsockname()[:2])
    return Started(
        url=_url("http", host, port) + settings.base_path,
        network_url=None if others is None else _url("http", others, port) + settings.base_path,
        line_url=line_url,
        folder=settings.data_dir.absolute() if settings.history else None,
    )


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _own_address() -> str | None:
    """This machine's address on its network; None if there is none. Nothing is sent.

    It is found by route, not by host name, which is 127.0.1.1 on many machines.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # A documentation address (RFC 5737); a datagram socket only looks up the route.
            probe.connect(("192.0.2.1", 9))
            address: str = probe.getsockname()[0]
            return address
    except OSError:
        return None
