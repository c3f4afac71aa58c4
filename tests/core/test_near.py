"""Which texts are refused for what they nearly are: the table of examples, each with its reason."""

import json
import re
from pathlib import Path
from string import ascii_lowercase, digits, punctuation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core import near
from chatroom.core.commands import Command, Say, parse_line
from chatroom.core.errors import (
    ANSWER_AFTER_S,
    BadRequest,
    LooksLikeJoin,
    NoSuchPartner,
    Refusal,
    UnreadMayBePrivate,
)
from chatroom.core.events import Left, Person, Why
from chatroom.core.long_texts import _may_be_keyword
from chatroom.core.ordinary_words import ORDINARY
from chatroom.core.recent import RecentNames
from chatroom.core.recipients import People, recipient
from chatroom.core.slips import WORDS, is_slip
from tests.support.people import people_of, roster_of

TABLE = json.loads((Path(__file__).parent / "near.json").read_text(encoding="utf-8"))
RECENT = RecentNames()
for each in TABLE["lately"]:
    RECENT.add(each, "", 0.0)
PEOPLE = people_of(
    roster_of(*TABLE["here"]),
    RECENT,
    now=lambda gone: Person("r", "Robert") if gone.name == "Rob" else None,
)


WITH_MARKS = ["(to Bob) x", "**to Bob** x", "`/to Bob x`", 'to Bob "x', "to Bob - x", "[to Bob x]"]


def judge(text: str, people: People = PEOPLE) -> Say | Command | Refusal:
    """What becomes of a text in the room of the table."""
    try:
        line = parse_line(text)
        if not isinstance(line, Say):
            return line
        near.check(
            line.near,
            people,
            lambda room: room in TABLE["rooms"],
        )
    except Refusal as refused:
        return refused
    return line


@pytest.mark.parametrize(("text", "verdict", "why"), TABLE["cases"])
def test_a_text_is_sent_or_refused_as_the_table_sends(text: str, verdict: str, why: str) -> None:
    outcome = judge(text)
    assert ("sent" if isinstance(outcome, Say) else "refused", why) == (verdict, why)
    if isinstance(outcome, Refusal):
        assert outcome.answer_after_s == ANSWER_AFTER_S


@pytest.mark.parametrize(("verdict", "why", "texts"), TABLE["more"])
def test_texts_of_one_kind_are_judged_alike(verdict: str, why: str, texts: list[str]) -> None:
    assert (why, [text for text in texts if isinstance(judge(text), Say) != (verdict == "sent")]) == (why, [])


@pytest.mark.parametrize("name", ["Bob", "Ann", "小雨"])
def test_one_slip_in_a_marker_never_makes_a_message(name: str) -> None:
    marker, keys = f"to:{name}", f"{ascii_lowercase}{digits}{punctuation}øл"
    slipped = [marker[:at] + marker[at + 1 :] for at in range(3)]
    slipped += [marker[:at] + marker[at + 1] + marker[at] + marker[at + 2 :] for at in range(3)]
    slipped += [marker[:at] + key + marker[at + size :] for at in range(3) for size in (0, 1) for key in keys]
    assert [text for text in slipped if isinstance(judge(text), Say)] == []


@pytest.mark.parametrize(
    "ordinary",
    [
        "ok\n" * 101,
        "x y\n" * 60,
        "lol\n" * 400,
        "ёж и\n" * 30,
        "a/b " * 101,
        "a/b " * 400,
        "see /to all " * 5,
    ],
    ids=[
        "many lines",
        "doubtful lines",
        "more lines",
        "costly lines",
        "many places",
        "more places",
        "commands",
    ],
)
@pytest.mark.parametrize(
    "private", ["to Bob: secret", "see /to Bob secret", "tp Bob: secret", "ьып Bob secret"]
)
def test_a_private_line_is_found_at_both_ends(ordinary: str, private: str) -> None:
    assert isinstance(judge(ordinary), Say)
    for text in (f"{ordinary}\n{private}", f"{private}\n{ordinary}", f"hi\n{private}\n{ordinary}"):
        assert isinstance(judge(text), BadRequest), text[:20]


