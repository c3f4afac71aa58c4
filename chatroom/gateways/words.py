"""The server's own sentences, in English and Chinese: refusals by code, answers to commands, notices.

Gateways choose words, nobody else does; pages word refusals themselves, by code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatroom.core.errors import Refusal

_ENGLISH: Final[Mapping[str, str]] = {
    "bad_request": "This could not be understood.",
    "unknown_action": "There is no such action.",
    "unknown_command": "There is no such command. /help lists them.",
    "empty": "There is nothing in it.",
    "too_long": "This is too long: at most {limit} characters.",
    "name_taken": "The name is taken.",
    "name_invalid": "This cannot be a name: 1 to 32 visible characters.",
    "name_reserved": "This name is reserved.",
    "no_such_person": "Nobody here is called that.",
    "room_invalid": "This cannot be a room: 1 to 64 visible characters, no slash.",
    "room_full": "The room is full.",
    "rate_limited": "Too fast. Try again in {retry_after:.1f} s.",
    "unavailable": "The message could not be kept. Try again.",
    "usage": "Use it so: {usage}",
    "replaced": "You came in somewhere else. This connection is closed.",
    "closing": "The server is restarting. You will be back in a moment.",
    "renames": "is now called {name}",
    "renamed": "You are now called {name}.",
    "whisper_to": "(whisper to {name}) {text}",
    "whispered": "Only {name} was told.",
    "who": "{count} here: {names}",
    "moved": "You are in {room}.",
    "rooms": "Rooms: {rooms}",
    "no_history": "Nothing has been said yet.",
    "bye": "Bye.",
}

_CHINESE: Final[Mapping[str, str]] = {
    "bad_request": "看不懂这个请求。",
    "unknown_action": "没有这种操作。",
    "unknown_command": "没有这个命令。输入 /help 查看全部命令。",
    "empty": "内容是空的。",
    "too_long": "太长了：最多 {limit} 个字符。",
    "name_taken": "这个名字已经有人用了。",
    "name_invalid": "不能用作名字：要 1 到 32 个看得见的字符。",
    "name_reserved": "这个名字是保留的。",
    "no_such_person": "这里没有叫这个名字的人。",
    "room_invalid": "不能用作房间名：要 1 到 64 个看得见的字符，不含斜杠。",
    "room_full": "房间满了。",
    "rate_limited": "太快了，{retry_after:.1f} 秒后再试。",
    "unavailable": "消息没能保存，请重试。",
    "usage": "用法：{usage}",
    "replaced": "你已在别处进入，这个连接已关闭。",
    "closing": "服务器正在重启，马上回来。",
    "renames": "改名为 {name}",
    "renamed": "你现在叫 {name}。",
    "whisper_to": "（悄悄对 {name} 说）{text}",
    "whispered": "只有 {name} 听到了。",
    "who": "{count} 人在场：{names}",
    "moved": "你在 {room}。",
    "rooms": "房间：{rooms}",
    "no_history": "还没有人说话。",
    "bye": "再见。",
}

LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {"en": _ENGLISH, "zh": _CHINESE}


class Words:
    """The sentences of one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._sentences = LANGUAGES[lang]

    def say(self, key: str, **values: object) -> str:
        """The sentence of this key, with its values filled in."""
        return self._sentences[key].format(**values)

    def refusal(self, refused: Refusal) -> str:
        """A refusal as a sentence."""
        if "usage" in refused.params:
            return self.say("usage", usage=refused.params["usage"])
        return self._sentences[refused.code].format(**refused.params)
