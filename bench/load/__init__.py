"""The load generator (load.c), run from Python: its options in, its report out."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import TypedDict

from bench.peers import BUILD
from bench.processes import BenchError, Server, start, stop

FINISH_TIMEOUT_S = 240.0


class Report(TypedDict):
    """What the load generator counted; load.c's `report` writes it. Times end in their unit."""

    clients: int
    http_refused: int
    refused: int
    first_refusal: str
    closed: int
    kicked: int
    enter_wall_s: float
    enter_cpu_s: float
    enter_bytes: int
    least_people: int
    messages: int
    deliveries: int
    all_deliveries: int
    acks: int
    bytes_in: int
    missing: int
    repeated: int
    same_order: bool
    wall_s: float
    server_cpu_s: float
    load_cpu_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    echo_p50_ms: float
    echo_p99_ms: float
    longest_turn_ms: float
    lateness_ms: float
    all_took_ms: float
    stalled_dropped: int


def run_load(
    server: Server, core: int, options: Sequence[str], while_held: Callable[[], None] | None = None
) -> Report:
    """Run the load generator against a server.

    Args:
        server: whom to load; its CPU time is read from /proc.
        core: the load generator's core.
        options: of `load`, see `parse` in load.c.
        while_held: called once all clients have entered, before any message; they stay while it runs.

    Raises:
        BenchError: the load generator could not do what was asked; the message is its own.
    """
    command = [str(BUILD / "load"), "--port", str(server.port), "--server-pid", str(server.pid), *options]
    if while_held:
        command.append("--hold")
    process = start(
        command, core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1
    )
    try:
        if while_held and process.stdout is not None and process.stdout.readline().startswith("holding"):
            while_held()
        out, err = process.communicate(timeout=FINISH_TIMEOUT_S)  # closes its standard input: the hold ends
    except subprocess.TimeoutExpired:
        raise BenchError("the load generator did not finish in time") from None
    finally:
        stop(process)
    if process.returncode:
        raise BenchError(err.strip() or f"the load generator ended with status {process.returncode}")
    report: Report = json.loads(out)
    return report


def complaints(report: Report) -> list[str]:
    """What makes a report worthless: messages lost, repeated, swapped or refused, clients lost."""
    faults = []
    if report["missing"]:
        faults.append(f"{report['missing']} deliveries missing")
    if report["repeated"]:
        faults.append(f"{report['repeated']} deliveries repeated")
    if not report["same_order"]:
        faults.append("members saw different orders")
    if report["refused"]:
        faults.append(f"{report['refused']} refusals, the first: {report['first_refusal']}")
    if report["closed"]:
        faults.append(f"{report['closed']} clients lost their connection")
    return faults


def load_limited(report: Report) -> bool:
    """Whether the load generator was the bottleneck: its core was full while the server's was not."""
    wall_s = report["wall_s"]
    return report["load_cpu_s"] > 0.95 * wall_s and report["server_cpu_s"] < 0.9 * wall_s
