"""The server's own sentences, in English and Chinese: refusals by code, answers to commands, notices.

Gateways choose words, nobody else does; pages word refusals themselves, by code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    "room": "{name} ({count})",
    "comma": ", ",
    "no_history": "Nothing has been said yet.",
    "bye": "Bye.",
    "line_greeting": "Welcome to {room}. You are guest {number}; your name is {name}.",
    "line_in_room": "You are in {room}, {count} here.",
    "line_kept": "What is said is kept for {days:g} days, the last {entries} messages of a room.",
    "line_not_kept": "What is said is kept in memory only, the last 200 messages of a room; whispers never.",
    "line_how": "Say something, or /help. to:NAME talks to one person only. quit leaves.",
    "line_help": "to:NAME        talk to NAME only, until to: alone\n"
    "quit, close    leave\n"
    "//text         say /text",
    "line_came": "{names} came in ({count} here)",
    "line_left": "{names} left ({count} here)",
    "line_more": "{names} and {more} more",
    "line_renamed": "{old} is now called {new}",
    "line_reuse": "Reuse: {name} is taken",
    "line_no_one": "no one here is called {name}",
    "line_yourself": "That is you.",
    "line_too_long": "Not said: the line is longer than {limit} bytes.",
    "line_too_fast": "Too fast: your lines wait and are taken one by one.",
    "line_unfinished": "Not said: the last line had no end.",
    "line_choose": "You talk to nobody privately. Choose somebody: to:NAME; /who lists who is here.",
    "line_talk": "You now talk to {name} only. to: alone ends it.",
    "line_asked": "{name} talks to you privately: your lines now go to {name} only. to: alone ends it.",
    "line_moved": "You now talk to {name}, not {before}. to:{before} returns to {before}, to: alone to the room.",
    "line_held": "You now talk to {name}, not {before}. Send it again to say it.",
    "line_turned": "{name} now talks to somebody else. Your next line takes {name} back; "
    "to: alone returns to the room.",
    "line_partner_left": "{name} has left: your private talk is over.",
    "line_partner_ended": "{name} has ended your private talk.",
    "line_not_sent": "Not sent: {name} no longer talks to you. You are back in the room. "
    "Send it again to say it to everybody.",
    "line_over": "Your private talk with {name} is over. You talk to the room.",
    "line_echo_on": "Your own lines are shown again.",
    "line_echo_off": "Your own lines are not shown again.",
    "line_idle": "Nothing was said for a long time. Bye.",
    "line_slow": "This terminal reads too slowly. Bye.",
    "line_full": "The server is full. Try again later.",
    "line_http": "This port is for line terminals, such as telnet and nc; web pages have another. Nothing was said.",
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
    "who": "{count} 人在线：{names}",
    "moved": "你在 {room}。",
    "rooms": "房间：{rooms}",
    "room": "{name}（{count} 人）",
    "comma": "、",
    "no_history": "还没有人说话。",
    "bye": "再见。",
    "line_greeting": "欢迎来到 {room}。你是第 {number} 位客人，名字是 {name}。",
    "line_in_room": "你在 {room}，{count} 人在线。",
    "line_kept": "这里说的话保留 {days:g} 天，每个房间最近 {entries} 条。",
    "line_not_kept": "这里说的话只在内存里，每个房间最近 200 条；悄悄话从不保留。",
    "line_how": "直接说话，或输入 /help。to:NAME 只和一个人说。quit 离开。",
    "line_help": "to:NAME        只和 NAME 说，直到单独一行 to:\nquit, close    离开\n//text         说出 /text",
    "line_came": "{names} 来了（{count} 人在线）",
    "line_left": "{names} 走了（{count} 人在线）",
    "line_more": "{names} 和另外 {more} 人",
    "line_renamed": "{old} 改名为 {new}",
    "line_reuse": "Reuse: {name} 已经有人用了",
    "line_no_one": "这里没有人叫 {name}",
    "line_yourself": "那就是你自己。",
    "line_too_long": "没有说出去：这一行超过了 {limit} 字节。",
    "line_too_fast": "太快了：你的话在排队，会一行一行地处理。",
    "line_unfinished": "没有说出去：最后一行没有结束。",
    "line_choose": "你没有在和谁私聊。先选一个人：to:NAME；/who 看看有谁。",
    "line_talk": "现在你只和 {name} 说话。单独一行 to: 结束。",
    "line_asked": "{name} 和你私聊：你的话现在只有 {name} 看得到。单独一行 to: 结束。",
    "line_moved": "现在你在和 {name} 说话，不是 {before}。to:{before} 回到 {before}，单独一行 to: 回到房间。",
    "line_held": "现在你在和 {name} 说话，不是 {before}。再发一次就说出去。",
    "line_turned": "{name} 现在在和别人说话。你的下一句会把 {name} 叫回来；单独一行 to: 回到房间。",
    "line_partner_left": "{name} 走了：私聊结束。",
    "line_partner_ended": "{name} 结束了私聊。",
    "line_not_sent": "没有发出：{name} 已不在和你私聊。你回到了房间。再发一次就对所有人说。",
    "line_over": "和 {name} 的私聊结束了。现在你对整个房间说话。",
    "line_echo_on": "会回显你自己的话。",
    "line_echo_off": "不再回显你自己的话。",
    "line_idle": "太久没有说话。再见。",
    "line_slow": "这个终端读得太慢。再见。",
    "line_full": "服务器满了，请稍后再来。",
    "line_http": "这个端口给 telnet、nc 等终端用，网页在另一个端口。什么都没有说出去。",
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

    def listed(self, names: Iterable[str]) -> str:
        """Several names in one sentence."""
        return self.say("comma").join(names)

    def refusal(self, refused: Refusal) -> str:
        """A refusal as a sentence."""
        if "usage" in refused.params:
            return self.say("usage", usage=refused.params["usage"])
        return self._sentences[refused.code].format(**refused.params)


WORDS: Final[Mapping[str, Words]] = {lang: Words(lang) for lang in LANGUAGES}