@pytest.mark.parametrize(
    "text",
    [
        "ok\n" * 200 + "to Bob: secret\n" + "ok\n" * 200,
        "ok\n" * 200 + "私聊小雨 secret\n" + "ok\n" * 200,
        "x y\n" * 40 + "(to Bob) secret\n" + "x y\n" * 40,
        "ёж и\n" * 20 + "w 小雨 secret\n" + "ёж и\n" * 20,
        "a/b " * 200 + "/to Bob secret " + "a/b " * 200,
        "a/b " * 200 + "to: Bob secret " + "a/b " * 200,
        "to x\n" * 20 + "to Bob: secret\n" + "to x\n" * 20,
        "lol /to x " * 20 + " /to Bob secret " + "lol /to x " * 20,
    ],
)
def test_what_is_not_read_is_not_sent_if_doubtful(text: str) -> None:
    assert isinstance(judge(text), UnreadMayBePrivate)


def test_too_many_lines_or_slashes_are_refused_unread() -> None:
    letters = ascii_lowercase[:20]
    words = ["b" + one + other for one in letters for other in letters]
    assert isinstance(judge("\n".join(words)), Say)
    assert isinstance(judge("\n".join(sorted(ORDINARY)[:330])), Say)
    assert isinstance(judge("\n".join(f"send invoice{number} off" for number in range(105))), Say)
    assert isinstance(judge("\n".join(f"w {word}" for word in words[:300])), UnreadMayBePrivate)
    assert isinstance(judge("\n".join([*words[:10] * 40, *map(str, range(100, 200))])), Say)
    assert isinstance(judge("\n".join(chr(0x6000 + number) * 3 for number in range(450))), Say)
    assert isinstance(
        judge("x" + "".join(f" /{word[1:]}" for word in words + words[:90])), UnreadMayBePrivate
    )


@pytest.mark.parametrize("ordinary", ["x = compute(y, z)", "ok", "- buy milk", "ёж и", "a/b"])
def test_a_private_line_amid_many_is_found_however_typed(ordinary: str) -> None:
    around = f"{ordinary}\n" * 100
    for line in (
        *(
            "／ｔｏ Bob x",
            "tp:Bob",
            "m\u00adsg Bob x",
            "对小雨说 x",
            "for Bob only: x",
            "/to Zed x",
            "to:Zed",
            "tp:Zed",
        ),
        *(
            "7to Bob",
            "private message to Bob: x",
            "ьып Bob x",
            "to 민지 x",
            "12. to Bob x",
            "to Zöe: x",
            "tо Bob x",
            "to Moonbeam x",
            "to Zoe x",
            "dm Ming Li x",
        ),
        *(
            "toBob x",
            "私聊：Zed",
            "给小雨：x",
            "Wisper Bob x",
            "t o Bob",
            "talk to Bob",
            "- to Ann",
            "- [ ] tell Bob x",
        ),
        "op 0123456789abcdef0",
    ):
        text = f"{around}{line}\n{around}"
        assert (line, isinstance(judge(text), BadRequest)) == (line, True)


@pytest.mark.parametrize("ordinary", ["x = compute(y, z)", "ok", "- buy milk", "ёж и", "a/b"])
def test_lines_that_name_nobody_are_sent_amid_many(ordinary: str) -> None:
    around = f"{ordinary}\n" * 100
    for line in (
        *(
            "w = 3",
            "msg = read()",
            "- to do: laundry",
            "w = Bob",
            "msg.bob()",
            "private:",
            "</w>",
            "w: 100%;",
            "/w/Bob",
        ),
        *(
            "to the moon",
            "with Bob it works",
            "for Bob in names",
            "// to be done",
            "给大家：x",
            "so: what",
            "today Bob",
        ),
        *("tell them", "message = 'x'", "то Олег", "b/w Bob"),
    ):
        text = f"{around}{line}\n{around}"
        assert (line, isinstance(judge(text), Say)) == (line, True)


