"""What `make run` does first: what is missing is one line, and nothing half made stays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as the set-up needs before it fails."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "set_up.py", tmp_path / "scripts")
    (tmp_path / "web").mkdir()
    shutil.copy(ROOT / "web" / "build_page.py", tmp_path / "web")
    return tmp_path


def set_up(checkout: Path, before: str, *, code: int = 1, **environ: str) -> list[str]:
    """Set up in a Python that is first changed by `before`; gives the lines of the failure, which exits with `code`."""
    script = f"import runpy, sys; sys.argv = ['set_up.py', 'run', 'run']; {before}"
    script += "; runpy.run_path('scripts/set_up.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", **environ},
    )  # fmt: skip
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (
            "sys.version_info = (3, 10, 13)",
            "set up: Python 3.11 or newer is needed, this is 3.10: make run PYTHON=python3.13",
        ),
        (
            "sys.modules['ensurepip'] = None",
            "set up: this Python cannot make virtual environments; on Debian and Ubuntu: "
            + "apt install python{}.{}-venv".format(*sys.version_info[:2]),
        ),
    ],
    ids=["old", "without ensurepip"],
)
def test_a_python_that_will_not_do_is_one_line(checkout: Path, before: str, line: str) -> None:
    assert set_up(checkout, before) == [line]
    assert not (checkout / ".venv").exists()


def test_a_venv_that_fails_half_way_is_removed(checkout: Path) -> None:
    python = checkout / "python"
    python.write_text('#!/bin/sh\nmkdir -p .venv/bin\ntouch .venv/bin/python\necho "no ensurepip"\nexit 1\n')
    python.chmod(0o755)
    lines = set_up(checkout, f"sys.executable = {str(python)!r}")
    assert lines == ["set up: making .venv", "set up: cannot make .venv", "no ensurepip"]
    assert not (checkout / ".venv").exists()


def test_half_a_venv_from_an_earlier_run_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert set_up(checkout, "sys.executable = '/bin/false'")[0] == "set up: making .venv"


def test_an_interrupt_is_one_line(checkout: Path) -> None:
    while_it_starts = (
        "import signal, subprocess; subprocess.Popen = lambda *_, **__: signal.raise_signal(signal.SIGINT)"
    )
    lines = set_up(checkout, while_it_starts, code=130)
    assert lines == ["set up: making .venv", "set up: interrupted; the next run goes on from here"]
    assert not (checkout / ".venv").exists()


def test_without_a_network_our_line_comes_first(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "pip").touch()
    python = checkout / ".venv" / "bin" / "python"
    python.write_text(
        '#!/bin/sh\necho "WARNING: Retrying (Retry(total=4)) after connection broken"\nexit 1\n'
    )
    python.chmod(0o755)
    lines = set_up(checkout, "sys.path.insert(0, 'web'); import build_page; build_page.is_built = lambda: False;"
                   "build_page.node_on_path = lambda: None")  # fmt: skip
    assert "the package index does not answer; is there a network? PIP_INDEX_URL" in lines[1]
    assert lines[0] == "set up: fetching Node: there is none on the PATH that is new enough"
    assert lines[2] == "set up: pip could not install what is needed"
