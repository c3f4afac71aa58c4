"""The terminal client's own sentences."""

from __future__ import annotations

import re

import pytest

from chatroom.core.reserved import is_reserved
from chatroom.terminal.audience import Audience, NotSent
from chatroom.terminal.view import View
from chatroom.terminal.words import SENTENCES, words


def test_both_languages_have_each_sentence_with_its_blanks() -> None:
    blanks = {
        lang: {key: set(re.findall(r"\{(\w+)", text)) for key, text in sentences.items()}
        for lang, sentences in SENTENCES.items()
    }
    assert blanks["en"] == blanks["zh"]
    # Keys, commands and encodings are left; whatever else is in Latin letters is not translated.
    latin = {
        key: re.sub(
            r"/to (?:NAME|\{name\}) TEXT|\{.*?\}|F\d|PgUp|Ctrl\+.|Esc|UTF-8|/help|/say|/who|/quit|to:",
            "",
            text,
        )
        for key, text in SENTENCES["zh"].items()
    }
    assert {key: text for key, text in latin.items() if re.search("[A-Za-z]", text)} == {}


@pytest.mark.parametrize("lang", SENTENCES)
def test_nobody_can_have_the_readers_name_in_whispers(lang: str) -> None:
    you, _arrow, _partner = words(lang).say("whisper_by", name="fox").partition(" -> ")
    assert is_reserved(you)


@pytest.mark.parametrize(
    ("lang", "greeting", "refusal"),
    [
        (
            "zh",
            "* 你在房间 lobby，名字是阿狸。1 人在线。",
            "房间里没有人叫 Eve。输入 /who 可以看到谁在；要原样发送，请以 /say 开头。",
        ),
        (
            None,
            "* You are 阿狸 in lobby. 1 person here.",
            "No one here is called Eve. /who lists who is here. To send it as a message, begin it with /say.",
        ),
    ],
)
def test_the_client_uses_the_language_of_the_locale(lang: str | None, greeting: str, refusal: str) -> None:
    view, audience = View(words(lang)), Audience(words(lang))
    you = {"username": "阿狸", "sid": "f", "history": []}
    (shown,) = view.show({"action": "login", "room": "lobby", "name_list": [["阿狸", "f"]], "you": you})
    assert shown.text() == greeting
    assert audience.take("to:Eve", view.names, "f", 0.0) == NotSent(refusal)
