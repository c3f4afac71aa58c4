"""Settings: everything that the operator may choose.

Each setting is one record: a flag, an environment name, a unit, a default and one sentence. The parsers, `--help`, and
the test that keeps `docs/settings.md` true, all use it. This module does not know what the settings are for.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from chatroom import __version__, values
from chatroom.core.addresses import Network, parse_networks
from chatroom.core.arguments import PROG, Parser, nearest
from chatroom.values import LinePort, WebPort

_PREFIX = "CHATROOM_"
_OF_THE_TESTS = "CHATROOM_TEST_"
_PLATFORMS_PORT = "PORT"


class SettingsError(Exception):
    """A value that cannot be used; the text names the setting and the remedy, in one line."""


def _setting(
    default: Any, parse: Callable[[str], Any], help: str, *, unit: str = "", env: tuple[str, ...] = ()
) -> Any:
    return field(default=default, metadata={"parse": parse, "help": help, "unit": unit, "env": env})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, checked once; a name includes the unit where it is not obvious."""

    host: str = _setting("", str, "address to listen on; empty: every address, IPv4 and IPv6")
    port: WebPort = _setting(
        WebPort(5000), values.web_port, "port to listen on; 0 picks a free one", env=(_PLATFORMS_PORT,)
    )
    base_path: str = _setting(
        "", values.base_path, "path that a proxy does not remove from addresses, such as /chat"
    )
    allowed_origins: tuple[str, ...] = _setting(
        (), values.origins, "web origins allowed besides the page's own, separated by commas; * allows all"
    )
    trust_proxy: tuple[Network, ...] = _setting(
        (),
        parse_networks,
        "networks of proxies, separated by commas: X-Forwarded-For counts if it comes from one of them",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        values.hosts,
        "names of this server that people in its own network use, separated by commas; *.NAME allows all below NAME, "
        "* allows all",
    )
    names: Path | None = _setting(
        None, values.path, "file of names, one per line; default: the file that comes with the program"
    )
    lang: str = _setting(
        "en",
        values.one_of("en", "zh"),
        "language of the server's text unless a client asks for another: en or zh",
    )
    public_rooms: tuple[str, ...] = _setting(
        (), values.rooms, "rooms that /rooms lists besides the lobby, separated by commas"
    )

    line_host: str = _setting("127.0.0.1", str, "address of the line gateway; empty: every address")
    line_port: LinePort | None = _setting(
        LinePort(5267, chosen=False),
        values.line_port,
        "port of the line gateway, for telnet and nc; 0 picks a free one, off disables it",
    )
    line_idle_timeout_s: float = _setting(
        14_400.0,
        values.number(0.1, 604_800),
        "time without a whole line after which a line client is disconnected",
        unit="seconds",
    )

    data_dir: Path = _setting(
        Path("data"), values.path, "folder for messages and the token key; created if missing"
    )
    history: int = _setting(
        1000,
        values.whole(0, 1_000_000),
        "messages kept per room, besides those of the last hour; 0 keeps none on disk",
        unit="messages",
    )
    history_days: float = _setting(
        7.0, values.number(0.0001, 36_500), "how long messages are kept", unit="days"
    )
    data_limit_bytes: int = _setting(
        10**9,
        values.size,
        "disk space for all messages, such as 500MB or 1GB; the largest room loses its oldest first",
        unit="bytes",
    )
    durability: str = _setting(
        "full",
        values.one_of("full", "os"),
        "full: an acknowledged message survives a power cut; os: it survives a crash of the program",
    )

    limits: bool = _setting(
        True, values.on_off, "off removes all rate limits (benchmarks, trusted networks); size limits stay"
    )
    address_scale: float = _setting(
        1.0,
        values.number(0.01, 1_000_000),
        "multiplies the limits of an address, and those of a session that have no setting; 2 allows twice as much",
    )
    message_burst: int = _setting(
        8, values.whole(1, 10_000), "messages that a session may send at once", unit="messages"
    )
    message_rate: float = _setting(
        2.0, values.number(0.01, 10_000), "messages that a session may send on average", unit="messages/s"
    )
    event_burst: int = _setting(
        120, values.whole(1, 100_000), "events of any kind that a session may send at once", unit="events"
    )
    event_rate: float = _setting(
        40.0,
        values.number(0.01, 100_000),
        "events of any kind that a session may send on average",
        unit="events/s",
    )
    max_text: int = _setting(2000, values.whole(1, 16_000), "longest message", unit="characters")
    max_rooms: int = _setting(10_000, values.whole(1, 1_000_000), "occupied rooms at once", unit="rooms")
    max_room_people: int = _setting(
        10_000, values.whole(1, 1_000_000), "people in one room at once", unit="people"
    )
    max_connections: int = _setting(
        10_000,
        values.whole(1, 1_000_000),
        "connections at once, terminals included, as far as the limit of open files permits",
        unit="connections",
    )
    max_payload_bytes: int = _setting(
        100_000,
        values.whole(10_000, 10_000_000),
        "largest packet a client may send; a larger one closes its connection",
        unit="bytes",
    )
    outbox_limit_bytes: int = _setting(
        262_144,
        values.whole(16_384, 1_000_000_000),
        "bytes that may wait for a client that does not read; beyond this it is disconnected",
        unit="bytes",
    )
    backlog: int = _setting(
        4096, values.whole(1, 65535), "connections that the kernel may queue", unit="connections"
    )
    connect_timeout_s: float = _setting(
        30.0,
        values.number(0.1, 3600),
        "time that a connection has to join a room, and to upgrade from polling to WebSocket",
        unit="seconds",
    )
    ping_interval_s: float = _setting(25.0, values.number(0.1, 3600), "time between pings", unit="seconds")
    ping_timeout_s: float = _setting(
        20.0, values.number(0.1, 3600), "time that a client has to answer a ping", unit="seconds"
    )
    resume_grace_s: float = _setting(
        300.0,
        values.number(0, 86_400),
        "how long a name stays reserved after its connection was cut",
        unit="seconds",
    )
    token_days: float = _setting(
        30.0, values.number(0.01, 3650), "how long a resume token is valid", unit="days"
    )

    drain_delay_s: float = _setting(
        0.0,
        values.number(0, 600),
        "time between not ready and closing, so that a load balancer notices",
        unit="seconds",
    )
    log_json: bool = _setting(False, values.on_off, "log lines as JSON objects")

    @property
    def is_everywhere(self) -> bool:
        """Whether the server listens on every address of the machine."""
        return self.host in ("", "*", "::", "0.0.0.0")

    @classmethod
    def read(cls, argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Settings:
        """Read the flags, then the environment, then the defaults.

        Args:
            argv: the arguments after the program's name.
            environ: names beginning with `CHATROOM_`, and `PORT` by convention. `HOST` and `REDIS_URL` are not read:
                some shells export `HOST`, and `REDIS_URL` must not silently change how the server runs.

        Raises:
            SettingsError: a value cannot be used.
            SystemExit: `--help`, or an argument that is no setting (one line says which; exit code 2).
        """
        environ = os.environ if environ is None else environ
        flags = _parser().parse_args(argv)
        chosen: dict[str, Any] = {}
        for record in fields(cls):
            parse = record.metadata["parse"]
            flag_text = getattr(flags, record.name)
            sources = [(flag_text, flag_of(record.name))] if flag_text is not None else []
            sources += [(environ[name], name) for name in env_of(record.name) if name in environ]
            if sources:
                text, source = sources[0]
                try:
                    value = parse(text)
                    chosen[record.name] = (
                        replace(value, platforms=True) if source == _PLATFORMS_PORT else value
                    )
                except ValueError as problem:
                    raise SettingsError(f"{source} is {text!r}; it must be {problem}") from None
        return cls(**chosen)


def flag_of(name: str) -> str:
    """The command-line flag of a setting: `max_rooms` is `--max-rooms`; units in seconds and bytes are left out."""
    return "--" + name.removesuffix("_s").removesuffix("_bytes").replace("_", "-")


def env_of(name: str) -> tuple[str, ...]:
    """The environment names of a setting; the first one that is set counts."""
    record = next(record for record in fields(Settings) if record.name == name)
    own = _PREFIX + flag_of(name)[2:].replace("-", "_").upper()
    return (own, *record.metadata["env"])


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """One line for each `CHATROOM_…` variable that is no setting, such as a misspelt one."""
    known = [name for record in fields(Settings) for name in env_of(record.name)]
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    return [
        f"{name} is no setting and is ignored{nearest(name, known)}"
        for name in unknown
        if not name.startswith(_OF_THE_TESTS)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROG,
        usage="%(prog)s [serve] [--FLAG VALUE ...]\n       %(prog)s chat [--help] [URL]\n"
        "       %(prog)s health [--FLAG VALUE ...]",
        description="An anonymous chatroom. Starts the server; with `chat`, joins a room from a terminal; "
        "with `health`, checks whether the server with the same settings is healthy (exit code 0) or not (1). "
        "Each flag is also read from the environment, as CHATROOM_FLAG_NAME.",
        allow_abbrev=False,
    )
    parser.words = ("serve", "chat", "health")
    parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    for record in fields(Settings):
        default = describe_default(record.default)
        parser.add_argument(
            flag_of(record.name),
            dest=record.name,
            # A switch alone means on: `--log-json`.
            nargs="?" if isinstance(record.default, bool) else None,
            const="on" if isinstance(record.default, bool) else None,
            metavar=record.metadata["unit"].upper() or "VALUE",
            help=(record.metadata["help"] + (f"; default: {default}" if default else "")).replace("%", "%%"),
        )
    return parser


def describe_default(value: object) -> str:
    """A default as a user would type it; empty if there is none."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
