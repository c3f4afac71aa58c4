"""The documents say what the code does."""

from dataclasses import fields
from pathlib import Path

import pytest

from chatroom.settings import Settings, describe_default, env_of, flag_of

DOCS = Path(__file__).resolve().parents[1] / "docs"


def rows(document: str) -> dict[str, list[str]]:
    """The rows of a document's tables by their first cell."""
    lines = (DOCS / document).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: row for row in cells}


@pytest.mark.parametrize("record", fields(Settings), ids=lambda record: record.name)
def test_every_setting_is_documented_with_its_default(record) -> None:
    row = rows("settings.md")[f"`{flag_of(record.name)}`"]
    _flag, environment, unit, default, sentence = row
    assert environment == ", ".join(f"`{name}`" for name in env_of(record.name))
    assert unit == (record.metadata["unit"] or "–")
    assert default == (f"`{shown}`" if (shown := describe_default(record.default)) else "–")
    assert sentence


def test_no_setting_is_documented_that_does_not_exist() -> None:
    flags = {first.strip("`") for first in rows("settings.md") if first.startswith("`--")}
    assert flags == {flag_of(record.name) for record in fields(Settings)}
