"""The composition root: builds the parts, starts listening, and shuts down in order.

It knows every part and does nothing that a part could do itself.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from chatroom import listening, logs, runtime
from chatroom.addresses import Addresses
from chatroom.backplane import Backplane
from chatroom.backplane.embedded import EmbeddedBackplane
from chatroom.backplane.file import FILE_NAME, CorruptError, NewerSchemaError, StoreError, check_owner
from chatroom.backplane.local import RoomRules
from chatroom.backplane.memory import MEMORY_BYTES, MemoryBackplane
from chatroom.backplane.retention import Retention
from chatroom.backplane.store import Store
from chatroom.core.addresses import group_of
from chatroom.core.budgets import Allowance
from chatroom.core.clock import Clock
from chatroom.core.names import LOBBY, NamePool, room_key
from chatroom.datadir import DataDir, DataDirError
from chatroom.engine.front import Front
from chatroom.engine.server import Engine
from chatroom.gateways.http.gateway import VITAL_PATHS, HTTPGateway
from chatroom.gateways.http.hosts import host_rule
from chatroom.gateways.http.page import BuiltPage
from chatroom.gateways.line.gateway import LineGateway
from chatroom.gateways.socketio.gateway import SocketIOGateway
from chatroom.gateways.words import Words
from chatroom.limits import client_limits, session_limits
from chatroom.memory import Trimmer, tune_collector
from chatroom.net.acceptor import Acceptor
from chatroom.net.relief import Relief
from chatroom.proxies import Proxies
from chatroom.service import Service
from chatroom.settings import Settings, unknown_variables
from chatroom.startup import StartError
from chatroom.stopping import disconnect_all
from chatroom.tokens import Tokens

log = logging.getLogger(__name__)

# Descriptors for health checks, the log, the system, and connections refused by a full server.
_OTHER_FILES = 120
_LEAVING = (16, 512)  # connections that may be closing at once: at least, and if there are enough descriptors
_WATCH_S = 1.0  # between two looks at what depends on the time alone
_SOCKET_PATH = "/socket.io/"


def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or SIGINT, and until everyone is disconnected.

    Raises:
        StartError: a port is in use, a folder cannot be written, the file of names is not one, or the like.
    """
    logs.set_up(as_json=settings.log_json)
    for problem in unknown_variables(os.environ):
        log.warning(problem)
    os.umask(0o077)  # files created from here on are for this user only
    # A core dump would hold messages, addresses and the secret.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    allowance = Allowance().scaled(settings.address_scale)
    rules = RoomRules(
        _read_names(settings.names),
        random.SystemRandom(),
        max_people=settings.max_room_people,
        held_per_address=allowance.held_names if settings.limits else None,
    )
    max_connections, leaving_limit = _raise_file_limit(settings.max_connections)
    listeners = listening.open_web(settings)
    stop = runtime.Signal()
    runtime.on_signals(runtime.stop_signals(), lambda number: stop.set())

    folder = _open_folder(settings)  # locked until the end
    clock, backplane = _open_backplane(settings, folder, rules)
    line_listeners = listening.open_line(settings)
    addresses = Addresses(allowance, time.monotonic) if settings.limits else None
    service = _make_service(settings, folder=folder, clock=clock, backplane=backplane, addresses=addresses)
    acceptor, relief = Acceptor(max_connections=max_connections, group_of=group_of), Relief()
    gateway = _make_gateway(
        settings,
        service,
        addresses=addresses,
        relief=relief,
        clock=clock,
        max_sessions=max_connections,
        leaving_limit=leaving_limit,
    )
    line = _make_line_gateway(
        settings,
        service,
        addresses=addresses,
        relief=relief,
        acceptor=acceptor,
        leaving_limit=leaving_limit,
    )
    front = _make_front(
        settings, service, addresses=addresses, engine=gateway.engine, clock=clock, acceptor=acceptor
    )
    service.start([gateway, line])
    forgetting = [
        *(backplane.forget_expired, service.forget_returned, service.refused.forget_expired),
        service.forget_rooms,
        gateway.engine.forget_sent,
        Trimmer(time.monotonic).trim,
    ]
    if addresses is not None:
        forgetting.append(addresses.forget_expired)
    runtime.spawn(_watch, clock, forgetting)
    tune_collector()
    for listener in listeners:
        front.listen(listener)
    line.open(line_listeners)
    listening.announce(settings, listeners, line_listeners)

    stop.wait()
    log.info("stopping")
    gateway.engine.refuse_newcomers()
    line.refuse_newcomers()
    runtime.sleep(settings.drain_delay_s)  # load balancers see 503 at `/readyz` first
    backplane.settle()
    line.disconnect_all()
    disconnect_all(
        gateway.warn_all(),
        gateway.engine.close,
        lambda: gateway.engine.drained() and line.drained(),
        monotonic=time.monotonic,
        sleep=runtime.sleep,
    )
    backplane.close()
    if folder is not None:
        folder.close()