@pytest.mark.parametrize(
    ("before", "after"),
    [("ok\n" * 45, "ok\n" * 45), ("to bake the flour\n" * 5, "to bake the dough\n" * 6)],
    ids=["many lines", "lines that begin so"],
)
def test_any_name_counts_in_what_is_not_read(before: str, after: str) -> None:
    names = ["Max", "Will", "May", "Art", "Big Bad Wolf", "The Fox", "Bob", "雨", "ながい", "प्रिया"]
    people = people_of(roster_of(*names))
    refused = [
        "to Max: x",
        "msg will x",
        "w Max x",
        "dm may x",
        "tell art x",
        "whisper Max x",
        "private Max: x",
    ]
    refused += [
        "悄悄对Bob说密码",
        "to: Bob说密码",
        "to Bob密码4711",
        "对Max说密码",
        "对雨说密码",
        "to ながい x",
    ]
    refused += [
        "to प्रिया x",
        "to Big Bad Wolf: x",
        "wMax x",
        "toB ob x",
        "send may my love",
        "text Max the code is x",
        "sms Bob the code is x",
    ]
    sent = ["to the moon", "to be honest", "with will it works", "对大家说", "to big events"]
    lines = [*refused, *sent]
    assert [
        line for line in lines if isinstance(judge(f"{before}{line}\n{after}", people), UnreadMayBePrivate)
    ] == refused


@given(
    st.sampled_from([word for word in WORDS if len(word) > 1]),
    st.integers(0, 7),
    st.integers(0, 8),
    st.sampled_from(["", *ascii_lowercase]),
)
def test_no_slip_in_a_keyword_is_taken_for_ordinary(word: str, at: int, to: int, letter: str) -> None:
    without = word[:at] + word[at + 1 :]
    for slip in (without, word[:at] + letter + word[at + 1 :], word[:to] + letter + word[to:]):
        assert not is_slip(slip) or _may_be_keyword(slip)
        assert not is_slip(moved := without[:to] + word[at : at + 1] + without[to:]) or _may_be_keyword(moved)


def test_the_refusal_names_whom_or_what_it_is_about() -> None:
    missing, room = judge("ot:Zed"), judge("join tea house.")
    assert isinstance(missing, NoSuchPartner)
    assert missing.params == {"name": "Zed"}
    for text, more in (
        ("to Bob, see you: at 8", {"name": "Bob", "usage": "/to Bob see you: at 8"}),
        ("hi/to Bob", {"name": "Bob", "usage": "to:Bob"}),
        ("私聊小雨：x", {"name": "小雨", "usage": "/to 小雨 x"}),
        ("to Ann x", {"name": "Ann", "usage": "/to NAME TEXT"}),
        ("to Rob x", {"name": "Rob", "now": "Robert", "usage": "/to Robert x"}),
        ("tp:Bbo", {"name": "Bbo", "near": "Bob", "usage": "to:Bob"}),
        ("Bob: to:Ming Li x", {"name": "Ming Li", "usage": "/to Ming Li x"}),
        ("Bob: to:Zed x", {"name": "Bob", "usage": "/to Bob Zed x"}),
        ("dm Xavier: x", {"name": "Xavier"}),
        *((text, {"name": "Bob", "usage": "/to Bob x"}) for text in WITH_MARKS),
        ("to Bob *really* (no joke)", {"name": "Bob", "usage": "/to Bob *really* (no joke)"}),
        ('to Bob "yes" :)', {"name": "Bob", "usage": '/to Bob "yes" :)'}),
    ):
        refused = judge(text)
        assert isinstance(refused, Refusal)
        assert (text, refused.params) == (text, more)
    assert isinstance(room, LooksLikeJoin)
    assert (room.params["room"], room.doubts_people) == ("tea house", True)


