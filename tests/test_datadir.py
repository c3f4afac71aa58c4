"""The data folder: whose it is, and the secret in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chatroom.datadir import DataDir, DataDirError


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_folder_is_made_and_held(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "deep" / "data")
    with pytest.raises(DataDirError, match="used by another chatroom"):
        DataDir(tmp_path / "deep" / "data")
    folder.close()
    DataDir(tmp_path / "deep" / "data").close()


def test_a_folder_that_is_made_is_for_its_owner_only(tmp_path: Path) -> None:
    DataDir(tmp_path / "deep" / "data").close()
    assert mode_of(tmp_path / "deep" / "data") == 0o700


def test_an_open_folder_and_its_files_become_private(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("chatroom.db", "chatroom.db-wal", "chatroom.db.corrupt-20260101-000000", "secret", "lock")
    for name in names:
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o664)
    (tmp_path / "lost+found").mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    DataDir(tmp_path).close()
    assert {mode_of(tmp_path / name) for name in names} == {0o600}
    assert mode_of(tmp_path) == 0o700
    assert mode_of(tmp_path / "lost+found") == 0o755
    (line,) = caplog.messages
    assert line.startswith(
        f"other users of this machine could open the data folder {tmp_path}; now they cannot"
    )
    assert [name for name in names if name not in line] == []
    DataDir(tmp_path).close()
    assert len(caplog.messages) == 1


def test_no_link_in_the_folder_is_followed(tmp_path: Path) -> None:
    """Whoever could write to the folder may have left it there."""
    (tmp_path / "others").touch(mode=0o644)
    data = tmp_path / "data"
    data.mkdir(mode=0o777)
    (data / "secret.part").symlink_to(tmp_path / "others")
    DataDir(data).close()
    assert mode_of(tmp_path / "others") == 0o644


@pytest.mark.parametrize(("mode", "other"), [(0o1777, ".X11-unix"), (0o755, "letters.txt")])
def test_an_open_folder_of_others_is_left_alone(tmp_path: Path, mode: int, other: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / other).touch(mode=0o644)
    data.chmod(mode)
    with pytest.raises(DataDirError) as refused:
        DataDir(data)
    assert str(refused.value).startswith(f"other users of this machine can open {data} (")
    assert str(refused.value).endswith(
        "): choose another folder with --data-dir, or --history 0 to keep nothing"
    )
    assert mode_of(data) == mode
    assert [path.name for path in data.iterdir()] == [other]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being itself")
@pytest.mark.parametrize(("mode", "file"), [(0o777, None), (0o700, "secret"), (0o700, "chatroom.db")])
def test_what_another_user_leaves_open_is_refused(mode: int, file: str | None) -> None:
    with TemporaryDirectory() as around:  # pytest's own folders are closed to anybody else
        data = Path(around)
        if file:
            (data / file).write_bytes(bytes(32))
            (data / file).chmod(0o666)
            os.chown(data, 65534, -1)
        data.chmod(mode)
        os.seteuid(65534)
        try:
            with pytest.raises(DataDirError) as refused:
                DataDir(data)
        finally:
            os.seteuid(0)
        assert mode_of(data) == mode
    assert f"`chown -R 65534 {data}`, as root, gives it to this user (uid 65534)" in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being itself")
@pytest.mark.parametrize(
    ("mode", "cure"),
    [
        (None, "`install -d -m 700 -o 65534 {}`, as root,"),
        (0o755, "`chown -R 65534 {}`, as root,"),
        (0o700, "{} (Permission denied): choose another folder with --data-dir,"),  # such as /root
    ],
)
def test_the_cure_never_gives_away_the_folder_around_it(mode: int | None, cure: str) -> None:
    with TemporaryDirectory() as around:  # pytest's own folders are closed to anybody else
        Path(around).chmod(0o755)
        data = Path(around) / "data"
        if mode is not None:
            data.mkdir(mode=mode)
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
    assert mode_of(tmp_path / "secret") == 0o600
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
        (data / "chatroom.db").touch(mode=0o600)
        os.chown(data, 65534, -1)
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
