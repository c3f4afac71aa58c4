"""The server's own sentences, in English and Chinese: refusals by code, answers to commands, notices.

Only gateways choose words; pages word refusals themselves, by code.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from chatroom.core import presence
from chatroom.core.errors import RateLimited, Refusal
from chatroom.core.sentences import Sentences

_ENGLISH: Final[Mapping[str, str]] = {
    "start_listening": "listening on {url}",
    "start_network": "on this network: {url}",
    "start_line": "line gateway on {url}",
    "start_kept": "messages are kept in {folder}",
    "start_not_kept": "nothing is kept on disk; recent messages stay in memory until the process ends",
    "start_scan": "Scan to join from the same network:",
    "start_stop": "Press Ctrl+C to stop.",
    "bad_request": "That can't be sent: it is malformed or contains hidden characters.",
    "bad_request_character": "That can't be sent: it contains a hidden character, {character}.",
    "bad_request_field": "That can't be sent: the field {field} is missing, wrong or unknown.",
    "unknown_action": "No such action.",
    "unknown_command": "No such command. /help lists the commands. To send it as a message, begin it with /say.",
    "unknown_command_text": "No such command. /help lists the commands. To whisper, type /to NAME TEXT. "
    "To send it as a message, begin it with /say.",
    "unknown_whisper": "No such command. To whisper, type {usage}. To send it as a message, begin it with /say.",
    "space_after_slash": "Not done: there is a space after the slash. Type {usage}. "
    "To send it as a message, begin it with /say.",
    "unknown_end": "No such command. To end the private chat, type to: alone. To leave, type /quit.",
    "unknown_join": "No such command. To join a room, type {usage}. To send it as a message, begin it with /say.",
    "empty": "There is nothing to send.",
    "too_long": "That is too long: at most {limit} characters.",
    "name_taken": "That name is taken.",
    "name_invalid": "A name needs 1 to 32 visible characters.",
    "name_invalid_character": "A name can't contain this hidden character: {character}.",
    "name_reserved": "That name is reserved.",
    "no_such_person": "No one here has that name.",
    "no_such_name": "No one here is called {name}.",
    "no_such_recipient": "No one here is called {name}. /who lists who is here.",
    "no_such_recipient_near": "No one here is called {name}. To whisper to {near}, type {usage}. "
    "/who lists who is here.",
    "no_such_partner": "No one here is called {name}. /who lists who is here. "
    "To send it as a message, begin it with /say.",
    "no_such_partner_near": "No one here is called {name}. To whisper to {near}, type {usage}. "
    "/who lists who is here. To send it as a message, begin it with /say.",
    "name_gone": 'Not sent: {name} is no longer here. To whisper to {other}, type /to "{other}" TEXT.',
    "name_unclear": 'Not sent: is it for {other} or for {name}? Type /to "{other}" TEXT or /to "{name}" TEXT.',
    "name_now": "Not sent: {name} is now called {now}. To whisper to {now}, type /to {now} TEXT.",
    "name_changed_hands": "Not sent: someone else is now called {name}. "
    "To write to that person, type this again: {usage}",
    "name_after_restart": "Not sent: the server has restarted, and {name} may now be someone else. "
    "To write to that person, type this again: {usage}",
    "looks_private": "Not sent: it looks like a whisper. To whisper to {name}, type {usage}. "
    "To send it as a message, begin it with /say.",
    "looks_private_gone": "Not sent: it looks like a whisper to {name}, who is no longer here. "
    "To whisper to someone else, type {usage}. To send it as a message, begin it with /say.",
    "looks_private_now": "Not sent: it looks like a whisper to {name}, who is now called {now}. "
    "To whisper to {now}, type {usage}. To send it as a message, begin it with /say.",
    "unread_may_be_private": "Not sent: it is long, and a part of it looks like a whisper. "
    "To whisper, type /to NAME TEXT. To send it as a message, begin it with /say.",
    "text_after_to": "Not sent. To whisper to {name}, type {usage}. "
    "To send it as a message, begin it with /say.",
    "private_argument": "Not done: it looks like a whisper, and others would see it. To whisper, type {usage}.",
    "no_text_after_to": "Not sent: there is no text. To whisper to {name}, type {usage}; "
    "to:{name} starts a private chat.",
    "looks_like_join": "Not sent: it looks like a command. To join {room}, type /join {room}. "
    "To send it as a message, begin it with /say.",
    "looks_like_key": "Not sent: it looks like an operator's key. To send it as a message, begin it with /say.",
    "not_sent_with": "Not sent: something just before it was refused. Send it again to confirm.",
    "not_sent_dropped": "Not sent: the lines before it were dropped. Send it again to confirm.",
    "room_invalid": "That room name can't be used: it needs 1 to 64 visible characters and no slash.",
    "room_invalid_character": "A room name can't contain this hidden character: {character}.",
    "room_full": "That room is full. Try again in {retry_after} s.",
    "rate_limited": "Too fast. Try again in {retry_after:.1f} s.",
    "unavailable": "That didn't go through. Try again.",
    "usage": "Usage: {usage}",
    "replaced": "You have joined from somewhere else. This connection is closed.",
    "silenced": "Too much at once: for a few seconds, nothing that you send is read. "
    "If it goes on like this, you will be disconnected.",
    "closing": "The server is stopping or restarting. You can join again as soon as it is back.",
    "renames": "is now called {name}",
    "renamed": "You are now called {name}.",
    "whisper_to": "(whisper to {name}) {text}",
    "whispered": "Sent to {name} only.",
    "who": "{count} here: {names}",
    "moved": "You are in {room}.",
    "rooms": "Rooms: {rooms}",
    "room": "{name} ({count})",
    "no_history": "No messages yet.",
    "bye": "Bye.",
    "line_greeting": "Welcome to {room}. {here}; your name is {name}.",
    "people_here": "{count} people here",
    "people_here_one": "1 person here",
    "line_in_room": "You are in {room}. {here}.",
    "line_kept": "Each room keeps its last {entries} messages, and the last hour's, for {days}.",
    "days": "{count:g} days",
    "days_one": "1 day",
    "line_not_kept": "Messages stay in memory only: each room's last 200, and the last hour's. Whispers are not kept.",
    "line_how": "Type a message, or /help. to:NAME starts a private chat. quit leaves.",
    "line_help": "to:NAME        chat privately with NAME; to: alone ends it\n"
    "quit, close    leave\n"
    "//text         send /text",
    "line_more_lines_one": "… 1 more line",
    "line_more_lines": "… {count} more lines",
    "line_renamed": "{old} is now called {new}",
    "line_reuse": "Reuse: {name} is taken",
    "line_no_one": "no one here is called {name}",
    "line_near": "To whisper to {near}, type {usage}. /who lists who is here.",
    "line_who": "/who lists who is here.",
    "line_as_it_is": "To send it as a message, begin it with /say.",
    "talk_yourself": "That is you.",
    "line_not_utf8": "Not sent: it did not arrive as UTF-8. "
    "Send it again; if that fails too, set your terminal to UTF-8.",
    "may_answer": "Not sent: everyone here would see it. To write to {name} only, type /to {name} TEXT or to:{name}. "
    "To send it to everyone, type it again.",
    "may_be_private": "Not sent: everyone here would see it. To whisper, type /to NAME TEXT. "
    "To send it to everyone, type it again.",
    "line_answer": "To answer, type /to {name} TEXT. to:{name} starts a private chat.",
    "line_edited": "Not sent: arrow keys, Ctrl+C and the like change nothing in a line here, and Backspace may leave "
    "part of an emoji or an accented letter. Type it again; Ctrl+U deletes the line.",
    "line_too_fast": "Too fast: your lines wait and are sent one by one. This takes about {time}.",
    "seconds": "{count} s",
    "minutes": "{count} min",
    "hours": "{count} h",
    "line_unfinished": "Not sent: the last line has no line end.",
    "talk_choose": "You are not in a private chat. Choose someone: to:NAME. /who lists who is here.",
    "talk_with": "You now talk to {name} only. to: alone ends it.",
    "talk_still": "You still talk to {name} only. to: alone ends it.",
    "talk_not_ended": "Not sent. You still talk to {name} only. To end it, type to:",
    "talk_asked": "{name} started a private chat with you: what you type now goes to {name} only. "
    "To talk to the room again, type to: alone.",
    "talk_moved": "You now talk to {name}, not {before}. to:{before} returns to {before}, to: alone to the room.",
    "talk_held_begun": "{name} has begun a private chat: only {name} would get this. Send it again to say it.",
    "talk_held": "You now talk to {name}, not {before}. Send it again to say it.",
    "talk_turned": "{name} now talks to someone else. Your next line brings {name} back; "
    "to: alone returns to the room.",
    "talk_partner_left": "{name} has left. The private chat is over.",
    "talk_partner_absent": "{name} is not in this room. The private chat is over.",
    "talk_back": "{name} is back. Only {name} sees what you write; to: alone ends it.",
    "talk_partner_ended": "{name} ended the private chat.",
    "talk_not_sent": "Not sent: {name} no longer talks to you. You are back in the room: "
    "everyone sees what you type next.",
    "talk_forgotten": "Your private chat is over: the server no longer knows whom it was with.",
    "talk_forgotten_not_sent": "Not sent: your private chat is over. You are back in the room: "
    "everyone sees what you type next.",
    "talk_over": "The private chat with {name} is over. You now talk to the room.",
    "line_echo_on": "Your own lines are now shown to you as well.",
    "line_echo_off": "Your own lines are no longer shown to you.",
    "line_silenced": "Too much at once: your waiting lines were dropped, and so is everything that you send in the "
    "next {time}. If you go on like this, you will be disconnected.",
    "line_flood": "You kept sending too much. Bye.",
    "line_idle": "You were idle for too long. Bye.",
    "line_slow": "This terminal reads too slowly. Bye.",
    "line_full": "The server is full. Try again in {time}.",
    "line_too_many": "Too many connections from this address. Try again in {time}.",
    "line_http": "This port is for terminals such as telnet and nc; web pages use another. Nothing was sent.",
}

_CHINESE: Final[Mapping[str, str]] = {
    "start_listening": "正在监听 {url}",
    "start_network": "同一网络里的人打开 {url}",
    "start_line": "终端（telnet、nc）用 {url}",
    "start_kept": "消息保存在 {folder}",
    "start_not_kept": "磁盘上什么都不保存；最近的消息留在内存里，进程结束就没有了",
    "start_scan": "同一网络里的手机可以扫码进入：",
    "start_stop": "按 Ctrl+C 停止。",
    "bad_request": "不能发送：格式不对，或含有隐藏字符。",
    "bad_request_character": "不能发送：含有隐藏字符 {character}。",
    "bad_request_field": "不能发送：字段 {field} 缺失、有误或无法识别。",
    "unknown_action": "没有这种操作。",
    "unknown_command": "没有这个命令。输入 /help 查看全部命令；要原样发送，请以 /say 开头。",
    "unknown_command_text": "没有这个命令。输入 /help 查看全部命令；要私聊，请输入 /to NAME TEXT；"
    "要原样发送，请以 /say 开头。",
    "unknown_whisper": "没有这个命令。要私聊，请输入 {usage}；要原样发送，请以 /say 开头。",
    "space_after_slash": "没有执行：斜杠后面多了一个空格。请输入 {usage}；要原样发送，请以 /say 开头。",
    "unknown_end": "没有这个命令。要结束私聊，请单独输入 to:；要离开，请输入 /quit。",
    "unknown_join": "没有这个命令。要进入房间，请输入 {usage}；要原样发送，请以 /say 开头。",
    "empty": "没有可以发送的内容。",
    "too_long": "太长了：最多 {limit} 个字符。",
    "name_taken": "这个名字已经有人用了。",
    "name_invalid": "名字需要 1 到 32 个可见字符。",
    "name_invalid_character": "名字里不能有这个隐藏字符：{character}。",
    "name_reserved": "这个名字是保留的，不能用。",
    "no_such_person": "房间里没有叫这个名字的人。",
    "no_such_name": "房间里没有人叫 {name}。",
    "no_such_recipient": "房间里没有人叫 {name}。输入 /who 可以看到谁在。",
    "no_such_recipient_near": "房间里没有人叫 {name}。想私聊 {near}，请输入 {usage}。输入 /who 可以看到谁在。",
    "no_such_partner": "房间里没有人叫 {name}。输入 /who 可以看到谁在；要原样发送，请以 /say 开头。",
    "no_such_partner_near": "房间里没有人叫 {name}。想私聊 {near}，请输入 {usage}。"
    "输入 /who 可以看到谁在；要原样发送，请以 /say 开头。",
    "name_gone": '没有发送：{name} 已经离开了。想私聊 {other}，请输入 /to "{other}" TEXT。',
    "name_unclear": '没有发送：是发给 {other}，还是发给 {name}？请输入 /to "{other}" TEXT 或 /to "{name}" TEXT。',
    "name_now": "没有发送：{name} 现在叫 {now}。想私聊 {now}，请输入 /to {now} TEXT。",
    "name_changed_hands": "没有发送：现在叫 {name} 的是另一个人。要发给这个人，请再输入一次：{usage}",
    "name_after_restart": "没有发送：服务器重启过，{name} 可能已是另一个人。要发给这个人，请再输入一次：{usage}",
    "looks_private": "没有发送：这看起来像私聊。想私聊 {name}，请输入 {usage}；要原样发送，请以 /say 开头。",
    "looks_private_gone": "没有发送：这看起来像发给 {name} 的私聊，但 {name} 已经离开了。"
    "要私聊别人，请输入 {usage}；要原样发送，请以 /say 开头。",
    "looks_private_now": "没有发送：这看起来像发给 {name} 的私聊。{name} 现在叫 {now}。"
    "想私聊 {now}，请输入 {usage}；要原样发送，请以 /say 开头。",
    "unread_may_be_private": "没有发送：内容很长，其中一部分看起来像私聊。要私聊，请输入 /to NAME TEXT；"
    "要原样发送，请以 /say 开头。",
    "text_after_to": "没有发送。想私聊 {name}，请输入 {usage}；要原样发送，请以 /say 开头。",
    "private_argument": "没有执行：这看起来像私聊，别人会看到。要私聊，请输入 {usage}。",
    "no_text_after_to": "没有发送：没有内容。要发给 {name}，请输入 {usage}；用 to:{name} 开始私聊。",
    "looks_like_join": "没有发送：这看起来像命令。要进入房间 {room}，请输入 /join {room}；要原样发送，请以 /say 开头。",
    "looks_like_key": "没有发送：这看起来像管理员密钥。要原样发送，请以 /say 开头。",
    "not_sent_with": "没有发送：它前面的内容刚刚被拒绝。确定要发送，请再发一次。",
    "not_sent_dropped": "没有发送：你在它之前发的内容已被丢弃。确定要发送，请再发一次。",
    "room_invalid": "这个房间名不能用：需要 1 到 64 个可见字符，不能含斜杠。",
    "room_invalid_character": "房间名里不能有这个隐藏字符：{character}。",
    "room_full": "那个房间已满，请在 {retry_after} 秒后再试。",
    "rate_limited": "太快了，{retry_after:.1f} 秒后再试。",
    "unavailable": "操作没有成功，请重试。",
    "usage": "用法：{usage}",
    "replaced": "你已在别处进入房间，这个连接已关闭。",
    "silenced": "发得太多太快，接下来几秒内发的内容不会被处理；继续这样会被断开连接。",
    "closing": "服务器正在停止或重启，恢复后就能重新进入。",
    "renames": "改名为 {name}",
    "renamed": "你现在叫 {name}。",
    "whisper_to": "（私聊 {name}）{text}",
    "whispered": "只发给了 {name}。",
    "who": "{count} 人在线：{names}",
    "moved": "你在房间 {room}。",
    "rooms": "房间：{rooms}",
    "room": "{name}（{count} 人）",
    "no_history": "还没有消息。",
    "bye": "再见。",
    "line_greeting": "欢迎来到 {room}。{here}，你的名字是 {name}。",
    "people_here": "{count} 人在线",
    "people_here_one": "1 人在线",
    "line_in_room": "你在房间 {room}，{here}。",
    "line_kept": "每个房间最近 {entries} 条消息和最近一小时的消息保留 {days}。",
    "days": "{count:g} 天",
    "days_one": "1 天",
    "line_not_kept": "消息只保存在内存里：每个房间最近 200 条和最近一小时的消息。私聊不保存。",
    "line_how": "直接输入消息，或输入 /help。to:NAME 开始私聊。quit 离开。",
    "line_help": "to:NAME        和 NAME 私聊；单独输入 to: 结束\nquit, close    离开\n//text         发送 /text",
    "line_more_lines_one": "… 还有 1 行",
    "line_more_lines": "… 还有 {count} 行",
    "line_renamed": "{old} 改名为 {new}",
    "line_reuse": "Reuse: {name} 已经有人用了",
    "line_no_one": "房间里没有人叫 {name}",
    "line_near": "想私聊 {near}，请输入 {usage}。输入 /who 可以看到谁在。",
    "line_who": "输入 /who 可以看到谁在。",
    "line_as_it_is": "要原样发送，请以 /say 开头。",
    "talk_yourself": "那是你自己。",
    # The English is for terminals in another encoding, which show Chinese in UTF-8 as garbage.
    "line_not_utf8": "没有发送：收到的内容不是 UTF-8 编码。请再发一次；如果还是不行，请把终端编码设为 UTF-8。"
    " (Not sent: not UTF-8.)",
    "may_answer": "没有发送：房间里的人都会看到。只想发给 {name}，请输入 /to {name} TEXT 或 to:{name}；"
    "要发给所有人，请再输入一次。",
    "may_be_private": "没有发送：房间里的人都会看到。要私聊，请输入 /to NAME TEXT；"
    "要发给所有人，请再输入一次。",
    "line_answer": "要回复，请输入 /to {name} TEXT；输入 to:{name} 则开始私聊。",
    "line_edited": "没有发送：方向键、Ctrl+C 这类按键在这里不能修改一行的内容，"
    "退格键也可能只删掉一个表情或带符号字母的一部分。请重新输入；Ctrl+U 可以删掉整行。"
    " (Not sent: keys like arrows do not edit a line here.)",
    "line_too_fast": "太快了：你的消息在排队，会一行一行地发送，大约需要 {time}。",
    "seconds": "{count} 秒",
    "minutes": "{count} 分钟",
    "hours": "{count} 小时",
    "line_unfinished": "没有发送：最后一行没有换行符。",
    "talk_choose": "你现在没有和任何人私聊。用 to:NAME 选一个人，用 /who 查看房间里有谁。",
    "talk_with": "你的消息现在只有 {name} 看得到。单独输入 to: 结束。",
    "talk_still": "你的消息仍然只有 {name} 看得到。单独输入 to: 结束。",
    "talk_not_ended": "没有发送：你的消息仍然只有 {name} 看得到。要结束私聊，请输入 to:",
    "talk_asked": "{name} 开始和你私聊：你现在输入的内容只有 {name} 看得到。要回到房间，请单独输入 to:。",
    "talk_moved": "现在你在和 {name} 私聊，不是 {before}。to:{before} 回到 {before}，单独输入 to: 回到房间。",
    "talk_held_begun": "{name} 开始和你私聊，这句话只会发给 {name}。要发，请再发一次。",
    "talk_held": "现在你在和 {name} 私聊，不是 {before}。要发给 {name}，请再发一次。",
    "talk_turned": "{name} 正在和别人私聊。你再发一行，{name} 就会回来和你私聊；单独输入 to: 回到房间。",
    "talk_partner_left": "{name} 离开了，私聊结束。",
    "talk_partner_absent": "{name} 不在这个房间，私聊结束。",
    "talk_back": "{name} 回来了，你的消息仍然只有对方看得到。单独输入 to: 结束。",
    "talk_partner_ended": "{name} 结束了私聊。",
    "talk_not_sent": "没有发送：{name} 已不再和你私聊。你回到了房间：接下来输入的内容，所有人都会看到。",
    "talk_forgotten": "私聊已经结束：服务器不再记得对方是谁。",
    "talk_forgotten_not_sent": "没有发送：私聊已经结束。你回到了房间：接下来输入的内容，所有人都会看到。",
    "talk_over": "和 {name} 的私聊结束了。现在你的消息发给整个房间。",
    "line_echo_on": "现在会回显你自己的消息。",
    "line_echo_off": "不再回显你自己的消息。",
    "line_silenced": "发得太多太快：还在排队的内容已被丢弃，接下来 {time}内发送的内容也会被丢弃；"
    "再这样下去，连接会被断开。",
    "line_flood": "你一直在大量发送，连接已断开。再见。",
    "line_idle": "你太久没有输入了。再见。",
    "line_slow": "这个终端接收太慢。再见。",
    "line_full": "服务器已满，请在 {time}后再试。",
    "line_too_many": "这个地址的连接太多了，请在 {time}后再试。",
    "line_http": "这个端口只供 telnet、nc 等终端使用，网页用的是另一个端口。没有发送任何内容。",
}

LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {**presence.SENTENCES["en"], **_ENGLISH},
    "zh": {**presence.SENTENCES["zh"], **_CHINESE},
}


class Words(Sentences):
    """All sentences of the server in one language."""

    def __init__(self, lang: str) -> None:
        super().__init__(lang, LANGUAGES[lang])

    def duration(self, seconds: float) -> str:
        """About how long something takes, at least one second."""
        if seconds < 120:
            return self.say("seconds", count=max(1, ceil(seconds)))
        if seconds < 7200:
            return self.say("minutes", count=ceil(seconds / 60))
        return self.say("hours", count=ceil(seconds / 3600))

    def refusal(self, refused: Refusal) -> str:
        """A refusal as a sentence."""
        if refused.wording is not None:
            return self.say(refused.wording, **{**refused.said, **refused.params})
        if "usage" in refused.params:
            return self.say("usage", usage=refused.params["usage"])
        if isinstance(refused, RateLimited):  # rounded up, so that nobody tries again too early
            return self.say(refused.code, retry_after=max(1, ceil(refused.retry_after * 10)) / 10)
        detail = next((f"_{param}" for param in ("character", "field") if param in refused.params), "")
        return self.say(refused.code + detail, **refused.params)


WORDS: Final[Mapping[str, Words]] = {lang: Words(lang) for lang in LANGUAGES}
