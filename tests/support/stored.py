"""What is stored in a data folder."""

import sqlite3
from contextlib import closing
from pathlib import Path

from chatroom.backplane.file import FILE_NAME


def texts_of(folder: Path, room: str) -> list[str]:
    """The texts of a room, in the order of their ids."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        found = file.execute(
            "SELECT text FROM entry JOIN room ON room = number WHERE key = ? ORDER BY id", (room,)
        )
        return [text for (text,) in found]
