"""The server's sentences."""

from __future__ import annotations

import pytest

from chatroom.core.commands import COMMANDS
from chatroom.core.errors import RateLimited
from chatroom.gateways.words import LANGUAGES, WORDS


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("renamed", {"name": "阿狸"}, "你现在叫阿狸。"),
        ("renamed", {"name": "fox"}, "你现在叫 fox。"),
        ("line_renamed", {"old": "阿狸2", "new": "小满"}, "阿狸2 改名为小满"),
        ("people_here", {"count": 3}, "3 人在线"),
        ("line_reuse", {"name": "阿狸"}, "Reuse: 阿狸已经有人用了"),
        (
            "name_gone",
            {"name": "明明", "other": "明"},
            '没有发送：明明已经离开了。想私聊明，请输入 /to "明" TEXT。',
        ),
        ("whisper_to", {"name": "阿狸", "text": " {name} 早 "}, "（私聊阿狸） {name} 早 "),
    ],
)
def test_chinese_has_spaces_beside_letters_and_numbers_only(
    key: str, values: dict[str, object], expected: str
) -> None:
    assert WORDS["zh"].say(key, **values) == expected


def test_a_command_in_a_sentence_stays_whole() -> None:
    said = WORDS["zh"].say("talk_moved", name="阿狸", before="小满")
    assert "to:小满 回到小满，" in said


@pytest.mark.parametrize(("seconds", "shown"), [(0.004, "0.1"), (0.5, "0.5"), (1.01, "1.1")])
def test_the_time_to_wait_is_rounded_up(seconds: float, shown: str) -> None:
    assert WORDS["en"].refusal(RateLimited(retry_after=seconds)) == f"Too fast. Try again in {shown} s."


def test_a_private_text_has_one_name_in_each_language() -> None:
    helps = {lang: {record.name: record.help[lang] for record in COMMANDS} for lang in LANGUAGES}
    for lang, other in (("en", "private message"), ("zh", "发送失败"), ("zh", "悄悄话")):
        sentences = {**LANGUAGES[lang], **helps[lang]}
        assert {key for key, sentence in sentences.items() if other in sentence.lower()} == set()