# The parts


def _make_service(
    settings: Settings,
    *,
    folder: DataDir | None,
    clock: Clock,
    backplane: Backplane,
    addresses: Addresses | None,
) -> Service:
    return Service(
        backplane=backplane,
        tokens=Tokens(_secret(folder), settings.token_days * 86_400, lambda: clock.times().steady_ms / 1000),
        limits=session_limits(settings),
        public_rooms=settings.public_rooms,
        budget_of=addresses.budget_of if addresses is not None else None,
        now_ms=clock.now_ms,
        monotonic=time.monotonic,
        spawn=runtime.spawn,
        signal=runtime.Signal,
    )


def _make_gateway(
    settings: Settings,
    service: Service,
    *,
    addresses: Addresses | None,
    relief: Relief,
    clock: Clock,
    max_sessions: int,
    leaving_limit: int,
) -> SocketIOGateway:
    return SocketIOGateway(
        service,
        Words(settings.lang),
        client_limits(settings),
        connect_timeout_s=settings.connect_timeout_s,
        engine_options={
            "upgrade_timeout_s": settings.connect_timeout_s,
            "cors_allowed_origins": settings.allowed_origins,
            "ping_interval_s": settings.ping_interval_s,
            "ping_timeout_s": settings.ping_timeout_s,
            "max_payload_bytes": settings.max_payload_bytes,
            "outbox_limit_bytes": settings.outbox_limit_bytes,
            "leaving_limit": leaving_limit,
            "gate": addresses,
            "relief": relief,
            "max_sessions": max_sessions,
            "group_of": group_of,
        },
        monotonic=time.monotonic,
        now_ms=clock.now_ms,
        call_later=runtime.call_later,
    )


def _make_line_gateway(
    settings: Settings,
    service: Service,
    *,
    addresses: Addresses | None,
    relief: Relief,
    acceptor: Acceptor,
    leaving_limit: int,
) -> LineGateway:
    return LineGateway(
        service,
        Words(settings.lang),
        history_entries=settings.history,
        history_days=settings.history_days,
        idle_timeout_s=settings.line_idle_timeout_s,
        outbox_limit_bytes=settings.outbox_limit_bytes,
        leaving_limit=leaving_limit,
        acceptor=acceptor,
        gate=addresses,
        relief=relief,
        group_of=group_of,
        monotonic=time.monotonic,
    )


def _make_front(
    settings: Settings,
    service: Service,
    *,
    addresses: Addresses | None,
    engine: Engine,
    clock: Clock,
    acceptor: Acceptor,
) -> Front:
    http = HTTPGateway(
        base_path=settings.base_path,
        is_ready=lambda: service.ready() and not engine.refusing,
        clock_problem=clock.problem,
        find_page=BuiltPage(Path(__file__).parent / "static").find,
    )
    paths = {"", settings.base_path}
    proxies = Proxies(settings.trust_proxy)
    return Front(
        engine.loop,
        http,
        handlers={path + _SOCKET_PATH: engine.handle for path in paths},
        client_of=proxies.client_of,
        is_proxy=proxies.are_trusted,
        takes_body=engine.takes_body,
        meter=addresses,
        in_session=engine.in_session,
        allow_origin=engine.allow_origin,
        refuse_host=host_rule(settings),
        acceptor=acceptor,
        group_of=group_of,
        vital_paths=frozenset(path + vital for path in paths for vital in VITAL_PATHS),
        max_body_bytes=settings.max_payload_bytes,
    )


# State


