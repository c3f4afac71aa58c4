"""What the log shows of a fault: where it happened, never what people wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECRET = "what fox whispered"
# Each way in which an exception that nobody expected can reach standard error; its text quotes a client.
FAULTS = f"""
from chatroom import runtime
runtime.patch()
import logging, os, sys, threading
from chatroom import logs
logs.set_up(as_json="json" in sys.argv)

def fail(*_):
    raise ValueError("{SECRET}".replace(" ", "-"))

def fail_in_turn():
    try:
        fail()
    except ValueError as problem:
        raise KeyError("{SECRET}".replace(" ", "-")) from problem

class Unclean:
    __del__ = fail

runtime.call_soon(fail)
runtime.call_later(0, fail)
runtime.spawn(fail)
reader, writer = os.pipe()
runtime.sleep(0.01)
from eventlet.hubs import get_hub
hub = get_hub()
hub.add(hub.READ, reader, fail, fail, fail)
os.write(writer, b"x")
runtime.sleep(0.01)
del hub
Unclean()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
try:
    fail_in_turn()
except KeyError:
    logging.getLogger("chatroom.service").exception("a gateway failed")
fail_in_turn()
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_fault_brings_a_clients_text_into_the_log(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, form],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    written = done.stdout + done.stderr
    assert SECRET.replace(" ", "-") not in written, written
    lines = done.stderr.splitlines()
    faults = (
        [json.loads(line)["exception"] for line in lines]
        if form == "json"
        else done.stderr.split("Z error")[1:]
    )
    assert len(faults) == 9, written
    for fault in faults:
        assert "Traceback (most recent call last):" in fault
        assert "in fail" in fault
        assert "ValueError" in fault
