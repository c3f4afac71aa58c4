"""The files of `deploy/`: what they take away from a program that someone has broken into."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

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


def test_the_systemd_unit_puts_no_memory_on_the_disk() -> None:
    assert {"LimitCORE=0", "MemorySwapMax=0"} <= set(UNIT.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(("service", "adds"), [("chatroom", ""), ("caddy", "[NET_BIND_SERVICE]")])
def test_a_container_of_compose_may_do_little(service: str, adds: str) -> None:
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    (text,) = re.findall(rf"^  {service}:\n((?:    .*\n|\n)+)", compose, re.MULTILINE)
    found = dict(re.findall(r"^    (\w+): *(.*?)(?: +#.*)?$", text, re.MULTILINE))
    wanted = {"read_only": "true", "cap_drop": "[ALL]", "security_opt": '["no-new-privileges:true"]'}
    assert {key: found.get(key) for key in wanted} == wanted
    assert found.get("cap_add", "") == adds
    assert found["mem_limit"] == found["memswap_limit"]
    assert int(found["pids_limit"]) > 0
    assert re.search(r"^      core: 0\b", text, re.MULTILINE)
