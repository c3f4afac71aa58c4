"""`docs/protocol.md` is complete and played: each row names its scene, each action and code has its row."""

import re
from pathlib import Path

import pytest

from chatroom.core.errors import Refusal
from chatroom.core.markers import Slash, beginning
from chatroom.gateways.socketio.wire import ACTIONS, Auth

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def _rows() -> list[list[str]]:
    """The cells of every row of the page's tables, without their headings."""
    lines = PAGE.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")]
    headings = {index - 1 for index, row in enumerate(rows) if set("".join(row)) <= set("-| ")}
    return [row for index, row in enumerate(rows) if index not in headings and index - 1 not in headings]


ROWS = _rows()


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_names_a_scene_that_exists(row: list[str]) -> None:
    scenes = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[-1])
    assert scenes, f"no scene in {row}"
    for path, name in scenes:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {name}"


def test_every_action_code_and_auth_key_has_its_row() -> None:
    documented = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[0])}
    codes = {refusal.code for refusal in Refusal.__subclasses__()}
    assert {*ACTIONS, *codes, *Auth.__struct_fields__} - documented == set()


def test_every_form_of_the_slash_is_listed() -> None:
    (sentence,) = re.findall(r"[^.]*other forms of the slash[^.]*as `/`", PAGE)
    listed = {form for forms in re.findall(r"`([^`]+)`", sentence) for form in forms.split()}
    taken = {chr(code) for code in range(0x10000) if isinstance(beginning(f"{chr(code)}who"), Slash)}
    assert listed == taken
