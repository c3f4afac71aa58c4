"""Make .venv, build the page, install the program: `make run` and `make test` run this when something is missing.

    python scripts/set_up.py run|test [GOALS]

Every step prints what it does. An error is one line, before the output of the tool that failed. This script runs on any
Python 3, because it must report a Python that is too old: hence the types in quotes. GOALS are the goals of `make`.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NEEDED = (3, 11)
PACKAGES = {"run": ".", "test": ".[tui,test]"}
SHOWN_LINES = 15
# What pip prints when it cannot reach the index.
UNREACHABLE = ("Retrying (", "NewConnectionError", "Could not fetch URL")


class SetUpError(Exception):
    """The set-up failed; the text begins with a line that says why, and what to do."""


def main(arguments: "list[str]") -> int:
    kind = arguments[0]
    goals = " ".join(arguments[1:]) or kind
    began = time.monotonic()
    try:
        if not (PYTHON.exists() and (VENV / "bin" / "pip").exists()):
            check_python(goals)
            make_venv()
        build_page(kind)
        say("installing the program and its libraries")
        pip("install", "--editable", PACKAGES[kind])
    except SetUpError as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next run goes on from here")
        return 130
    say(f"done in {time.monotonic() - began:.0f} s")
    return 0


def check_python(goals: str) -> None:
    """Check that this Python is new enough and complete: Debian and Ubuntu have parts of it in another package."""
    version = "{}.{}".format(*sys.version_info[:2])
    if tuple(sys.version_info[:2]) < NEEDED:
        needed = "{}.{}".format(*NEEDED)
        raise SetUpError(
            f"Python {needed} or newer is needed, this is {version}: make {goals} PYTHON=python3.13"
        )
    try:
        import ensurepip  # noqa: F401 - only to check that it is installed
        import venv  # noqa: F401 - the same; Debian has it in another package
    except ImportError:
        raise SetUpError(
            f"this Python cannot make virtual environments; on Debian and Ubuntu: apt install python{version}-venv"
        ) from None


def make_venv() -> None:
    """Make .venv, or nothing: an incomplete one would fail in every later run."""
    say("making .venv")
    try:
        failed, output = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        if failed:
            raise SetUpError(f"cannot make .venv\n{output}")
    except BaseException:
        shutil.rmtree(VENV, ignore_errors=True)
        raise


def build_page(kind: str) -> None:
    sys.path.insert(0, str(ROOT / "web"))
    import build_page as page

    # The tests' own tools need Node even if the page is built already.
    wanted = page.requirements() if kind == "run" or page.node_on_path() else [page.NODE_WHEEL]
    if wanted:
        say("fetching Node: there is none on the PATH that is new enough")
        pip("install", *wanted)
    if subprocess.run([str(PYTHON), "web/build_page.py"], cwd=str(ROOT)).returncode:
        raise SetUpError("the page could not be built")


def pip(*arguments: str) -> None:
    """Run pip; on a terminal, show the package that it installs."""
    warned = False

    def watch(line: str) -> None:
        nonlocal warned
        if not warned and any(sign in line for sign in UNREACHABLE):
            warned = True
            say("the package index does not answer; is there a network? PIP_INDEX_URL chooses a mirror")
        words = line.split()
        if words[:1] == ["Collecting"] or words[:1] == ["Downloading"]:
            show(words[1].rpartition("/")[2])
        elif words[:1] == ["Installing"]:
            show("writing files")

    failed, output = run([str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments], watch)
    show("")
    if failed:
        tail = "\n".join(output.splitlines()[-SHOWN_LINES:])
        raise SetUpError(f"pip could not install what is needed\n{tail}")


def run(command: "list[str]", watch: "Callable[[str], None] | None" = None) -> "tuple[bool, str]":
    """Run a command, passing each line to `watch`; returns whether it failed, and its output."""
    lines = []
    with subprocess.Popen(
        command, cwd=str(ROOT), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True, encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if watch is not None:
                watch(line.strip())
    return process.returncode != 0, "".join(lines).rstrip()


def say(text: str) -> None:
    show("")
    print(f"set up: {text}", file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Overwrite the last line of the terminal; print nothing elsewhere."""
    if sys.stderr.isatty():
        width = max(1, min(shutil.get_terminal_size().columns, 80) - 3)
        sys.stderr.write("\r\x1b[K" + ("  " + text[:width] if text else ""))
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
