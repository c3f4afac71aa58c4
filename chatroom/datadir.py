"""The data folder: created if missing, closed to other users, used by one process at a time, with the secret in it.

It knows files and their owners, and nothing of what is written into them.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import secrets
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

log = logging.getLogger(__name__)

_LOCK = "lock"
_SECRET = "secret"
_SECRET_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OURS = re.compile(  # what a folder holds that is the chatroom's alone; earlier versions made `.writable`
    rf"chatroom\.db.*|{_SECRET}|{_SECRET}\.part|{_LOCK}|lost\+found|\.writable"
)
_OTHER_FOLDER = "choose another folder with --data-dir, or --history 0 to keep nothing"


class DataDirError(Exception):
    """The folder cannot be used; the text is one line that names the remedy."""


class DataDir:
    """A data folder, locked until `close`.

    Raises:
        DataDirError: it cannot be created or written, other users can open it, or another process uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            # Messages are for people who know the room, not for every user of this machine.
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            was_open = _close_folder(self.path)
            with ExitStack() as undo:
                self._lock: IO[bytes] = undo.enter_context((path / _LOCK).open("ab"))
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with TemporaryFile(dir=path) as trial:
                    trial.write(b"x")  # permission bits do not show a read-only mount or a full disk
                closed = _close_files(self.path)
                undo.pop_all()
        except BlockingIOError:
            raise DataDirError(
                f"{self.path} is used by another chatroom; stop it or choose another folder with --data-dir"
            ) from None
        except OSError as problem:
            raise DataDirError(
                f"cannot write to the data folder {self.path} ({_why(self.path, problem)}): "
                f"{_cure(self.path, self.path, problem)}"
            ) from None
        if was_open:
            log.warning(
                "other users of this machine could open the data folder %s; now they cannot (closed: %s)",
                self.path,
                ", ".join(("the folder", *closed)),
            )

    def claim(self, name: str) -> None:
        """Check that a database in the folder can be opened, with its `-wal` and `-shm`.

        Raises:
            DataDirError: it exists and cannot be opened.
        """
        for path in (self.path / name, self.path / f"{name}-wal", self.path / f"{name}-shm"):
            if not os.path.lexists(path):
                continue
            if path.is_dir():
                raise DataDirError(f"cannot open {path} (it is a folder): move it away, or {_OTHER_FOLDER}")
            if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
                raise DataDirError(
                    f"cannot open {path} ({os.strerror(errno.EACCES)}): {_cure(self.path, path)}"
                )

    def secret(self) -> bytes:
        """The secret that signs tokens, created at the first start; only its owner can read the file.

        Raises:
            DataDirError: the file cannot be read, or is damaged.
        """
        path = self.path / _SECRET
        try:
            if not path.exists():
                self._write_secret(path)
            secret = path.read_bytes()
        except OSError as problem:
            raise DataDirError(
                f"cannot open {path} ({problem.strerror}): {_cure(self.path, path, problem)}"
            ) from None
        if len(secret) != _SECRET_BYTES:
            raise DataDirError(
                f"{path} is damaged; delete it, and the next start creates a new one (old resume tokens become invalid)"
            )
        return secret

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.close()

    def _write_secret(self, path: Path) -> None:
        # Whole or not at all: after a crash, half a secret would invalidate every token.
        part = path.with_name(_SECRET + ".part")
        with suppress(FileNotFoundError):
            part.unlink()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)


def _close_folder(folder: Path) -> bool:
    """Close the folder to other users, if it is ours; returns whether it was open.

    Raises:
        DataDirError: it has to stay open, or to be given to this user first.
    """
    found = folder.stat()
    if not found.st_mode & _OTHERS:
        return False
    is_ours = found.st_uid == os.geteuid()
    others = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
    if others:
        raise DataDirError(_open(folder, f"it holds other files, such as {others[0]}", _OTHER_FOLDER))
    if not is_ours:
        cure = _OTHER_FOLDER if found.st_mode & stat.S_ISVTX else _chown(folder)  # sticky: one for everybody
        raise DataDirError(_open(folder, "it belongs to another user", cure))
    with suppress(OSError):
        folder.chmod(0o700)
    if folder.stat().st_mode & _OTHERS:
        raise DataDirError(_open(folder, "its file system keeps no permissions", _OTHER_FOLDER))
    return True


def _close_files(folder: Path) -> list[str]:
    """Close the folder's files to other users; returns the names of those that were open.

    Raises:
        DataDirError: one of the chatroom's own belongs to another user.
    """
    closed = []
    for path in sorted(folder.iterdir()):
        # A link is not followed: someone may have left it there while the folder was open.
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or not found.st_mode & _OTHERS:
            continue
        if found.st_uid == os.geteuid():
            path.chmod(0o600)
            closed.append(path.name)
        elif _OURS.fullmatch(path.name):
            raise DataDirError(_open(path, "it belongs to another user", _chown(folder)))
    return closed


def _open(path: Path, why: str, cure: str) -> str:
    return f"other users of this machine can open {path} ({why}): {cure}"


def _chown(folder: Path) -> str:
    uid = os.geteuid()
    return f"`chown -R {uid} {folder}`, as root, gives it to this user (uid {uid}), or {_OTHER_FOLDER}"


def _why(path: Path, problem: OSError) -> str:
    """What is wrong. If a file is in the way, the system does not say which one."""
    file = _file_in_the_way(path)
    if file is None:
        return problem.strerror or str(problem)
    return "it is a file" if file == path else f"{file} is a file"


def _file_in_the_way(path: Path) -> Path | None:
    parts = (path, *path.parents)
    return next(filter(os.path.isfile, parts), None)  # `Path.is_file` raises without permission


def _cure(folder: Path, path: Path, problem: OSError | None = None) -> str:
    """What to do. It never suggests a chown of the parent folder, which may be the system's.

    Args:
        path: the folder, or the file in it that could not be used.
    """
    if problem is not None and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"free some space there, or {_OTHER_FOLDER}"
    uid = os.geteuid()
    if uid == 0 or _file_in_the_way(folder) is not None:
        return _OTHER_FOLDER
    if os.path.lexists(folder) and not os.access(folder, os.R_OK, effective_ids=True):
        return _OTHER_FOLDER  # it may hold anything, as /root does
    if not os.path.lexists(folder):
        return f"`install -d -m 700 -o {uid} {folder}`, as root, makes it for this user (uid {uid}), or {_OTHER_FOLDER}"
    if (path if os.path.lexists(path) else folder).lstat().st_uid != uid:
        return _chown(folder)
    return _OTHER_FOLDER
