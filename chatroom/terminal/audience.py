"""Who receives a typed text: everyone in the room, or one person (`to:NAME`). Pure.

A person is a session: whoever takes over a name does not receive private texts meant for its former owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chatroom.core import near
from chatroom.core.addressed import Addressed
from chatroom.core.beginnings import beginnings
from chatroom.core.characters import is_blank
from chatroom.core.commands import COMMANDS, ENDS, Say, parse_line
from chatroom.core.confusables import fold
from chatroom.core.errors import LooksPrivate, NoSuchPartner, Refusal, usage_for
from chatroom.core.events import Person
from chatroom.core.expected import ExpectedAnswer
from chatroom.core.folding import trimmed
from chatroom.core.markers import Escaped, Slash, TalkMarker, beginning, is_nearly_join
from chatroom.core.name_ends import bare_name, punctuated_match, without_quotes
from chatroom.core.names import printable
from chatroom.core.near_misses import NearJoin
from chatroom.core.recipients import People, longer_name, no_such, recipient
from chatroom.core.sentences import Sentences
from chatroom.core.spellings import Spellings
from chatroom.terminal.failed_texts import PrivateText
from chatroom.terminal.frame import Frame
from chatroom.terminal.words import ENGLISH


def _names_of(command: str) -> tuple[str, ...]:
    return next((command, *record.aliases) for record in COMMANDS if record.name == command)


_WHISPERING: Final = _names_of("to")
_MOVING: Final = (*_WHISPERING, *_names_of("join"))


@dataclass(frozen=True, slots=True)
class Message:
    """A text to send, as others will see it."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command for the server, as it is compared."""

    text: str


@dataclass(frozen=True, slots=True)
class TalkTo:
    """`to:NAME`; `text` is the name, and empty for `to:` alone."""

    text: str


Typed = Message | Command | TalkTo


def read(text: str) -> Typed:
    """Interpret a typed text as the server does, however its beginning was typed."""
    match beginning(text):
        case Escaped(said):
            return Message(said)
        case Slash("say", said) if not is_blank(said):
            return Message(said[1:])
        case Slash(word, arguments):
            return Command(f"/{word}{arguments}")
        case TalkMarker(name):
            return TalkTo(name)
        case _:
            return Message(text)


def changes_audience(text: str) -> bool:
    """Whether the texts after this one may have other recipients than those before it."""
    match beginning(text):
        case Slash(word):
            return word in _MOVING or is_nearly_join(word)
        case TalkMarker():
            return True
        case _:
            return False


def is_join(text: str) -> bool:
    """Whether a text is, or was probably meant as, a `/join`: in another room a name may be somebody else's."""
    match beginning(text):
        case Slash(word):
            return is_nearly_join(word)
        case NearJoin():
            return True
        case _:
            return False


def is_whisper(text: str) -> bool:
    """Whether a text is `/to NAME …`, by whatever name of the command."""
    found = beginning(text)
    return isinstance(found, Slash) and found.word in _WHISPERING and not is_blank(found.arguments)


def joined_room(text: str) -> str | None:
    """The room that a `/join` asks for."""
    found = beginning(text)
    return trimmed(found.arguments) if isinstance(found, Slash) and found.word == "join" else None


def _slip(text: str, names: Mapping[str, str]) -> Refusal | None:
    """Why a text was probably not meant for the partner, by the server's rules for a room; None: it was."""
    keys = {_key(name): Person(sid, name) for sid, name in names.items()}
    try:
        line = parse_line(text)
        if isinstance(line, Say):
            people = People(lambda name: keys.get(_key(name)), _nobody, Addressed())
            near.check(line.near, people, _no_room)
    except Refusal as refused:
        return refused
    return None


def _whisper(command: str, names: Mapping[str, str]) -> PrivateText | None:
    """What `/to NAME TEXT` says, and whose name it is now; None: it says nothing, or not surely to whom."""
    if not is_whisper(command):
        return None
    keys = {_key(name): Person(sid, name) for sid, name in names.items()}
    people = People(lambda name: keys.get(_key(name)), _nobody, Addressed())
    try:
        return PrivateText(*recipient(trimmed(command.partition(" ")[2]), people))
    except Refusal:
        return None


