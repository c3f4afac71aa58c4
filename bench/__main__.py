"""`python -m bench`: every scenario, every peer, interleaved in rounds; the summary comes last."""

import argparse
import math
import platform
import signal
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench.load import Report, complaints, load_limited, run_load
from bench.peers import PEERS, Peer, earlier
from bench.processes import BenchError, Cores, build, serving, two_cores
from bench.scenarios import Figures, Scenario, bounded, scenarios
from bench.summary import (
    before_lines,
    figure_lines,
    missed,
    missed_line,
    ratio_lines,
    ratio_values,
    summary_line,
)

RAMP = 40  # handshakes at a time where joining is not measured; below the naive server's backlog of 50
QUICK_LIMIT_S = 50  # after this, a quick run starts no measurement, and prints what it left out
QUICK_QUIET_MS = "100"  # of silence after the last join, before the first message is sent


def measure(
    scenario: Scenario, peer: Peer, cores: Cores, *, quick: bool = False
) -> tuple[Figures, list[str]]:
    """Run one scenario once against a fresh server.

    Args:
        quick: wait for a shorter silence before the first message.

    Returns:
        Its figures, and what is wrong with them; figures of a faulty run are not to be used.

    Raises:
        BenchError: it could not be run.
    """
    settings = scenario.settings if peer.is_ours else ()
    options = ["--clients", str(scenario.clients), "--ramp", str(RAMP), *peer.greeting, *scenario.load]
    if quick:
        options += ["--quiet-ms", QUICK_QUIET_MS]
    if peer.acks:
        options.append("--ack")
    if scenario.rosters:
        options.append("--login")
    with serving(peer, cores.server, rosters=scenario.rosters, settings=settings) as server:
        rss_before_kb = server.rss_kb()
        seen: dict[str, float] = {}

        def look() -> None:
            if scenario.held:
                seen.update(scenario.held(server, rss_before_kb, scenario.clients))

        report = run_load(server, cores.load, options, look if scenario.held else None)
    faults = _faults(scenario, report)
    figures: dict[str, float] = {} if faults else {**seen, **scenario.figures(report)}
    if seen.get("refused_status", 503) != 503 or seen.get("healthz_status", 200) != 200:
        faults.append(
            f"while full: status {seen['refused_status']:.0f}, /healthz {seen['healthz_status']:.0f}"
        )
    if report["wall_s"] and load_limited(report):
        faults.append("the load generator was the bottleneck")
    return figures, faults


def _faults(scenario: Scenario, report: Report) -> list[str]:
    faults = complaints(report)
    if scenario.rosters and report["least_people"] != scenario.clients:
        faults.append(f"a client's last roster had {report['least_people']} people, not {scenario.clients}")
    if "--senders" in scenario.load and not report["deliveries"]:
        faults.append("no deliveries in the measured time")
    return faults


def run(arguments: argparse.Namespace) -> int:
    """Measure what the arguments ask for, and print it; returns the exit status."""
    chosen = [s for s in scenarios(arguments.quick) if not arguments.only or s.name in arguments.only]
    peers = [peer for peer in PEERS if not arguments.peers or peer.name in arguments.peers]
    if arguments.before:
        peers.insert(1, earlier(arguments.before))
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    limit_s = QUICK_LIMIT_S if arguments.quick and not arguments.rounds else math.inf
    cores = two_cores()
    build(with_node=any(peer.is_node for peer in peers))
    began = time.monotonic()
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Linux {platform.release()}, "
        f"Python {platform.python_version()}, "
        f"server on core {cores.server}, load on core {cores.load}, {rounds} round{'s'[: rounds > 1]}, "
        "fresh servers, messages of 100 B unless stated; a figure is the median [lowest … highest]"
    )
    trials: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    faults: list[str] = []
    left_out: list[str] = []
    for scenario in chosen:
        print(f"\n{scenario.title}", flush=True)
        takers = [peer for peer in peers if peer.is_ours or peer.name in scenario.peers]
        for number in range(1, rounds + 1):
            for peer in takers:
                if time.monotonic() - began > limit_s:
                    left_out.append(f"{scenario.name}, {peer.name}")
                    continue
                try:
                    figures, wrong = measure(scenario, peer, cores, quick=arguments.quick)
                except BenchError as error:
                    figures, wrong = {}, [str(error)]
                for fault in wrong:
                    faults.append(f"{scenario.name}, {peer.name}, round {number}: {fault}")
                    print(f"  FAULT {faults[-1]}", flush=True)
                if figures:
                    trials[scenario.name, peer.name].append(figures)
        for peer in takers:
            if found := trials.get((scenario.name, peer.name)):
                print("\n".join(figure_lines(scenario, peer.name, found)), flush=True)
        print("".join(f"{line}\n" for line in before_lines(scenario, trials)), end="", flush=True)
    ratios = bounded(arguments.quick)
    values = ratio_values(ratios, trials)
    print(f"\nratios ({time.monotonic() - began:.0f} s)")
    print("\n".join(ratio_lines(ratios, values)))
    if left_out:
        print(f"left out after {limit_s} s: {'; '.join(left_out)}")
    print(missed_line(ratios, values))
    print(summary_line(ratios, values, faults, left_out, quick=arguments.quick))
    return 1 if faults or (arguments.check and (left_out or missed(ratios, values))) else 0


def _end(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)  # so that every `with` ends what it has started


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [scenario.name for scenario in scenarios(quick=False)]
    parser.add_argument("--quick", action="store_true", help="one short round, smaller crowds, under 60 s")
    parser.add_argument("--rounds", type=int, choices=range(1, 11), metavar="1-10", help="default 3, quick 1")
    parser.add_argument("--only", nargs="+", choices=names, metavar="SCENARIO", help=", ".join(names))
    parser.add_argument("--peers", nargs="+", choices=[p.name for p in PEERS], metavar="PEER")
    parser.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="measure another checkout's server in the same rounds"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a `must` bound is missed")
    signal.signal(signal.SIGTERM, _end)
    try:
        return run(parser.parse_args())
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
