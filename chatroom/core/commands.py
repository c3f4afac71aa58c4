"""What a typed line means: a text to send, or a command. One table serves every gateway and prints its own help.

Names of people are not resolved here: the recipient of `/to Ming Li hello` depends on who is there
(`core.recipients`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from chatroom.core.embedded_commands import embedded_whispers
from chatroom.core.errors import ANSWER_AFTER_S, BadRequest, Refusal
from chatroom.core.folding import compared_word, trimmed
from chatroom.core.log import PAGE_ENTRIES
from chatroom.core.long_texts import Reading, all_unread, unread_lines, unread_rests
from chatroom.core.markers import (
    Escaped,
    Slash,
    TalkMarker,
    after_openers,
    beginning,
    further_beginnings,
    is_nearly_join,
    is_nearly_move,
)
from chatroom.core.names import printable
from chatroom.core.near_misses import BareKey, Near, NearJoin, NearWhisper, Unread
from chatroom.core.unknown_commands import LooksLikeKey, UnknownCommand, UnknownJoin, UnknownWhisper

_NEAR_LINES = 8  # lines and commands of a text whose first words are compared with names
_LONGEST_COMMAND = 24  # characters
_HEAD = 512  # characters of a text that show what it is


@dataclass(frozen=True, slots=True)
class Say:
    """A text to send.

    Attributes:
        near: the command that it, or a line of it, nearly is; `core.near` decides whether that was meant.
    """

    text: str
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Who:
    pass


@dataclass(frozen=True, slots=True)
class Name:
    """A new name; None draws one. Not yet through `parse_name`."""

    name: str | None


@dataclass(frozen=True, slots=True)
class WhisperTo:
    """A private text: `rest` begins with its recipient. If empty, the guest asks for their partner."""

    rest: str


@dataclass(frozen=True, slots=True)
class TalkTo:
    """From now on texts go only to one person; with an empty name, to the room again."""

    name: str


@dataclass(frozen=True, slots=True)
class Join:
    """Another room; its name not yet through `parse_room`."""

    room: str


@dataclass(frozen=True, slots=True)
class Rooms:
    pass


@dataclass(frozen=True, slots=True)
class History:
    """Earlier messages: `count` entries, or the gateway's default."""

    count: int | None


@dataclass(frozen=True, slots=True)
class Quit:
    pass


@dataclass(frozen=True, slots=True)
class Echo:
    """Whether a terminal shows the guest's own lines again."""

    on: bool


