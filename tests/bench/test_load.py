"""The load generator counts right: on real peers, in real processes, with few clients."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.load import Report, complaints, run_load
from bench.peers import FLOOR, SEED, Peer
from bench.processes import BenchError, Cores, build, serving
from bench.scenarios import RATIOS, Ratio, scenarios
from bench.summary import missed, ratio_values, summary_line

CLIENTS = 20
SPEAKERS = 4
PER_SPEAKER = 25


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The C programs, compiled."""
    try:
        build(with_node=False)
    except BenchError as error:
        pytest.skip(str(error)) if "is needed and not installed" in str(error) else pytest.fail(str(error))


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
        "--drain-s",
        "1",
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


def test_in_rooms_only_the_room_hears(cores: Cores) -> None:
    report = speak(SEED, cores, "--rooms", "4")
    assert complaints(report) == []
    assert report["all_deliveries"] == SPEAKERS * PER_SPEAKER * CLIENTS // 4


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
        "0.5",
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


def test_a_ratio_is_one_of_medians_and_a_missed_one_is_named() -> None:
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
    line = summary_line(ratios, values, ["a fault"], quick=True)
    assert line.startswith("summary: ")
    assert json.loads(line.removeprefix("summary: ")) == {
        "quick": True,
        "ratios": {"fast": 4.0, "small": 5.0},
        "missed": ["small"],
        "faults": ["a fault"],
    }