def _nobody(_name: str) -> None:
    """Only the server knows who has left."""


def _no_room(_name: str) -> bool:
    return False


def _key(name: str) -> str:
    """The key by which `to:NAME` compares names: without case, width and invisible characters."""
    return " ".join(fold(name).split())


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send the text as typed: to this person, or (None) to everyone in the room, or as a command to the server.

    Attributes:
        confirmed: the guest knows that this person has the name of a partner who has left.
        whisper: what a `/to NAME TEXT` says, and whose name it is now.
    """

    text: str
    to: Person | None
    confirmed: bool = False
    whisper: PrivateText | None = None


@dataclass(frozen=True, slots=True)
class AudienceChanged:
    """The audience has changed, as the notice says."""

    notice: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing is sent, for this reason; `is_doubtful`: the next texts may be meant for someone else."""

    why: str
    is_doubtful: bool = False


class Audience:
    """Decides who receives a guest's texts.

    Args:
        words: the client's sentences.
        expected: decides whether a text for the room is asked about first.
        asks: whether to ask about a text for the room that may answer a whisper; a script cannot send it again.
    """

    def __init__(
        self, words: Sentences = ENGLISH, expected: ExpectedAnswer | None = None, *, asks: bool = True
    ) -> None:
        self._words = words
        self._asks = asks
        self._expected = expected or ExpectedAnswer()
        self._whisper = ("", "")  # the names of who sent and who received the last one
        self._partner: Person | None = None
        self._room = ""
        self._has_talked = False  # to a partner, at some time
        self._has_moved = False  # to another room, since the guest chose the partner
        # The session that has a former partner's name, once the guest knows it, and the one that the server is asked
        # about, or has answered.
        self._known_namesake: str | None = None
        self._asked_namesake: str | None = None

    def partner(self, names: Mapping[str, str]) -> Person | None:
        """The person who receives texts, with their present name; None: everyone.

        Args:
            names: who is in the room, by session id.
        """
        if self._partner is not None and self._partner.sid in names:
            self._partner = Person(self._partner.sid, names[self._partner.sid])
        return self._partner

    def talk_to(self, person: Person) -> AudienceChanged:
        """Write to this person from now on."""
        self._partner, self._has_moved, self._has_talked = person, False, True
        self._expected.forget()
        return AudienceChanged(self._words.say("to_one", name=person.name))

    def follow(self, frame: Frame, now: float) -> None:
        """A whisper has come, the guest's own as well, or somebody has another name."""
        name, to = str(frame.get("username")), str(frame.get("to"))
        if frame.get("action") == "rename":
            sender, recipient = self._whisper
            self._whisper = (to if sender == name else sender, to if recipient == name else recipient)
            if sender == name:
                self._expected.renamed("", to)
        else:
            self._whisper = (name, to)
            self._expected.whispered(Person("", name), now)

    def entered(self, room: str) -> None:
        """The guest is in this room now, perhaps again."""
        self._has_moved = self._has_moved or room != self._room
        self._room = room

    def session_to_ask_about(self, names: Mapping[str, str]) -> str | None:
        """The session of a partner who has left, once for each person who comes with the partner's name.

        The server knows who has resumed that session; its answer is for `resumed`.
        """
        partner = self.partner(names)
        namesake = None
        if partner is not None and partner.sid not in names:
            namesake = next((sid for sid, name in names.items() if name == partner.name), None)
        before, self._asked_namesake = self._asked_namesake, namesake
        return partner.sid if partner is not None and namesake not in (None, before) else None

    def resumed(self, left: str, answer: Mapping[str, object]) -> AudienceChanged | None:
        """Follow the server's answer about a session that has left: perhaps the partner is back with another."""
        sid, name = answer.get("sid"), answer.get("username")
        if not isinstance(sid, str) or not isinstance(name, str):
            if answer.get("code") != "no_such_person":
                self._asked_namesake = None  # unknown: it has to be asked again
            return None
        if self._partner is None or self._partner.sid != left:
            return None
        self._partner = Person(sid, name)
        return AudienceChanged(self._words.say("partner_back", name=name))

    def take(
        self, text: str, names: Mapping[str, str], own: str, now: float
    ) -> Deliver | AudienceChanged | NotSent:
        """Decide what to do with a typed text.

        Args:
            names: who is in the room, by session id.
            own: the guest's session id.
        """
        partner = self.partner(names)
        match read(text):
            case Command(command):
                if partner is not None and command[1:].strip() in ENDS:
                    return NotSent(self._words.say("ends_alone"))
                if is_whisper(command):
                    self._expected.whispers(now)  # the next text may come before its answer
                return Deliver(text, None, whisper=_whisper(command, names))
            case TalkTo(name):
                return self._talk_to(name, names, own) if trimmed(name) else self._end_talk(now)
            case Message(said) if partner is None:
                # Who types `//` or `/say` knows where it goes.
                asked = self._expected.question(text, now) if self._asks and said == text else None
                if asked is None:
                    return Deliver(text, None)
                return NotSent(asked.why or self._question(text, asked.name, names, names.get(own, "")))
            case Message() if partner.sid in names:
                slip = _slip(text, names)
                if slip is not None:
                    key = "text_after_to" if isinstance(slip, LooksPrivate) else "no_slash"
                    return NotSent(self._words.say(key, **slip.params), is_doubtful=True)
                return Deliver(text, partner, partner.sid == self._known_namesake)
        namesakes = (sid for sid, name in names.items() if _key(name) == _key(partner.name))
        self._known_namesake = next(namesakes, None)
        left = "partner_elsewhere" if self._has_moved else "partner_left"
        key = left if self._known_namesake is None else "partner_replaced"
        return NotSent(self._words.say(key, name=partner.name))

    def _question(self, text: str, name: str, names: Mapping[str, str], own_name: str) -> str:
        """What to say about a text for the room; the server would refuse one that names somebody."""
        slip = _slip(text, names)
        if isinstance(slip, LooksPrivate):
            why = self._words.say("text_after_to", **slip.params)
            self._expected.looked_private(text, why)
            return why
        if not name:
            return self._words.say("may_be_private")
        return self._words.say("may_answer", name=self._whisper[1] if name == own_name else name)

    def _end_talk(self, now: float) -> AudienceChanged:
        self._partner, self._has_moved = None, False
        self._expected.ended(now, had_talk=self._has_talked)
        return AudienceChanged(self._words.say("to_all"))

    def _talk_to(self, wanted: str, names: Mapping[str, str], own: str) -> AudienceChanged | NotSent:
        for name in (wanted, without_quotes(trimmed(wanted)), bare_name(wanted)):
            found = [sid for sid, known in names.items() if _key(known) == _key(name)]
            if found == [own]:
                return NotSent(self._words.say("yourself"))
            if len(found) == 1:
                return self.talk_to(Person(found[0], names[found[0]]))
        keys = {_key(name): name for name in names.values()}
        meant = punctuated_match(trimmed(wanted), lambda name: keys.get(_key(name)))
        if meant is not None and meant.rest:
            longer = longer_name(meant.who, meant.rest, beginnings(names.values()).find)
            if longer is not None:
                return NotSent(self._words.say("name_unclear", name=longer, other=meant.who))
            usage = usage_for(meant.who, meant.rest)
            return NotSent(self._words.say("text_after_to", name=meant.who, usage=usage))
        find, spelled = beginnings(names.values()).find, Spellings(names.values()).find
        people = People(_nobody, _nobody, Addressed(), find, spelled_here=spelled)
        refused = no_such(NoSuchPartner, printable(bare_name(wanted) or wanted), wanted, people)
        key = "no_such_person_near" if "near" in refused.params else "no_such_person"
        return NotSent(self._words.say(key, **refused.params))
