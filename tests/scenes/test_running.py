"""The program as its operator sees it: settings, startup errors, logs and shutdown."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests

from chatroom.gateways.words import LANGUAGES
from tests.faults import disks
from tests.support.guests import POLLING, Guest, until
from tests.support.lines import Terminals
from tests.support.program import ROOT, Program, Start, free_port


def fails(*arguments: str, folder: Path = ROOT, **environ: str) -> str:
    """Start the program in a way that must fail; returns its one line of error."""
    clean = Program(environ=environ).environ
    done = subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert done.stdout == ""
    return lines[0]


def test_a_second_copy_on_one_folder_reports_one_problem(start: Start, tmp_path: Path) -> None:
    start(data_dir=tmp_path)
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 5267))  # the line gateway's, which a program may do without
            taken.listen()
        except OSError:
            pass  # somebody else has taken it
        line = fails("--port", "0", "--data-dir", str(tmp_path))
    assert "is used by another chatroom" in line


@pytest.mark.parametrize("name", ["CHATROOM_PORT", "PORT"])
def test_the_port_may_come_from_the_environment(name: str, start: Start) -> None:
    port = free_port()
    program = start(
        port=None,
        environ={name: str(port), "HOST": "203.0.113.1", "REDIS_URL": "redis://nowhere.invalid"},
    )
    assert program.port == port
    assert program.get("/healthz").status_code == 200
    program.signal(signal.SIGINT)
    assert program.wait(5) == 0


def test_a_flag_outdoes_the_environment(start: Start) -> None:
    program = start("--lang", "zh", environ={"CHATROOM_LANG": "en"})
    guest = Guest(program.url, {"v": 1}).enter()
    assert guest.asks("message", msg="")["msg"] == LANGUAGES["zh"]["empty"]
    guest.leaves()


def test_it_listens_on_ipv4_and_ipv6(server: Program) -> None:
    addresses = ["127.0.0.1"] + (["[::1]"] if socket.has_ipv6 else [])
    for address in addresses:
        assert requests.get(f"http://{address}:{server.port}/healthz", timeout=5).status_code == 200


@pytest.mark.parametrize("source", ["port", "second copy"])
def test_a_port_in_use_is_named_with_its_cure(server: Program, tmp_path: Path, source: str) -> None:
    if source == "port":
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            line = fails("--host", "127.0.0.1", "--port", str(port), "--data-dir", str(tmp_path))
    else:
        port = server.port
        line = fails("--port", str(port), "--data-dir", str(tmp_path))
    assert f"port {port} is in use" in line
    assert "--port" in line


def test_a_wrong_setting_is_reported_in_one_line() -> None:
    # Which values are wrong: tests/test_settings.py.
    assert "--max-rooms is '0'; it must be" in fails("--max-rooms", "0")
    assert "CHATROOM_MAX_ROOMS is '0'; it must be" in fails(CHATROOM_MAX_ROOMS="0")


@pytest.mark.parametrize("content", [None, "", "# only a comment\n\n"], ids=["missing", "empty", "comments"])
def test_an_invalid_file_of_names_is_reported(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "names"
    if content is not None:
        path.write_text(content)
    line = fails("--port", "0", "--names", str(path), "--data-dir", str(tmp_path / "data"))
    assert str(path) in line
    assert "--names" in line


def test_a_checkout_without_its_nicknames_says_where_they_belong(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "chatroom", tmp_path / "chatroom", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    shutil.copy(ROOT / "app.py", tmp_path)
    line = fails("--port", "0", "--data-dir", str(tmp_path / "data"), folder=tmp_path)
    assert f"cannot read the names in {tmp_path / 'name.txt'}: No such file or directory" in line


def test_a_python_without_the_libraries_names_make_run() -> None:
    for command in (["app.py"], ["-m", "chatroom"]):
        done = subprocess.run(
            [sys.executable, "-S", *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 2
        assert re.fullmatch(
            r"chatroom: this Python .* lacks the module \w+; .*`make run`.*\n", done.stderr
        ), done.stderr


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chatroom.db"
    path.mkdir()
    line = fails("--port", "0", "--line-port", "0", "--data-dir", str(tmp_path))
    assert f"cannot open {path} (it is a folder): move it away" in line
    for each in tmp_path.iterdir():
        each.rmdir() if each.is_dir() else each.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE room (theirs)")
    for each, mode in ((path, 0o644), (tmp_path, 0o755)):
        each.chmod(mode)
    line = fails("--port", "0", "--line-port", "0", "--data-dir", str(tmp_path))
    assert f"cannot use {path} (it was not made by this program): move it away" in line
    assert "--data-dir" in line
    assert [each.stat().st_mode & 0o777 for each in (tmp_path, path)] == [0o755, 0o644]
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_too_full_for_the_log_is_named(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk", "48k") as disk:
        line = fails("--port", "0", "--line-port", "0", "--data-dir", str(disk))
    assert f"cannot use {disk / 'chatroom.db'} (database or disk is full): free some space there" in line


def test_a_full_standard_error_is_reported_on_standard_output(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "app.py", "--port", "0", "--line-port", "0", "--data-dir", str(tmp_path)],
            cwd=ROOT, env=Program().environ, stdout=subprocess.PIPE, stderr=full, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert re.fullmatch(
        r"chatroom: cannot write to standard error \(No space left on device\): .*\n", done.stdout
    )


@pytest.mark.parametrize(("lang", "stop"), [("en", "Press Ctrl+C to stop."), ("zh", "按 Ctrl+C 停止。")])
def test_a_terminal_shows_how_to_stop(terminals: Terminals, tmp_path: Path, lang: str, stop: str) -> None:
    command = [
        sys.executable,
        ROOT / "app.py",
        "--port",
        0,
        "--line-port",
        0,
        "--data-dir",
        tmp_path,
        "--lang",
        lang,
    ]
    terminal = terminals(*command, env={**Program().environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"})
    terminal.resizes(80, 40)
    terminal.shows(stop)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(30) == 0


def test_health_follows_the_settings_of_the_server(start: Start) -> None:
    program = start("--base-path", "/chat")
    command = [sys.executable, "-m", "chatroom", "health"]
    environ = {**program.environ, "PORT": str(program.port), "CHATROOM_BASE_PATH": "/chat"}
    assert subprocess.run(command, cwd=ROOT, env=environ, timeout=30, check=False).returncode == 0
    program.signal(signal.SIGTERM)
    program.wait()
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert (
        done.stderr == f"chatroom: 127.0.0.1:{program.port} is not healthy ([Errno 111] Connection refused)\n"
    )


def test_a_newer_versions_log_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "chatroom.db")) as log:
        log.execute("PRAGMA user_version=1000")
    line = fails("--port", "0", "--line-port", "0", "--data-dir", str(tmp_path))
    assert "written by a newer version" in line
    assert "--data-dir" in line


def test_when_all_names_are_taken_a_number_is_added(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_text("# ours\n\nMing\nMing\n")
    program = start("--names", str(path))
    first, second = Guest(program.url).enter(), Guest(program.url).enter()
    assert first.name == "Ming"
    assert re.fullmatch(r"Ming\d+", second.name)
    first.leaves()
    second.leaves()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_under_traffic_with_exit_code_0(start: Start, number: signal.Signals) -> None:
    program = start("--limits", "off")
    people = [Guest(program.url, {"v": 1}).enter(), Guest(program.url, {"v": 1}, POLLING).enter()]
    for index in range(200):
        people[0].emit({"action": "message", "msg": str(index)})
    program.signal(number)
    assert program.wait() == 0
    for person in people:
        person.receives("notice", code="closing", username="*")
        assert person.waits_for_disconnect() != "io server disconnect"


# As `make run` in a window of tmux: the kernel's SIGHUP goes to make, which waits for the end of the server.
MAKE = ["sh", "-c", 'trap : HUP; "$@"; exit $?', "sh"]


@pytest.mark.parametrize("between", [[], MAKE], ids=["by itself", "make"])
def test_closing_its_terminal_drains(start: Start, between: list[str]) -> None:
    terminal, own = pty.openpty()
    program = start(before=["setsid", "--ctty", *between], stdin=own)
    romeo = Guest(program.url, {"v": 1}).enter()
    os.close(terminal)
    romeo.receives("notice", code="closing")
    romeo.waits_for_disconnect()
    assert program.wait(5) == 0


@pytest.mark.parametrize("how", ["nohup", "no terminal"])
def test_a_hangup_that_is_not_its_terminals_is_ignored(start: Start, how: str) -> None:
    terminal, own = pty.openpty()
    if how == "nohup":
        program = start(before=["nohup"], stdin=own)
    else:
        program = start()
        os.close(own)
    program.signal(signal.SIGHUP)
    guest = Guest(program.url, {"v": 1}).enter()
    guest.sends("still here")
    assert not [line for line in program.errors if "stopping" in line]
    guest.leaves()
    os.close(terminal)


def test_a_client_resumes_with_history_in_the_next_process(start: Start) -> None:
    program = start()
    romeo = Guest(program.url, {"v": 1}).enter()
    last = romeo.sends("before")["id"]
    program.signal(signal.SIGTERM)
    romeo.waits_for_disconnect()
    assert program.wait(5) == 0
    again = start()
    back = Guest(again.url, {"v": 1, "token": romeo.you["token"], "after": last}).enter()
    assert (back.name, back.you["gap"], back.you["history"]) == (romeo.name, False, [])
    back.leaves()


def test_draining_refuses_newcomers_only(start: Start) -> None:
    program = start("--drain-delay", "2")
    romeo = Guest(program.url, {"v": 1}).enter()
    assert program.get("/readyz").status_code == 200
    program.signal(signal.SIGTERM)
    until(lambda: program.get("/readyz").status_code == 503, "not ready")
    assert program.get("/healthz").status_code == 200
    assert program.get("/socket.io/?EIO=4&transport=polling").status_code == 503
    romeo.sends("still here")
    romeo.receives("notice", code="closing")
    romeo.waits_for_disconnect()
    assert program.wait(5) == 0


def test_json_logs_hold_no_text_address_or_token(start: Start) -> None:
    program = start("--log-json")
    secret = "a text that nobody may log"
    guest = Guest(program.url, {"v": 1, "room": "a room"}).enter()
    guest.sends(secret)
    guest.asks("message", msg="\x00" + secret)
    refused = program.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": "https://evil.example"})
    assert refused.status_code in (400, 403)
    guest.leaves()
    program.stop()
    logged = [json.loads(line) for line in program.errors]
    assert "stopping" in [record["message"] for record in logged]
    assert any("allowed-origins" in record["message"] for record in logged)
    everything = "\n".join(
        line for line in program.errors if not re.search(r"(https?|telnet)://[\d.]+:\d+", line)
    )
    for private in (secret, "127.0.0.1", guest.you["token"], guest.sid):
        assert private not in everything


def test_the_process_leaves_no_core_dump(start: Start) -> None:
    program = start(before=("prlimit", "--core=unlimited"))
    limits = Path(f"/proc/{program.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), limits
