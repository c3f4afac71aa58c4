"""What is measured: each scenario is a record, and so is each ratio that the summary names.

The table of ratios is the project's promise. A bound that is missed is reported, and never loosened here.
"""

import http.client
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.load import Report
from bench.processes import Server

Figures = Mapping[str, float]
ALL = ("ours", "seed", "node", "floor")
NAIVE = ("ours", "seed", "node")
STORING = ("ours", "node", "node_durable")
ROOM_SIZE = 4  # people in each small room
DESCRIPTORS_KEPT = 200  # for what a server and the load generator open besides their connections


@dataclass(frozen=True)
class Scenario:
    """One kind of load.

    Attributes:
        name: the key by which ratios refer to it.
        title: what it is, for the printed table.
        peers: the servers that are measured.
        clients: how many connect.
        load: the load generator's other options.
        figures: turns its report into figures.
        rosters: whether the naive peers announce each login to everyone; elsewhere they need not.
        settings: what is added to this server's command line.
        held: measures while all are connected and silent; it gets the server, its memory before, and `clients`.
    """

    name: str
    title: str
    peers: tuple[str, ...]
    clients: int
    figures: Callable[[Report], Figures]
    load: tuple[str, ...] = ()
    rosters: bool = False
    settings: tuple[str, ...] = ()
    held: Callable[[Server, int, int], Figures] | None = None


@dataclass(frozen=True)
class Ratio:
    """One figure of the summary: this server's, divided by a peer's if one is named.

    Attributes:
        must, goal: bounds; None where the project has set none.
        at_least: whether the bounds are lower ones.
    """

    name: str
    scenario: str
    figure: str
    peer: str | None = None
    must: float | None = None
    goal: float | None = None
    at_least: bool = False

    def meets(self, value: float, bound: float) -> bool:
        """Whether `value` meets `bound`."""
        return value >= bound if self.at_least else value <= bound


def _throughput(report: Report) -> Figures:
    cpu_s = report["server_cpu_s"]
    return {
        "deliveries_per_cpu_s": report["deliveries"] / cpu_s,
        "deliveries_per_s": report["deliveries"] / report["wall_s"],
        "cpu_us": cpu_s * 1e6 / report["deliveries"],
        "p50_ms": report["p50_ms"],
        "p99_ms": report["p99_ms"],
    }


def _echo(report: Report) -> Figures:
    echoes = report["deliveries"] / 2  # two members in each room
    return {
        "cpu_us": report["server_cpu_s"] * 1e6 / echoes,
        "p50_ms": report["echo_p50_ms"],
        "p99_ms": report["echo_p99_ms"],
    }


def _rooms(report: Report) -> Figures:
    messages = report["deliveries"] / ROOM_SIZE
    return {
        "messages_per_cpu_s": messages / report["server_cpu_s"],
        "messages_per_s": messages / report["wall_s"],
        "p50_ms": report["echo_p50_ms"],
        "p99_ms": report["echo_p99_ms"],
    }


def _open_loop(report: Report) -> Figures:
    figures = _throughput(report)
    return {key: figures[key] for key in ("p50_ms", "p99_ms", "cpu_us")} | {
        "lateness_ms": report["lateness_ms"]
    }


def _entering(report: Report) -> Figures:
    return {
        "cpu_s": report["enter_cpu_s"],
        "megabytes": report["enter_bytes"] / 1e6,
        "wall_s": report["enter_wall_s"],
    }


def _stalled(report: Report) -> Figures:
    return {
        "dropped": report["stalled_dropped"],
        "others_dropped": report["closed"],
        "p99_ms": report["p99_ms"],
    }


def _one_after_another(report: Report) -> Figures:
    return {"all_ms": report["all_took_ms"]}


def _nothing(_: Report) -> Figures:
    return {}


def _memory(server: Server, rss_before_kb: int, clients: int) -> Figures:
    time.sleep(1)  # lets the server free what joining has used
    return {"kb_per_connection": (server.rss_kb() - rss_before_kb) / clients}


def _full_house(server: Server, _: int, clients: int) -> Figures:
    """Connect once more: a full server must refuse at once, and still answer health checks."""
    refused_ms, status = _timed_get(
        server,
        "/socket.io/?EIO=4&transport=websocket",
        {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "YmVuY2htYXJrLWNsaWVudA==",
        },
    )
    healthz_ms, health = _timed_get(server, "/healthz", {})
    return {
        "held": clients,
        "refused_status": status,
        "refused_ms": refused_ms,
        "healthz_status": health,
        "healthz_ms": healthz_ms,
    }


