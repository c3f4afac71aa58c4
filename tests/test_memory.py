"""Memory that is free goes back to the system."""

from __future__ import annotations

from pathlib import Path

from chatroom.memory import Trimmer

_PIECES = 4000


def resident_kb() -> int:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])


def test_free_memory_between_used_pieces_is_given_back() -> None:
    now = [0.0]
    trimmer = Trimmer(lambda: now[0])
    pieces = [bytes([1]) * 10_000 for _ in range(_PIECES)]
    used = pieces[::8]
    del pieces
    before = resident_kb()
    trimmer.trim()  # it is not time yet
    assert before - resident_kb() < _PIECES
    now[0] += 60
    trimmer.trim()
    assert before - resident_kb() > _PIECES  # of 35 MB, most
    assert len(used) == _PIECES / 8