Command = Help | Who | Name | WhisperTo | TalkTo | Join | Rooms | History | Quit | Echo
TO_OTHERS = WhisperTo | TalkTo | Join  # commands that change who receives texts


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the table.

    Attributes:
        name: what is typed after the slash.
        aliases: what may be typed instead.
        usage: as shown, with the slash.
        help: one line per language (`en`, `zh`).
        parse: turns the arguments, without outer spaces, into the command; raises ValueError if they make no sense.
        line_only: it is only of use at a line terminal.
    """

    name: str
    aliases: tuple[str, ...]
    usage: str
    help: Mapping[str, str]
    parse: Callable[[str], Say | Command]
    line_only: bool = False


def _alone(command: Command) -> Callable[[str], Command]:
    def parse(arguments: str) -> Command:
        if arguments:
            raise ValueError
        return command

    return parse


def _some(arguments: str) -> str:
    if not arguments:
        raise ValueError
    return arguments


def _count(arguments: str) -> int | None:
    if not arguments:
        return None
    if not (arguments.isascii() and arguments.isdecimal() and len(arguments) <= len(str(PAGE_ENTRIES))):
        raise ValueError
    count = int(arguments)
    if not 1 <= count <= PAGE_ENTRIES:
        raise ValueError
    return count


def _switch(arguments: str) -> bool:
    return ("off", "on").index(arguments.lower()) == 1


COMMANDS: tuple[Record, ...] = (
    Record("help", (), "/help", {"en": "list the commands", "zh": "列出所有命令"}, _alone(Help())),
    Record("who", (), "/who", {"en": "list who is in the room", "zh": "查看房间里有谁"}, _alone(Who())),
    Record(
        "name",
        ("nick",),
        "/name [NEW]",
        {"en": "change your name; a random one without NEW", "zh": "改名；不写 NEW 则随机"},
        lambda arguments: Name(arguments or None),
    ),
    Record(
        "to",
        ("msg", "w", "tell", "whisper", "dm", "pm"),
        "/to NAME TEXT",
        {"en": "whisper TEXT to NAME", "zh": "发私聊给 NAME"},
        WhisperTo,
    ),
    Record(
        "say",
        (),
        "/say TEXT",
        {"en": "send TEXT exactly as it is typed", "zh": "原样发送 TEXT"},
        lambda arguments: Say(_some(arguments)),
    ),
    Record(
        "join",
        (),
        "/join ROOM",
        {"en": "join another room", "zh": "进入另一个房间"},
        lambda arguments: Join(_some(arguments)),
    ),
    Record("rooms", (), "/rooms", {"en": "list the public rooms", "zh": "列出公开的房间"}, _alone(Rooms())),
    Record(
        "history",
        (),
        "/history [N]",
        {"en": "show the last N messages", "zh": "显示最近 N 条消息"},
        lambda arguments: History(_count(arguments)),
    ),
    Record(
        "echo",
        (),
        "/echo on|off",
        {"en": "turn the echo of your own lines on or off", "zh": "打开或关闭自己消息的回显"},
        lambda arguments: Echo(_switch(arguments)),
        line_only=True,
    ),
    Record("quit", (), "/quit", {"en": "leave", "zh": "离开"}, _alone(Quit())),
)

# What other chats call the end of a private chat; here they are unknown, and the answer says what to type.
ENDS = frozenset(("end", "close", "exit", "leave", "stop", "done", "back", "bye", "q", "结束", "退出"))

_BY_NAME = {name: record for record in COMMANDS for name in (record.name, *record.aliases)}


def parse_line(text: str) -> Say | Command:
    """Interpret a text, however its beginning was typed (`core.markers`).

    `/` begins a command, `//x` sends `/x`, `/say x` sends `x` exactly, `to:NAME` opens a private chat. A text that is
    nearly a private text or a key is never an ordinary text by default.

    Raises:
        UnknownCommand: no command has that name.
        BadRequest: its arguments make no sense; `usage` shows the right ones.
    """
    match beginning(text):
        case None:
            return _say(text)
        case Escaped(escaped):
            return Say(escaped)
        case Slash(word, arguments, after):
            return _command(word, arguments, after)
        case TalkMarker(name):
            return TalkTo(name)
        case NearWhisper() | NearJoin() | Unread() as near:
            return _say(text, near)
        case BareKey():
            raise _looks_like_key()


def is_command_prefix(word: str) -> bool:
    """Whether a word begins the name of a command."""
    return any(name.startswith(word) for name in _BY_NAME)


def unread_answer_after_s(text: str) -> float | None:
    """The `answer_after_s` of a text that is refused unread, because it is too long or comes too fast."""
    try:
        line = parse_line(trimmed(text[:_HEAD]))
    except Refusal as refused:
        return refused.answer_after_s
    is_private = isinstance(line, TO_OTHERS) or (isinstance(line, Say) and bool(line.near))
    return ANSWER_AFTER_S if is_private else None


def _say(text: str, *near: Near) -> Say:
    """An ordinary text. Commands count only at its beginning, but private texts and keys count in each line, and
    private texts after other text.

    Raises:
        LooksLikeKey: a line of it is probably an operator's key.
    """
    reading = Reading()
    embedded = [*embedded_whispers(text, reading)]
    further: list[Near] = embedded[: _NEAR_LINES // 2]
    opened = after_openers(text, reading)
    if not opened and not further and text.isprintable():  # a printable text has no line ends
        return Say(text, near)
    for line in chain(opened, further_beginnings(text, reading)):
        match line:
            case Slash(word, arguments) if word == "op" and trimmed(arguments):
                raise _looks_like_key()
            case BareKey():
                raise _looks_like_key()
            case Slash() as slash:
                if (command := _near_command(slash)) is not None:
                    further.append(command)
            case NearWhisper() as near_whisper:
                further.append(replace(near_whisper, is_certain=False))
            case TalkMarker(name):
                further.append(NearWhisper(name, runs_on=True, has_exact_keyword=True))
            case Unread() as part:
                further.append(part)
            case _:
                pass
    further += embedded[_NEAR_LINES // 2 :]
    read = [one for one in further if not isinstance(one, Unread)]
    unread = [one for one in further if isinstance(one, Unread)]
    rests = [one for one in read[_NEAR_LINES:] if isinstance(one, NearWhisper)]
    misspaced = [one.misspaced for one in rests if one.misspaced]
    more = (unread_rests(chain.from_iterable(map(_texts, rests)), reading), unread_lines(misspaced, reading))
    unread += filter(None, more)
    if (doubtful := all_unread(unread)) is not None:
        # It is probably refused, perhaps for a name in these.
        return Say(text, near=(*near, *read[:_NEAR_LINES], doubtful))
    return Say(text, near=(*near, *read[:_NEAR_LINES]))


def _texts(near: NearWhisper) -> tuple[str, ...]:
    """The texts that may begin with a name."""
    return (near.rest, *near.alternatives, *(name for name, _text in near.exact_names))


def _near_command(slash: Slash) -> NearWhisper | None:
    """The private text that a further line with a slash is: of `/to`, or of what is nearly that (`/toBob`, `/ to Bob`).

    A command that is nothing of the kind may stand in a further line, as paths do.
    """
    rests = [trimmed(slash.arguments)]
    if (record := _BY_NAME.get(slash.word)) is None:
        rests = rests if is_nearly_move(slash.word) else []
        match beginning(slash.after):
            case NearWhisper(rest, alternatives=others, exact_names=exact_names):
                rests += [rest, *others, *(name for name, _text in exact_names)]
            case TalkMarker(name):
                rests.append(name)
            case _:
                pass
    elif record.name != "to":
        return None
    if not rests:
        return None
    return NearWhisper(
        rests[0], alternatives=tuple(rests[1:]), runs_on=True, has_exact_keyword=record is not None
    )


def _command(word: str, arguments: str, after: str) -> Say | Command:
    record = _BY_NAME.get(word)
    if record is None:
        _check_space(word, trimmed(arguments))
        name = printable(word)
        if is_nearly_join(word):
            raise UnknownJoin(command=name, arguments=arguments, after=after).with_doubt(people=True)
        if is_nearly_move(word):
            raise UnknownWhisper(command=name, arguments=arguments, after=after).with_doubt()
        raise UnknownCommand(command=name, arguments=arguments, after=after).with_doubt(0.0)
    try:
        return record.parse(arguments[1:] if record.name == "say" else trimmed(arguments))
    except ValueError:
        # The refusal gets no local name: its traceback holds this frame, so both would stay until the collector runs.
        if record.name == "join":
            raise BadRequest(usage=record.usage).with_doubt(people=True) from None
        raise BadRequest(usage=record.usage) from None


def _check_space(word: str, rest: str) -> None:
    """Refuse `/ to Bob x`: there is a space after the slash.

    Raises:
        UnknownWhisper: what follows the space is `to` or `join`.
    """
    record = (
        _BY_NAME.get(compared_word(rest[:_LONGEST_COMMAND].split(None, 1)[0])) if rest and not word else None
    )
    if record is None or record.name not in ("to", "join"):
        return
    refused = UnknownWhisper(command=record.name, usage=f"/{printable(rest)}")
    refused.wording = "space_after_slash"
    raise refused.with_doubt(people=record.name == "join")


def _looks_like_key() -> Refusal:
    """The refusal of a key; it holds what arrives before it is answered."""
    return LooksLikeKey(command="op").with_doubt(0.0)
