"""The page's own tests, run by its own runner: the pure state, the words, the markdown, the palette."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
BUILDER = WEB / "build_page.py"


@pytest.mark.slow
def test_vitest_passes() -> None:
    done = subprocess.run(
        [sys.executable, BUILDER, "test"], capture_output=True, text=True, timeout=300, check=False
    )
    report = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert done.returncode == 0, report + done.stderr
    passed = re.search(r"Tests\s+(\d+) passed", report)
    assert passed, report
    assert int(passed[1]) > 300


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    addresses = [name for name, package in lock["packages"].items() if "resolved" in package]
    assert lock["packages"]
    assert addresses == []


def test_what_the_page_is_built_with_is_pinned() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = {**package["dependencies"], **package["devDependencies"]}
    loose = {
        name: version for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)
    }
    assert loose == {}
