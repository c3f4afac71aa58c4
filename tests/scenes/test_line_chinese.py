"""A server with `--lang zh` at a line terminal: each of its sentences, and Chinese input."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from chatroom.core.commands import COMMANDS
from chatroom.gateways.words import LANGUAGES
from tests.support.lines import Line, Lines, Terminals
from tests.support.program import Program, Start

HAN = re.compile("[\u4e00-\u9fff]")
DATE = re.compile(r"\* \d{4}-\d\d-\d\d$")


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One server for all plays of this file; each begins in an empty lobby."""
    with Program("--limits", "off", "--lang", "zh", data_dir=tmp_path_factory.mktemp("data")) as program:
        yield program


@pytest.fixture
def people(chinese: Program, lines: Lines) -> list[Line]:
    """Three people, none of whose names contains another's."""
    return three(chinese, lines)


@pytest.fixture
def first_people(start: Start, lines: Lines) -> list[Line]:
    """Three people whose names nobody has had before: else a whisper to them is asked about."""
    return three(start("--limits", "off", "--lang", "zh"), lines)


def three(chinese: Program, lines: Lines) -> list[Line]:
    present = []
    for name in ("阿黎", "小曼", "老王"):
        person = lines(port=chinese.line_port, room=None, lang="zh")
        person.types(f"/name {name}")
        person.reads(rf"^\* 你现在叫{name}。$")
        person.name = name
        present.append(person)
    return present


def test_the_greeting_says_room_number_name_and_what_is_kept(chinese: Program, lines: Lines) -> None:
    ali = lines(port=chinese.line_port, room=None, lang="zh")
    assert (ali.room, ali.number) == ("lobby", 1)
    assert "* 每个房间最近 1000 条消息和最近一小时的消息保留 7 天。\r\n" in ali.seen


def test_comings_goings_and_new_names(people: list[Line]) -> None:
    ali, xiaoman, _laowang = people
    ali.reads(r"^\* .* ?进入了房间（2 人在线）$")
    ali.types("/name 老李")
    xiaoman.reads(r"^\* 阿黎改名为老李$")
    ali.types("quit")
    ali.reads(r"^\* 再见。$")
    xiaoman.reads(r"^\* 老李离开了房间.*（2 人在线）$")


def test_refusals(people: list[Line]) -> None:
    ali, xiaoman, _laowang = people
    for line, answer in (
        ("/name 小曼", "Reuse: 小曼已经有人用了"),
        ("/name 管理员", "这个名字是保留的，不能用。"),
        ("/name 小\u200d满", "名字里不能有这个隐藏字符：U+200D。"),
        ("/跳舞", "没有这个命令。输入 /help 查看全部命令；要原样发送，请以 /say 开头。"),
        ("/echo 也许", "用法：/echo on|off"),
        ("to:没有这个人", "房间里没有人叫没有这个人"),
        ("to:", "你现在没有和任何人私聊。用 to:NAME 选一个人，用 /who 查看房间里有谁。"),
        ("to:阿黎", "那是你自己。"),
        ("长" * 2001, "太长了：最多 2000 个字符。"),
        ("x" * 2001, "太长了：最多 2000 个字符。"),
    ):
        ali.types(line)
        ali.reads(rf"^\* {re.escape(answer)}$")
    xiaoman.reads_nothing("长长|xx")


def test_the_help(people: list[Line]) -> None:
    ali = people[0]
    ali.types("/help")
    ali.reads(r"^\* /help +列出所有命令$")
    shown = "\n".join(ali.reads_up_to(r"^\* //text"))
    for record in COMMANDS[1:]:
        assert f"{record.usage} " in shown
        assert record.help["zh"] in shown
    assert "和 NAME 私聊" in shown


def test_a_private_talk(first_people: list[Line]) -> None:
    ali, xiaoman, laowang = first_people
    ali.types("to:小曼")
    ali.reads(r"^\* 你的消息现在只有小曼看得到。单独输入 to: 结束。$")
    xiaoman.reads(r"^\* 阿黎开始和你私聊：")
    ali.types("今晚见")
    xiaoman.reads(r"^\[..:..:..\] 阿黎 -> you: 今晚见$")
    laowang.types("to:小曼")
    xiaoman.reads(r"^\* 现在你在和老王私聊，不是阿黎。to:阿黎 回到阿黎")
    ali.reads(r"^\* 小曼正在和别人私聊。")
    laowang.types("quit")
    xiaoman.reads(r"^\* 老王离开了，私聊结束。$")
    xiaoman.types("还在吗")
    xiaoman.reads(r"^\* 没有发送：")
    xiaoman.types("大家好")
    ali.receives("小曼", "大家好")


def test_rooms_history_and_who(first_people: list[Line]) -> None:
    ali, xiaoman, _laowang = first_people
    ali.types("/who")
    ali.reads(r"^\* 3 人在线：阿黎、小曼、老王$")
    ali.types("/rooms")
    ali.reads(r"^\* 房间：lobby（3 人）$")
    ali.types("/join 茶馆")
    ali.reads(r"^\* 你在房间茶馆，1 人在线。$")
    ali.types("/history")
    ali.reads(r"^\* 还没有消息。$")
    xiaoman.types("/to 老王 晚上见")
    xiaoman.reads(r"^\* 只发给了老王。$")


def test_no_sentence_is_left_in_english(people: list[Line]) -> None:
    """Every notice of a busy session contains a Chinese character, except for the dates."""
    ali, _xiaoman, _laowang = people
    for line in (
        "/help",
        "/who",
        "/rooms",
        "/echo on",
        "/echo off",
        "/history",
        "/nonsense",
        "/to",
        "to:x",
        "quit",
    ):
        ali.types(line)
    ali.reads(r"^\* 再见。$")
    notices = [line for line in ali.seen.split("\r\n") if line.startswith("* ")]
    assert len(notices) > 20
    assert [line for line in notices if not HAN.search(line) and not DATE.match(line)] == []


def test_both_languages_have_the_same_sentences_with_the_same_values() -> None:
    english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        values = set(re.findall(r"\{(\w+)", sentence))
        assert set(re.findall(r"\{(\w+)", chinese[key])) == values, key


def test_chinese_typed_at_telnet_and_netcat_in_pieces(
    chinese: Program, people: list[Line], terminals: Terminals
) -> None:
    ali = people[0]
    for program in ("telnet", "nc"):
        guest = terminals(program, "127.0.0.1", chinese.line_port)
        guest.greeted("zh")
        for byte in "你好，世界".encode():
            guest.types_raw(bytes([byte]))
            guest.has_seen("never seen", 0.01)  # each byte comes by itself
        assert "世界" not in ali.seen
        guest.types("")
        ali.receives(guest.name, "你好，世界")
        ali.seen = ""
