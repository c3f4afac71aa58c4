"""The data folder: whose it is, and the secret in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chatroom.datadir import DataDir, DataDirError


def test_the_folder_is_made_and_held(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "deep" / "data")
    with pytest.raises(DataDirError, match="used by another chatroom"):
        DataDir(tmp_path / "deep" / "data")
    folder.close()
    DataDir(tmp_path / "deep" / "data").close()


def test_a_folder_that_is_made_is_for_its_owner_only(tmp_path: Path) -> None:
    DataDir(tmp_path / "deep" / "data").close()
    assert stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode) == 0o700


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o750)
    DataDir(tmp_path / "data").close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o750


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being itself")
@pytest.mark.parametrize(
    ("there", "cure"),
    [(False, "`install -d -m 700 -o 65534 {}`, as root,"), (True, "`chown -R 65534 {}`, as root,")],
)
def test_the_cure_never_gives_away_the_folder_around_it(there: bool, cure: str) -> None:
    with TemporaryDirectory() as around:  # pytest's own folders are closed to anybody else
        Path(around).chmod(0o755)
        data = Path(around) / "data"
        if there:
            data.mkdir(mode=0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(DataDirError) as refused:
                DataDir(data)
        finally:
            os.seteuid(0)
    assert cure.format(data) in str(refused.value)


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    secret = folder.secret()
    assert len(secret) == 32
    assert folder.secret() == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    folder.close()


def test_half_a_secret_is_refused_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    folder = DataDir(tmp_path)
    with pytest.raises(DataDirError, match="delete it"):
        folder.secret()
    folder.close()


@pytest.mark.parametrize(("wanted", "why"), [("data", "it is a file"), ("data/room", "{} is a file")])
def test_a_file_in_the_way_is_named_with_the_cure(tmp_path: Path, wanted: str, why: str) -> None:
    file = tmp_path / "data"
    file.write_text("in the way")
    with pytest.raises(DataDirError) as refused:
        DataDir(tmp_path / wanted)
    line = f"cannot write to the data folder {tmp_path / wanted} ({why.format(file)}): choose another folder with"
    assert str(refused.value).startswith(line)
    assert file.read_text() == "in the way"


@pytest.mark.parametrize("name", ["chatroom.db", "chatroom.db-wal", "chatroom.db-shm"])
def test_files_that_others_may_read_are_closed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch(mode=0o644)
    folder = DataDir(tmp_path)
    folder.claim("chatroom.db")
    folder.close()
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_folder_in_the_place_of_the_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "chatroom.db").mkdir()
    folder = DataDir(tmp_path)
    with pytest.raises(DataDirError) as refused:
        folder.claim("chatroom.db")
    folder.close()
    assert str(refused.value).startswith(
        f"cannot open {tmp_path / 'chatroom.db'} (it is a folder): move it away"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being itself")
def test_a_log_of_another_user_is_named_with_the_cure() -> None:
    with TemporaryDirectory() as around:  # pytest's own folders are closed to anybody else
        data = Path(around)
        data.chmod(0o777)
        (data / "chatroom.db").touch(mode=0o600)
        os.seteuid(65534)
        try:
            folder = DataDir(data)
            with pytest.raises(DataDirError) as refused:
                folder.claim("chatroom.db")
            folder.close()
        finally:
            os.seteuid(0)
    reason = f"cannot open {data / 'chatroom.db'} (Permission denied): `chown -R 65534 {data}`, as root,"
    assert str(refused.value).startswith(reason)
