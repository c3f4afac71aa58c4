"""The files of `deploy/`: what they take away from a program that someone has broken into."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.faults.disks import needed

ROOT = Path(__file__).resolve().parents[1]
UNIT = ROOT / "deploy" / "chatroom.service"
HIGHEST_SCORE = 20  # tenths; the lower, the less the service may do


def test_the_systemd_unit_may_do_little() -> None:
    if shutil.which("systemd-analyze") is None:
        needed("systemd-analyze is not installed")
    scored = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={HIGHEST_SCORE}", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert scored.returncode == 0, scored.stdout + scored.stderr


def test_the_systemd_unit_leaves_no_core_dump() -> None:
    assert "LimitCORE=0" in UNIT.read_text(encoding="utf-8").splitlines()
