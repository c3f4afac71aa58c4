"""Every kind of client comes back by itself after a restart, whether the server said goodbye or was killed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.guests import POLLING, UPGRADE, WEBSOCKET
from tests.support.node import NEWEST, ClientProcess, NodeGuest
from tests.support.program import ROOT, Program, free_port

pytestmark = [pytest.mark.faults, pytest.mark.slow]

PATIENCE_S = 60.0
TRANSPORTS = {"polling": POLLING, "upgrade": UPGRADE, "websocket": WEBSOCKET}


def python_guest(python: Path, mode: str) -> Callable[[str, list[str]], ClientProcess]:
    script = Path(__file__).with_name("python_guest.py")
    return lambda url, transports: ClientProcess([str(python), str(script), url, mode, *transports], ROOT)


def node_guest(library: str) -> Callable[[str, list[str]], ClientProcess]:
    return lambda url, transports: NodeGuest(url, library=library, transports=transports)


def of_version(version: str) -> Path:
    """The Python with this python-socketio, which `make faults` installs."""
    return ROOT / ".venv" / f"python-socketio-{version}" / "bin" / "python"


Guests = dict[str, Callable[[str, list[str]], ClientProcess]]

INSTALLED: Guests = {
    "socket.io-client 4.8": node_guest(NEWEST),
    "python-socketio 5.18 sync": python_guest(Path(sys.executable), "sync"),
}
ALL: Guests = {
    **{f"{NEWEST} {version}": node_guest(f"{NEWEST}-{version}") for version in ("3.0", "3.1", "4.0", "4.7")},
    **INSTALLED,
    **{
        f"python-socketio {version} {mode}": python_guest(of_version(version), mode)
        for version, mode in (("5.0", "sync"), ("5.0", "async"), ("5.18", "async"))
    },
}


def says_closing(happening: dict[str, Any]) -> bool:
    return bool(happening["event"] == "msg" and happening["frames"][0].get("code") == "closing")


def is_in(happening: dict[str, Any]) -> bool:
    return happening["event"] == "msg" and "you" in happening["frames"][0]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_every_client_comes_back_after_a_restart(
    tmp_path: Path, scale: Callable[[int], int], report: Callable[[str], None], end: signal.Signals
) -> None:
    kinds = ALL if scale(20) > 1 else INSTALLED
    with ExitStack() as stack:
        program = stack.enter_context(Program("--limits", "off", data_dir=tmp_path, port=free_port()))
        guests: dict[str, ClientProcess] = {}
        for kind, start in kinds.items():
            for transport, transports in TRANSPORTS.items():
                guest = guests[f"{kind}, {transport}"] = start(program.url, transports)
                stack.callback(guest.leaves)
        for name, guest in guests.items():
            assert guest.counts(is_in, 1, PATIENCE_S), f"{name} never got in"
        program.signal(end)
        program.wait()
        stack.enter_context(Program("--limits", "off", data_dir=tmp_path, port=program.port))
        stayed_away = []
        for name, guest in guests.items():
            told = end is signal.SIGKILL or guest.counts(says_closing, 1, PATIENCE_S)
            back = guest.counts(is_in, 2, PATIENCE_S)
            report(
                f"{end.name}: {name}: {'back' if back else 'stayed away'}{'' if told else ', was not told'}"
            )
            if not (told and back):
                stayed_away.append(name)
        assert stayed_away == []
