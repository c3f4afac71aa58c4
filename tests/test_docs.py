"""The documents say what the code does."""

import re
from dataclasses import Field, fields
from pathlib import Path

import pytest

from chatroom.settings import Settings, describe_default, env_of, flag_of

DOCS = Path(__file__).resolve().parents[1] / "docs"
SOURCE = DOCS.parent / "chatroom"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")


def rows(document: str) -> dict[str, list[str]]:
    """The rows of a document's tables by their first cell."""
    lines = (DOCS / document).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: row for row in cells}


@pytest.mark.parametrize("record", fields(Settings), ids=lambda record: record.name)
def test_every_setting_is_documented_with_its_default(record: Field[object]) -> None:
    row = rows("settings.md")[f"`{flag_of(record.name)}`"]
    _flag, environment, unit, default, sentence = row
    assert environment == ", ".join(f"`{name}`" for name in env_of(record.name))
    assert unit == (record.metadata["unit"] or "–")
    assert default == (f"`{shown}`" if (shown := describe_default(record.default)) else "–")
    assert sentence


def test_every_environment_name_that_is_shown_is_a_setting() -> None:
    files = [*DOCS.glob("*.md"), *(DOCS.parent / "deploy").iterdir()]
    files += [
        DOCS.parent / name for name in ("Dockerfile", "compose.yaml", "fly.toml", "render.yaml", "README.md")
    ]
    shown = {
        (path.name, name)
        for path in files
        for name in re.findall(r"CHATROOM_(?!TEST_)[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    known = {name for record in fields(Settings) for name in env_of(record.name)}
    assert shown
    assert {(path, name) for path, name in shown if name not in known} == set()


def test_operating_shows_the_same_commands_in_both_languages() -> None:
    english, chinese = (
        (DOCS / name).read_text(encoding="utf-8") for name in ("operating.md", "operating.zh-CN.md")
    )
    indented = re.compile(r"^    .*$", re.MULTILINE)
    assert indented.findall(english) == indented.findall(chinese)
    assert len(re.findall("^##", english, re.MULTILINE)) == len(re.findall("^##", chinese, re.MULTILINE))


def test_the_procfile_starts_the_server_without_a_disk() -> None:
    command = (DOCS.parent / "Procfile").read_text(encoding="utf-8").split()
    assert command[:3] == ["web:", "chatroom", "serve"]
    settings = Settings.read(command[3:], {"PORT": "12345"})
    assert (settings.port.number, settings.history, settings.line_port) == (12345, 0, None)
    assert settings.trust_proxy


def test_no_setting_is_documented_that_does_not_exist() -> None:
    flags = {first.strip("`") for first in rows("settings.md") if first.startswith("`--")}
    assert flags == {flag_of(record.name) for record in fields(Settings)}


def test_names_of_tests_have_at_most_ten_words() -> None:
    """As CONTRIBUTING.md says."""
    names = {
        name
        for path in (DOCS.parent / "tests").rglob("test_*.py")
        for name in re.findall(r"def test_(\w+)", path.read_text(encoding="utf-8"))
    }
    assert len(names) > 1000
    assert {name for name in names if len(name.split("_")) > 10} == set()


def test_the_architecture_lists_every_module_once() -> None:
    modules = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")}
    firsts = re.findall(r"^\| ((?:`[\w/]+\.py`(?:, )?)+) \|", ARCHITECTURE, re.MULTILINE)
    listed = [path for first in firsts for path in re.findall(r"`([\w/]+\.py)`", first)]
    assert sorted(listed) == sorted(set(listed))
    assert set(listed) <= modules
    assert {path for path in modules if not Path(path).name.startswith("__")} - set(listed) == set()


def test_the_architecture_names_functions_where_they_are() -> None:
    """The page writes "`name` in `path/file`" only where the file defines the name."""
    named = re.findall(r"((?:`[\w.]+`(?:, | and )?)+) in\s`([\w/.]+\.(?:py|ts|svelte))`", ARCHITECTURE)
    assert len(named) > 100
    for names, path in named:
        root = SOURCE if (SOURCE / path).is_file() else DOCS.parent
        text = (root / path).read_text(encoding="utf-8")
        for name in re.findall(r"[\w]+", names.replace(" and ", " ")):
            defined = rf"\b(?:def|class|function|const) {name}\b|^ *{name}\b(?:: [\w\[\]]+)? ="
            assert re.search(defined, text, re.MULTILINE), f"{path} has no {name}"


def test_every_file_that_the_architecture_names_exists() -> None:
    named = set(re.findall(r"`([\w/.]+\.(?:py|ts|svelte|md|json|toml))`", ARCHITECTURE))
    roots = (SOURCE, DOCS.parent)
    assert {path for path in named if not any((root / path).is_file() for root in roots)} == set()
