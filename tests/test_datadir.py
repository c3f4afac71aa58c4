"""The data folder: whose it is, and the secret in it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chatroom.datadir import DataDir, DataDirError


def test_the_folder_is_made_and_held(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "deep" / "data")
    with pytest.raises(DataDirError, match="used by another chatroom"):
        DataDir(tmp_path / "deep" / "data")
    folder.close()
    DataDir(tmp_path / "deep" / "data").close()


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
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


def test_a_file_in_the_way_is_refused_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(DataDirError, match="--data-dir"):
        DataDir(tmp_path / "data")
