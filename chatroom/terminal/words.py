"""The terminal client's own sentences, in the languages that the server has. Errors of the connection are English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatroom.core import presence
from chatroom.core.sentences import Sentences

_EN: Final[Mapping[str, str]] = {
    # Whom a text goes to
    "to_all": "Everyone in the room sees what you write.",
    "to_one": "Only {name} sees what you write. to: alone ends it.",
    "partner_back": "{name} is back. Only {name} sees what you write; to: alone ends it.",
    "partner_left": "{name} has left. Type to: alone to write to everyone again.",
    "partner_elsewhere": "{name} is not in this room. Type to: alone to write to everyone here.",
    "partner_replaced": "{name} has left. to:{name} writes to the person who has that name now. "
    "Type to: alone to write to everyone again.",
    "ends_alone": "No such command. To write to everyone again, type to: alone. To leave, type /quit.",
    "no_slash": "It looks like a command without its slash. To send it as a message, begin it with /say.",
    "yourself": "That is you.",
    "text_after_to": "To whisper to {name}, type {usage}. To send it as a message, begin it with /say.",
    "name_unclear": 'Is it for {other} or for {name}? Type to:"{other}" or to:"{name}".',
    "no_such_person": "No one here is called {name}. /who lists who is here. "
    "To send it as a message, begin it with /say.",
    "no_such_person_near": "No one here is called {name}. To whisper to {near}, type {usage}. "
    "/who lists who is here. To send it as a message, begin it with /say.",
    # What was not sent
    "held": "A line before it was refused, so it may be meant for someone else. Send it again to confirm.",
    "other_person": "The {name} who is here now may not be the one you wrote it to. Send it again to confirm.",
    "may_be_private": "Everyone here would see it. To whisper, type /to NAME TEXT. "
    "To send it to everyone, type it again.",
    "may_answer": "Everyone here would see it. To write to {name} only, type /to {name} TEXT or to:{name}. "
    "To send it to everyone, type it again.",
    "too_long": "That is too long: at most {limit} characters.",
    "lost": "The connection was lost before an answer came. It may not have taken effect.",
    "unstored": "The server can't store messages at the moment. Trying again.",
    "not_stored": "The server couldn't store it.",
    "not_utf8": "It did not arrive as UTF-8. Set your terminal, or what writes the text, to UTF-8.",
    "failed": "Failed: “{text}”. {why}",
    "hidden": "It contains hidden characters that can't be sent ({character}).",
    "send_without": "F4 sends it without that character.",
    "no_line_end": "not sent: more than {count} bytes without a line end",
    "unsent": "not sent: {count} lines, starting with “{text}”",
    "unsent_one": "not sent: 1 line, starting with “{text}”",
    # The connection
    "connecting": "connecting…",
    "reconnecting": "connection lost, reconnecting…",
    "refused_for": "Can't connect right now. Trying again in {seconds} s.",
    "was_lost": "the connection was lost; reconnecting…",
    "reconnected": "reconnected",
    "closed": "the server closed the connection",
    "closed_because": "the server closed the connection. {why}",
    # Messages and notices
    "greeting": "You are {name} in {room}. {count} people here.",
    "greeting_one": "You are {name} in {room}. 1 person here.",
    "whisper_by": "you -> {name}",
    "whisper_to": "{name} -> you",
    "renamed": "{old} is now called {new}",
    "gap": "Some of the messages you missed are no longer kept.",
    "new": "new",
    "day": "{day:%A, %d %B %Y}",
    "more_lines": "… {count} more lines (F3)",
    "more_lines_one": "… 1 more line (F3)",
    # The full screen
    "status": "{room} · {count} here · you are {name}",
    "hints": "F1 help  F2 people  PgUp earlier  Ctrl+Q leave",
    "leave_again": "Ctrl+C again to leave",
    "unread": "{count} new, Esc: newest",
    "scrolled": "scrolled back, Esc: newest",
    "only": "only {name} sees this · to: ends it",
    "only_left": "{name} is not here · to: ends it",
    "placeholder": "Write a message, or /help",
    "whisper": "Whisper",
    "you": "{name} (you)",
    "more_people": "… and {count} more",
}

_ZH: Final[Mapping[str, str]] = {
    "to_all": "现在你的消息发给整个房间。",
    "to_one": "你的消息现在只有 {name} 看得到。单独输入 to: 结束。",
    "partner_back": "{name} 回来了，你的消息仍然只有对方看得到。单独输入 to: 结束。",
    "partner_left": "{name} 离开了。要回到房间，请单独输入 to:。",
    "partner_elsewhere": "{name} 不在这个房间。要发给这里的所有人，请单独输入 to:。",
    "partner_replaced": "{name} 离开了。要发给现在叫这个名字的人，请输入 to:{name}；要回到房间，请单独输入 to:。",
    "ends_alone": "没有这个命令。要回到房间，请单独输入 to:；要离开，请输入 /quit。",
    "no_slash": "这看起来像漏了斜杠的命令。要原样发送，请以 /say 开头。",
    "yourself": "那是你自己。",
    "text_after_to": "想私聊 {name}，请输入 {usage}；要原样发送，请以 /say 开头。",
    "name_unclear": '是发给 {other}，还是发给 {name}？请输入 to:"{other}" 或 to:"{name}"。',
    "no_such_person": "房间里没有人叫 {name}。输入 /who 可以看到谁在；要原样发送，请以 /say 开头。",
    "no_such_person_near": "房间里没有人叫 {name}。想私聊 {near}，请输入 {usage}。"
    "输入 /who 可以看到谁在；要原样发送，请以 /say 开头。",
    "held": "它前面的内容刚刚被拒绝，这一条可能是要发给别人的。确定要发送，请再发一次。",
    "other_person": "现在的 {name} 可能不是你原来要发给的人。确定要发送，请再发一次。",
    "may_be_private": "房间里的人都会看到。要私聊，请输入 /to NAME TEXT；要发给所有人，请再输入一次。",
    "may_answer": "房间里的人都会看到。只想发给 {name}，请输入 /to {name} TEXT 或 to:{name}；"
    "要发给所有人，请再输入一次。",
    "too_long": "太长了：最多 {limit} 个字符。",
    "lost": "还没收到答复，连接就断开了，可能没有生效。",
    "unstored": "服务器暂时无法保存消息，正在重试。",
    "not_stored": "服务器没能保存它。",
    "not_utf8": "收到的内容不是 UTF-8 编码。请把终端（或输出这段文字的程序）的编码设为 UTF-8。",
    "failed": "没有成功：“{text}”。{why}",
    "hidden": "含有不能发送的隐藏字符（{character}）。",
    "send_without": "按 F4 去掉这个字符再发送。",
    "no_line_end": "没有发送：超过 {count} 字节还没有换行符",
    "unsent": "有 {count} 行没有发送，第一行是“{text}”",
    "unsent_one": "有 1 行没有发送：“{text}”",
    "connecting": "正在连接…",
    "reconnecting": "连接已断开，正在重新连接…",
    "refused_for": "暂时无法连接，{seconds} 秒后自动重试。",
    "was_lost": "连接已断开，正在重新连接…",
    "reconnected": "已重新连上",
    "closed": "服务器关闭了连接",
    "closed_because": "服务器关闭了连接。{why}",
    "greeting": "你在房间 {room}，名字是 {name}。{count} 人在线。",
    "greeting_one": "你在房间 {room}，名字是 {name}。1 人在线。",
    "whisper_by": "你 -> {name}",
    "whisper_to": "{name} -> 你",
    "renamed": "{old} 改名为 {new}",
    "gap": "你错过的部分消息已不再保留。",
    "new": "新消息",
    "day": "{day.year}年{day.month}月{day.day}日",
    "more_lines": "… 还有 {count} 行（F3）",
    "more_lines_one": "… 还有 1 行（F3）",
    "status": "{room} · {count} 人在线 · 你是 {name}",
    "hints": "F1 帮助  F2 在线的人  PgUp 上翻  Ctrl+Q 离开",
    "leave_again": "再按一次 Ctrl+C 离开",
    "unread": "{count} 条新消息，按 Esc 查看",
    "scrolled": "正在看以前的消息，按 Esc 回到最新",
    "only": "只有 {name} 看得到 · to: 结束",
    "only_left": "{name} 不在这里 · to: 结束",
    "placeholder": "输入消息，或 /help",
    "whisper": "私聊",
    "you": "{name}（你）",
    "more_people": "… 还有 {count} 人",
}

SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    lang: {**presence.SENTENCES[lang], **own} for lang, own in (("en", _EN), ("zh", _ZH))
}
_WORDS: Final = {lang: Sentences(lang, sentences) for lang, sentences in SENTENCES.items()}
ENGLISH: Final = _WORDS["en"]


def words(lang: str | None) -> Sentences:
    """The sentences in the language that the locale names; English if it names neither."""
    return _WORDS.get(lang or "", ENGLISH)