def _timed_get(server: Server, path: str, headers: Mapping[str, str]) -> tuple[float, int]:
    """Milliseconds from connecting to the answer, and its status; 0 when there is none in 5 s."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", path, headers=dict(headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return (time.monotonic() - began) * 1e3, status


def most_connections() -> int:
    """How many connections a process may hold here, 10,000 at most."""
    return min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_KEPT)


def scenarios(quick: bool) -> Sequence[Scenario]:
    """The scenarios of a full or a quick run.

    A quick one is shorter, has smaller crowds where these cost time, and leaves out peers that no ratio needs.
    """
    many = 300 if quick else 1000
    idle = 500 if quick else min(5000, most_connections())
    full = 1000 if quick else most_connections()
    rooms = 100 if quick else 500
    spell = ("--warmup-s", "0.5", "--seconds", "0.5") if quick else ("--warmup-s", "2", "--seconds", "3")
    short = ("--warmup-s", "0.3", "--seconds", "0.4") if quick else ("--warmup-s", "1", "--seconds", "2")
    calm = ("--warmup-s", "0.3", "--seconds", "1") if quick else ("--warmup-s", "1", "--seconds", "5")
    # While SQLite's log grows over its first thousand pages, each commit costs more; a full run begins after that.
    grown = ("--warmup-s", "2", "--warmup-messages", "2000", "--seconds", "2", "--drain-s", "30")
    storing = short if quick else grown
    crowds = (1000,) if quick else (1000, 100)
    saturated = [
        Scenario(
            name="saturated" if crowd == 1000 else f"saturated_{crowd}",
            title=f"saturated: 32 senders, one message in flight each, N={crowd}, 100 B",
            peers=ALL,
            clients=crowd,
            load=("--senders", "32", *spell),
            figures=_throughput,
        )
        for crowd in crowds
    ]
    chosen = (
        *saturated,
        Scenario(
            name="single",
            title="one message in flight: the next is sent when all have the last, N=1000",
            peers=ALL,
            clients=1000,
            load=("--senders", "1", "--wait-for-all", *short),
            figures=_throughput,
        ),
        Scenario(
            name="steady",
            title="50 messages/s at fixed times, N=1000",
            peers=ALL,
            clients=1000,
            load=("--senders", "1", "--rate", "50", *calm),
            figures=_open_loop,
        ),
        Scenario(
            name="join",
            title=f"join storm: {many} clients at once",
            peers=NAIVE,
            clients=many,
            load=("--ramp", str(many), "--rosters"),
            rosters=True,
            figures=_entering,
        ),
        Scenario(
            name="idle",
            title=f"idle memory per connection, N={idle}",
            peers=ALL,
            clients=idle,
            figures=_nothing,
            held=_memory,
        ),
        Scenario(
            name="echo",
            title="echo: a room of two, one sends, one message in flight; CPU per message",
            peers=(*NAIVE, "node_durable"),
            clients=2,
            load=("--senders", "1", *storing),
            figures=_echo,
        ),
        Scenario(
            name="echo_32",
            title="echo: 16 rooms of two, all 32 send, one message in flight each; CPU per message",
            peers=(*NAIVE, "node_durable"),
            clients=32,
            load=("--senders", "32", "--rooms", "16", *storing),
            figures=_echo,
        ),
        Scenario(
            name="small_rooms",
            title=f"small rooms: {rooms} of {ROOM_SIZE}, one message in flight in each",
            peers=STORING,
            clients=rooms * ROOM_SIZE,
            load=("--senders", str(rooms), "--rooms", str(rooms), *storing),
            figures=_rooms,
        ),
        Scenario(
            name="polling",
            title="polling: 20 messages/s at fixed times, N=200",
            peers=NAIVE,
            clients=200,
            load=("--polling", "--senders", "20", "--rate", "20", *calm),
            figures=_open_loop,
        ),
        Scenario(
            name="full",
            title=f"a full server: {full} connections held, one more connects",
            peers=("ours",),
            clients=full,
            settings=("--max-connections", str(full)),
            figures=_nothing,
            held=_full_house,
        ),
        Scenario(
            name="stall",
            title="20 of 320 readers stop reading, 4 KB x 150/s",
            peers=("ours",),
            clients=320,
            load=(
                *("--stall", "20", "--senders", "1", "--rate", "150", "--bytes", "4000"),
                *("--warmup-s", "0.2", "--seconds", "3" if quick else "8"),
            ),
            settings=("--outbox-limit", "1000000"),  # so that the room may receive 1 MB/s
            figures=_stalled,
        ),
        Scenario(
            name="acks",
            title="20 emit + ack one after another; this server with --history 0",
            peers=NAIVE,
            clients=1,
            load=("--senders", "1", "--ack", "--count", "20", "--seconds", "5"),
            settings=("--history", "0"),
            figures=_one_after_another,
        ),
    )
    if not quick:
        return chosen
    compared = {(ratio.scenario, ratio.peer or "ours") for ratio in RATIOS}
    return [
        replace(one, peers=tuple(p for p in one.peers if p == "ours" or (one.name, p) in compared))
        for one in chosen
    ]


RATIOS = (
    Ratio("saturated_vs_node", "saturated", "deliveries_per_cpu_s", "node", must=15, goal=25, at_least=True),
    Ratio("saturated_vs_seed", "saturated", "deliveries_per_cpu_s", "seed", must=10, at_least=True),
    Ratio("saturated_vs_floor", "saturated", "deliveries_per_cpu_s", "floor", must=8, goal=12, at_least=True),
    Ratio("saturated_p50_vs_node", "saturated", "p50_ms", "node", goal=2),
    Ratio("saturated_100_vs_node", "saturated_100", "deliveries_per_cpu_s", "node", at_least=True),
    Ratio("single_cpu_vs_node", "single", "cpu_us", "node", must=0.72, goal=0.6),
    Ratio("single_cpu_vs_floor", "single", "cpu_us", "floor", goal=1.1),
    Ratio("steady_p99_vs_node", "steady", "p99_ms", "node", must=0.85, goal=0.65),
    Ratio("join_cpu_vs_node", "join", "cpu_s", "node", must=1 / 15, goal=1 / 25),
    Ratio("join_bytes_vs_seed", "join", "megabytes", "seed", must=1 / 300, goal=1 / 450),
    Ratio("idle_kb", "idle", "kb_per_connection", must=11, goal=8),
    Ratio("idle_vs_node", "idle", "kb_per_connection", "node", must=0.7),
    Ratio("echo_cpu_vs_durable_node", "echo", "cpu_us", "node_durable", must=2.5, goal=2),
    Ratio("echo_cpu_vs_node", "echo", "cpu_us", "node"),
    Ratio("echo_cpu_vs_seed", "echo", "cpu_us", "seed", must=1.3),
    Ratio("echo_32_cpu_vs_durable_node", "echo_32", "cpu_us", "node_durable", must=0.75, goal=0.6),
    Ratio("echo_32_cpu_vs_node", "echo_32", "cpu_us", "node"),
    Ratio(
        "rooms_vs_durable_node", "small_rooms", "messages_per_cpu_s", "node_durable", must=1, at_least=True
    ),
    Ratio("rooms_vs_node", "small_rooms", "messages_per_cpu_s", "node", at_least=True),
    Ratio("polling_cpu_vs_node", "polling", "cpu_us", "node"),
    Ratio("polling_p99_vs_node", "polling", "p99_ms", "node"),
    Ratio("full_held", "full", "held", at_least=True),  # fewer than asked for is a fault of the run
    Ratio("full_refused_ms", "full", "refused_ms", must=100),
    Ratio("full_healthz_ms", "full", "healthz_ms", must=50),
    Ratio("stall_dropped", "stall", "dropped", must=20, at_least=True),
    Ratio("stall_others_dropped", "stall", "others_dropped", must=0),
    Ratio("stall_p99_ms", "stall", "p99_ms", must=10),
    Ratio("acks_ms", "acks", "all_ms", must=20),
)


def bounded(quick: bool) -> Sequence[Ratio]:
    """The ratios with the bounds that a full or a quick run is judged by.

    A join storm's bounds are for 1,000 people: its cost on the peers grows with the square of the crowd.
    """
    return [
        replace(ratio, must=None, goal=None) if quick and ratio.scenario == "join" else ratio
        for ratio in RATIOS
    ]