def _open_folder(settings: Settings) -> DataDir | None:
    """The data folder; None if nothing is stored."""
    if not settings.history:
        return None
    path = settings.data_dir / FILE_NAME
    try:
        check_owner(path)
        return DataDir(settings.data_dir)
    except StoreError as problem:
        raise _unusable(path, problem) from None
    except DataDirError as problem:
        raise StartError(str(problem)) from None


def _secret(folder: DataDir | None) -> bytes:
    """The secret for tokens; it outlives the process only if the log does."""
    if folder is None:
        return secrets.token_bytes(32)
    try:
        return folder.secret()
    except DataDirError as problem:
        raise StartError(str(problem)) from None


def _open_backplane(settings: Settings, folder: DataDir | None, rules: RoomRules) -> tuple[Clock, Backplane]:
    public_rooms = tuple(room_key(room) for room in (LOBBY, *settings.public_rooms))
    if folder is None:
        clock = Clock(_now_ms, _elapsed_s, _report_clock)
        limit = min(settings.data_limit_bytes, MEMORY_BYTES)
        return clock, MemoryBackplane(
            rules, _now_ms, time.monotonic, public_rooms=public_rooms, limit_bytes=limit
        )
    try:
        folder.claim(FILE_NAME)
    except DataDirError as problem:
        raise StartError(str(problem)) from None
    kept = Retention(settings.history, settings.history_days, settings.data_limit_bytes, public_rooms)
    store = Store(folder.path, kept, full_sync=settings.durability == "full")
    try:
        last_id = _open_store(store)
        clock = Clock(_now_ms, _elapsed_s, _report_clock, store.saved_times())
    except StoreError as problem:
        raise _unusable(store.path, problem) from None
    return clock, EmbeddedBackplane(rules, store, last_id, clock, time.monotonic)


def _unusable(path: Path, problem: StoreError) -> StartError:
    if isinstance(problem, NewerSchemaError):
        return StartError(f"{problem}; run that version or choose another folder with --data-dir")
    return StartError(
        f"cannot use {path} ({problem}): {problem.remedy}, or choose another folder with --data-dir"
    )


def _open_store(store: Store) -> str | None:
    try:
        return store.open()
    except CorruptError as problem:
        aside = store.set_aside()
        log.error(
            "%s is damaged (%s); it was renamed to %s and a new one was created",
            store.path,
            problem,
            aside.name,
        )
        return store.open()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _elapsed_s() -> float:
    """Elapsed seconds, including those in which the machine slept: Linux has a clock that counts these."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _report_clock(problem: str) -> None:
    log.warning('%s: see "A wrong clock" in docs/operating.md', problem)


def _watch(clock: Clock, forgetting: Sequence[Callable[[], None]]) -> None:
    """Do what no event announces: notice that the clock was set, and forget people who left long ago."""
    while True:
        clock.check()
        for forget in forgetting:
            forget()
        runtime.sleep(_WATCH_S)  # a clock that is set, and the end of a time, wake nobody


def _read_names(chosen: Path | None) -> NamePool:
    path = chosen or _own_names()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise StartError(f"cannot read the names in {path}: {reason}; choose a file with --names") from None
    try:
        return NamePool.from_lines(lines)
    except ValueError as problem:
        raise StartError(f"{path}: {problem}; fix it or choose another file with --names") from None


def _own_names() -> Path:
    """`name.txt`: beside `app.py` in a checkout, even if it is missing there; else inside the installed package."""
    package = Path(__file__).parent
    inside = package / "name.txt"
    in_checkout = not inside.exists() and (package.parent / "app.py").exists()
    return package.parent / "name.txt" if in_checkout else inside


def _raise_file_limit(wanted: int) -> tuple[int, int]:
    """Raise the limit of open files to the hard limit.

    Returns:
        How many connections that permits, and how many more that are closing.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fewest, most = _LEAVING
    if hard == resource.RLIM_INFINITY:
        return wanted, most
    possible = max(1, hard - _OTHER_FILES - fewest)
    if possible < wanted:
        log.warning(
            "the limit of open files permits %d connections instead of %d (ulimit -Hn)", possible, wanted
        )
    served = min(wanted, possible)
    return served, max(fewest, min(most, hard - _OTHER_FILES - served))