@pytest.mark.parametrize(
    ("text", "is_sent"),
    [
        *(
            (text, True)
            for text in ("m sam here", "token ring", "walking home", "max power is 5", "Max is late")
        ),
        *(
            (text, False)
            for text in (
                "d max power is 5",
                "d Max power is 5",
                "m Sam here is the key",
                "p art two",
                "m sam x",
                "m mark x",
            )
        ),
        *(
            (text, False)
            for text in (
                *(
                    "message Art is nice",
                    "message max privately: x",
                    "message max (private) x",
                    "send max my love",
                ),
                *(
                    "message will the code is 42",
                    "text will: x",
                    "reply may only: x",
                    "message sam x",
                    "to art x",
                ),
            )
        ),
        *(
            (text, False)
            for text in (
                *(
                    "toBias hi",
                    "toKen hi",
                    "toKenhi there",
                    "tokenhow are you",
                    "wAlter x",
                    "toSam x",
                    "msgSamhi",
                ),
                *("wMax x", "wWill x", "wsam x", "tosam说：x", "dmsam的密码：x", "tosampassword x"),
            )
        ),
    ],
)
def test_a_name_that_is_a_word_counts_as_name(text: str, is_sent: bool) -> None:
    people = people_of(roster_of("Max", "Art", "Sam", "Bias", "Ken", "Alter", "mark", "Will", "May"))
    assert isinstance(judge(text, people), Say) == is_sent


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ("to Min hi there", "/to Ming hi there"),
        ("msg Mnig hi there", "/to Ming hi there"),
        ("to Ming Lee hi", '/to "Ming" Lee hi'),
        ("to Min Li hi", "/to Ming Li hi"),
    ],
)
def test_what_a_refusal_shows_can_be_sent(text: str, usage: str) -> None:
    people = people_of(roster_of("Ming Li", "Ming"))
    refused = judge(text, people)
    assert isinstance(refused, Refusal)
    assert refused.params["usage"] == usage
    person, rest = recipient(usage.removeprefix("/to "), people)
    assert f"{person.name} {rest}" == usage.removeprefix("/to ").replace('"', "")


def test_names_in_latin_letters_count_only_for_chinese_ones() -> None:
    nobody = people_of(roster_of())
    assert isinstance(judge("to xiaoyu 你好", nobody), Say)
    assert isinstance(judge("to xiaoyu 你好"), NoSuchPartner)
    roster = roster_of("小雨", "さくら", "Bob")
    assert roster.has_cjk_name("小雨")
    assert roster.has_cjk_name("Bob")
    roster.apply(Left(Person("さくら", "さくら"), Why.LOST, 0))
    assert not roster.has_cjk_name("小雨")


REFUSED = [
    *(text for text, verdict, _ in TABLE["cases"] if verdict == "refused"),
    *(text for verdict, _, texts in TABLE["more"] if verdict == "refused" for text in texts),
]
# The spaces stand elsewhere as well, or the name and the word after it are written as one.
NO_LIST = ("小雨私聊你好", "wBob x", "m sg Bob x", "wh isper Bob x")


@pytest.mark.parametrize(
    ("name", "several"),
    [
        ("Bob", ("Bob, Kim", "Bob and Kim", "Bob & Kim", "Bob、小雨", "Bob和小雨", "Bob与Kim", "Bob @Kim")),
        (" Bob", (" both Bob and Kim",)),
        ("小雨", ("小雨、Kim", "小雨，Kim", "小雨和Kim", "小雨与Bob", "小雨及 Bob")),
    ],
)
def test_a_list_of_names_counts_like_its_first_name(name: str, several: tuple[str, ...]) -> None:
    lists = [
        text.replace(name, names)
        for text in REFUSED
        if text.count(name) == 1 and "both" not in text and text not in NO_LIST
        for names in several
    ]
    assert len(lists) > 100
    assert [text for text in lists if isinstance(judge(text), Say)] == []


# Whatever is in a later line, who is nobody and which room or command is unknown is text there.
ONLY_FIRST = re.compile(r"Zed|%20|[Xx]avier|[Xx]iao ?[Yy]u|Liming|MM|[Jj]o?i|[Jj]о|nowhere|ощшт|ぼ")


def test_a_later_line_is_judged_like_the_first_one() -> None:
    lines = [text for text in REFUSED if ONLY_FIRST.search(text) is None]
    assert len(lines) > 300
    assert [line for line in lines if isinstance(judge(f"hi\n{line}"), Say)] == []
