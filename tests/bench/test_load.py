"""The load generator counts right: on real peers, in real processes, with few clients."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bench.__main__ import measure
from bench.load import Report, complaints, run_load
from bench.peers import FLOOR, NODE, NODE_DURABLE, OURS, SEED, Peer
from bench.processes import BenchError, Cores, build, serving
from bench.scenarios import RATIOS, Ratio, Scenario, bounded, scenarios
from bench.summary import before_lines, missed, missed_line, ratio_values, summary_line

CLIENTS = 20
SPEAKERS = 4
PER_SPEAKER = 25


SCENARIOS = {scenario.name: scenario for scenario in scenarios(quick=False)}


def built_or_skipped(*, with_node: bool) -> None:
    try:
        build(with_node=with_node)
    except BenchError as error:
        pytest.skip(str(error)) if "is needed and not installed" in str(error) else pytest.fail(str(error))


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The C programs, compiled."""
    built_or_skipped(with_node=False)


@pytest.fixture(scope="session")
def node() -> None:
    """What the peers on Node need, installed."""
    built_or_skipped(with_node=True)


@pytest.fixture
def cores() -> Cores:
    """The counts do not depend on cores: whichever there are."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1])


def speak(peer: Peer, cores: Cores, *more: str, rosters: bool = False) -> Report:
    """SPEAKERS of CLIENTS say PER_SPEAKER messages each."""
    options = [
        "--clients",
        str(CLIENTS),
        "--senders",
        str(SPEAKERS),
        "--count",
        str(PER_SPEAKER),
    ]
    with serving(peer, cores.server, rosters=rosters) as server:
        return run_load(server, cores.load, [*options, "--seconds", "10", *more])


@pytest.mark.parametrize("peer", [FLOOR, SEED], ids=lambda peer: peer.name)
def test_every_message_is_counted_at_every_member(peer: Peer, cores: Cores) -> None:
    report = speak(peer, cores)
    assert complaints(report) == []
    assert report["messages"] == SPEAKERS * PER_SPEAKER
    assert report["all_deliveries"] == SPEAKERS * PER_SPEAKER * CLIENTS
    assert 0 < report["p50_ms"] <= report["p99_ms"]
    assert report["server_cpu_s"] > 0


def test_only_the_room_receives_its_events(cores: Cores) -> None:
    report = speak(SEED, cores, "--rooms", "4")
    assert complaints(report) == []
    assert report["all_deliveries"] == SPEAKERS * PER_SPEAKER * CLIENTS // 4


@pytest.mark.parametrize("peer", [SEED, OURS, NODE], ids=lambda peer: peer.name)
def test_polling_clients_receive_every_message_once(
    peer: Peer, cores: Cores, request: pytest.FixtureRequest
) -> None:
    if peer.is_node:
        request.getfixturevalue("node")
    report = speak(peer, cores, "--polling", *peer.greeting, *(["--ack"] if peer.acks else []))
    assert complaints(report) == []
    assert report["all_deliveries"] == SPEAKERS * PER_SPEAKER * CLIENTS
    assert report["acks"] == (SPEAKERS * PER_SPEAKER if peer.acks else 0)


@pytest.mark.usefixtures("node")
def test_durable_node_stores_each_message_before_the_ack(cores: Cores) -> None:
    with serving(NODE_DURABLE, cores.server, rosters=False) as server:
        options = ["--clients", "4", "--senders", "2", "--rooms", "2", "--count", "10", "--ack"]
        report = run_load(server, cores.load, [*options, "--seconds", "10"])
        with closing(sqlite3.connect(server.data / "messages.db")) as database:
            stored = database.execute("SELECT room, count(*) FROM message GROUP BY room").fetchall()
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert complaints(report) == []
    assert sorted(stored) == [("bench-0", 10), ("bench-1", 10)]


SHORT = ("--warmup-s", "0.1", "--seconds", "0.5")


@pytest.mark.parametrize(
    "scenario",
    [
        replace(SCENARIOS["small_rooms"], clients=8, load=("--senders", "2", "--rooms", "2", *SHORT)),
        replace(
            SCENARIOS["polling"], clients=8, load=("--polling", "--senders", "2", "--rate", "40", *SHORT)
        ),
    ],
    ids=lambda scenario: scenario.name,
)
def test_a_small_run_gives_every_figure_that_ratios_use(scenario: Scenario, cores: Cores) -> None:
    figures, faults = measure(scenario, OURS, cores, quick=True)
    assert faults == []
    for ratio in RATIOS:
        if ratio.scenario == scenario.name:
            assert figures[ratio.figure] > 0


def test_acks_are_waited_for(cores: Cores) -> None:
    report = speak(SEED, cores, "--ack")
    assert complaints(report) == []
    assert report["acks"] == SPEAKERS * PER_SPEAKER


def test_rosters_are_followed_to_the_last_newcomer(cores: Cores) -> None:
    report = speak(SEED, cores, "--login", rosters=True)
    assert complaints(report) == []
    assert report["least_people"] == CLIENTS
    assert report["enter_bytes"] > CLIENTS * CLIENTS * CLIENTS / 3 * len('["","",],') + 20


def test_a_lost_delivery_is_noticed(cores: Cores) -> None:
    """The floor leaves out every 97th delivery; by the clock, speakers go on all the same."""
    lossy = Peer(FLOOR.name, FLOOR.title, (*FLOOR.command, "97"))
    options = [
        "--clients",
        str(CLIENTS),
        "--senders",
        "1",
        "--rate",
        "200",
        "--seconds",
        "1",
        "--drain-s",
        "3",
    ]
    with serving(lossy, cores.server, rosters=False) as server:
        report = run_load(server, cores.load, options)
    expected = report["messages"] * CLIENTS
    assert report["messages"] > 100
    assert report["missing"] == expected // 97 == expected - report["all_deliveries"]
    assert "missing" in complaints(report)[0]


def test_stalled_readers_that_nobody_drops_are_not_called_dropped(cores: Cores) -> None:
    report = speak(FLOOR, cores, "--stall", "3")
    assert report["stalled_dropped"] == 0
    assert report["closed"] == 0
    assert report["missing"] == 0


def test_options_that_do_not_go_together_are_refused(cores: Cores) -> None:
    with (
        serving(FLOOR, cores.server, rosters=False) as server,
        pytest.raises(BenchError, match="do not go together"),
    ):
        run_load(server, cores.load, ["--clients", "2", "--senders", "3"])


def test_a_server_that_does_not_start_says_why(cores: Cores) -> None:
    broken = Peer("broken", "a broken peer", (sys.executable, "-c", "raise SystemExit('no such thing')"))
    with pytest.raises(BenchError, match="no such thing"), serving(broken, cores.server, rosters=False):
        pass


def test_a_missing_tool_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--peers", "node"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if len(os.sched_getaffinity(0)) < 2:
        assert "two cores are needed" in done.stderr
    else:
        assert "`cc` is needed and not installed" in done.stderr
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_each_ratio_names_a_scenario_and_a_peer_of_its() -> None:
    by_name = {scenario.name: scenario for scenario in scenarios(quick=False)}
    for ratio in RATIOS:
        assert "ours" in by_name[ratio.scenario].peers
        assert ratio.peer is None or ratio.peer in by_name[ratio.scenario].peers


def test_a_ratio_compares_medians_and_missed_ones_are_named() -> None:
    ratios = (
        Ratio("fast", "s", "per_s", "node", must=3, at_least=True),
        Ratio("small", "s", "kb", must=4),
        Ratio("unmeasured", "t", "kb", must=1),
    )
    trials = {
        ("s", "ours"): [{"per_s": 10.0, "kb": 5}, {"per_s": 30.0, "kb": 5}, {"per_s": 20.0, "kb": 6}],
        ("s", "node"): [{"per_s": 5.0}, {"per_s": 4.0}, {"per_s": 90.0}],
    }
    values = ratio_values(ratios, trials)
    assert values == {"fast": 4.0, "small": 5}
    assert missed(ratios, values) == ["small"]
    line = summary_line(ratios, values, ["a fault"], ["t, node"], quick=True)
    assert line.startswith("summary: ")
    assert json.loads(line.removeprefix("summary: ")) == {
        "quick": True,
        "ratios": {"fast": 4.0, "small": 5.0},
        "missed": ["small"],
        "faults": ["a fault"],
        "left_out": ["t, node"],
    }


def test_an_earlier_checkout_is_compared_round_by_round() -> None:
    echo = next(one for one in scenarios(quick=True) if one.name == "echo")
    trials = {
        ("echo", "ours"): [{"cpu_us": 10.0}, {"cpu_us": 30.0}, {"cpu_us": 90.0}],
        ("echo", "before"): [{"cpu_us": 10.0}, {"cpu_us": 20.0}, {"cpu_us": 100.0}],
    }
    (line,) = before_lines(echo, trials)
    assert line.split() == ["echo", "ours/before", "cpu_us", "1", "[0.9", "…", "1.5]"]
    assert before_lines(echo, {}) == []


def test_rooms_are_judged_by_messages_per_cpu_second() -> None:
    report = {"deliveries": 4000, "wall_s": 2.0, "echo_p50_ms": 1.0, "echo_p99_ms": 2.0}
    trials = {
        ("small_rooms", peer): [
            SCENARIOS["small_rooms"].figures(cast("Report", {**report, "server_cpu_s": cpu_s}))
        ]
        for peer, cpu_s in (("ours", 0.5), ("node_durable", 0.4), ("node", 0.1))
    }
    assert trials["small_rooms", "ours"][0]["messages_per_cpu_s"] == 2000
    values = ratio_values(RATIOS, trials)
    assert values == {"rooms_vs_durable_node": 0.8, "rooms_vs_node": 0.2}
    assert missed_line(RATIOS, values) == "not met: rooms_vs_durable_node 0.8 (must be >= 1)"


def test_a_durable_echo_is_judged_against_the_durable_node() -> None:
    trials = {
        (scenario, peer): [{"cpu_us": cpu_us}]
        for scenario, peer, cpu_us in (
            ("echo", "ours", 250.0),
            ("echo", "node_durable", 100.0),
            ("echo_32", "ours", 76.0),
            ("echo_32", "node_durable", 100.0),
            ("echo_32", "node", 10.0),
        )
    }
    values = ratio_values(RATIOS, trials)
    assert missed_line(RATIOS, values) == "not met: echo_32_cpu_vs_durable_node 0.76 (must be <= 0.75)"
    assert missed_line(RATIOS, {"echo_cpu_vs_durable_node": 2.5}) == "not met: none"


def test_a_quick_run_has_every_peer_of_its_ratios() -> None:
    quick = {scenario.name: scenario.peers for scenario in scenarios(quick=True)}
    assert set(SCENARIOS) - set(quick) == {"saturated_100"}
    for name, peers in quick.items():
        compared = {ratio.peer for ratio in RATIOS if ratio.scenario == name and ratio.peer}
        assert set(peers) == {"ours", *compared}


def test_a_quick_run_judges_no_join_storm_of_fewer_people() -> None:
    values = {"join_cpu_vs_node": 1.0, "acks_ms": 1000.0}
    assert missed(bounded(quick=False), values) == ["join_cpu_vs_node", "acks_ms"]
    assert missed(bounded(quick=True), values) == ["acks_ms"]
