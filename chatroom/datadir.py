"""The data folder: created if missing, used by one process at a time, with the secret beside the log.

It knows files and their owners, and nothing of what is written into them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO

_LOCK = "lock"
_SECRET = "secret"
_SECRET_BYTES = 32
_OTHER_FOLDER = "choose another folder with --data-dir, or --history 0 to keep nothing"


class DataDirError(Exception):
    """The folder cannot be used; the text is one line that names the remedy."""


class DataDir:
    """A data folder, locked until `close`.

    Raises:
        DataDirError: it cannot be created or written, or another process uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            # Messages are for people who know the room, not for every user of this machine.
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # By writing: permission bits do not show a read-only mount or a full disk.
            self._lock: IO[bytes] = (path / _LOCK).open("ab")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            trial = path / ".writable"
            trial.write_bytes(b"x")
            trial.unlink()
        except BlockingIOError:
            self._lock.close()
            raise DataDirError(
                f"{self.path} is used by another chatroom; stop it or choose another folder with --data-dir"
            ) from None
        except OSError as problem:
            raise DataDirError(
                f"cannot write to the data folder {self.path} ({_why(self.path, problem)}): "
                f"{_cure(self.path, self.path, problem)}"
            ) from None

    def claim(self, name: str) -> None:
        """Check that a database in the folder can be opened, and make it and its `-wal` and `-shm` private.

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
            with suppress(OSError):  # another user's file, which we may write: its mode is theirs
                path.chmod(0o600)

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
    if not os.path.lexists(folder):
        return f"`install -d -m 700 -o {uid} {folder}`, as root, makes it for this user (uid {uid}), or {_OTHER_FOLDER}"
    if (path if os.path.lexists(path) else folder).lstat().st_uid != uid:
        return f"`chown -R {uid} {folder}`, as root, gives it to this user (uid {uid}), or {_OTHER_FOLDER}"
    return _OTHER_FOLDER
