"""Which names are accepted, and which of them are the same."""

import re
import unicodedata
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.core.addressed import Addressed
from chatroom.core.bare import bare
from chatroom.core.confusables import _ASCII, _looks, _pairs, fold, skeleton
from chatroom.core.errors import BadRequest, NameInvalid, NameReserved, Refusal, RoomInvalid
from chatroom.core.events import Joined, Person
from chatroom.core.names import name_key, parse_name, parse_room, printable, room_key
from chatroom.core.recipients import People, recipient
from chatroom.core.reserved import RESERVED, is_reserved
from chatroom.core.roster import Roster

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

anything = st.text(st.characters())  # surrogates, controls and unassigned characters included
# Texts in which the characters that matter to keys are likely.
tricky = st.text(st.sampled_from("aAiIlL1|mMrn0oOß µΣσςİı\u0307\u0323\ufe0f\u0345가각ᄀᆨㅣ一ーｉΝν／㎜ﬁŉ"))
# Names that joiners, selectors and fillers are likely to fit in, or not.
JOINED = ["می", "خو", "ক্", "ෂ", "ර", "👩", "👧", "🏳", "❤", "🏽", "🇨", "1", "葛", "ab", "Å", ENGLAND]
HIDDEN = [*"\u200c\u200d\ufe0f\ufe0e\u20e3\ufe00\U000e0100\u180b\u034f\u3164\u00ad\u202e\u0301", "\U000e0067"]
joined = st.lists(st.sampled_from(JOINED + HIDDEN), max_size=12).map("".join)


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "Ming Li",
        "小雨",
        "O'Brien-Smith",
        "李 4",
        "x" * 32,
        "龍" * 32,
        "😀",
        "❤️",
        "↔️",
        "👍🏽",
        "🇨🇳",
        "नमस्ते",
        "สวัสดี",
        "Ngọc",
        "ليلى",
        "^_^",
        "می\u200cخواهم",
        "ශ්\u200dරී",
        "র\u200d্যাব",
        "葛\U000e0100城",
        "👨\u200d👩\u200d👧",
        "👨\u200d👩\u200d👧 Ming",
        "🏳\ufe0f\u200d🌈",
        "1\ufe0f\u20e3",
        "#\ufe0f\u20e3",
        "🇩🇪",
        ENGLAND,
        "👩\u200d❤\ufe0f\u200d👩" * 20,
        "\U0001fa77",  # emoji of Unicode 15
        "\U0001fae8",
        "\U0001fabf",
        "\U0001fae9",  # 16
        "\U00010d40",
        "\U000323b0",  # 17
        "\u0378",  # none yet
        "\U0003fffd",
        unicodedata.normalize("NFD", "Nguyễn"),
    ],
)
def test_visible_name_is_kept_as_typed(name: str) -> None:
    assert parse_name(name) == name


def test_outer_spaces_are_dropped() -> None:
    assert parse_name(" \u3000Ming Li\u00a0") == "Ming Li"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 33,
        "x" * 5000,
        "a  b",
        "a\u3000b",
        "a\tb",
        "a\nb",
        "Bob\n",
        "a\0",
        "a\u200bb",
        "a\u200db",
        "a\u202eb",
        "\u2067a",
        "a\u00adb",
        "a\ud800",
        "\ue000",
        "\U000e0041",
        "\ufdd0",
        "\U0010ffff",
        "\u2065",
        "a\ufe0f",
        "\ufe0f",
        "\ufe00",
        "\U000e0100",
        "\u0301",
        "\U0001d159",
        "\u3164\u115f",
        "😀" * 33,
        "👩\u200d❤\ufe0f\u200d👩" * 26,
        "👩\u200d",
        "👩" + "\u200d👩" * 4,
        "🏴\U000e0067\U000e007f",
        "می\u200c",
        "\u3164",
        "a\u2800",
        "b\ufffd",
        "\u0301a",
        "a \u0301",
        "a\u0301\u0302\u0303\u0304",
        "...",
        "-",
        "\u2028",
    ],
)
def test_name_that_hides_something_or_disfigures_is_invalid(name: str) -> None:
    with pytest.raises(NameInvalid):
        parse_name(name)


@pytest.mark.parametrize(
    ("name", "character"),
    [
        ("a\u202ab", "U+202A"),
        ("\ufeffa", "U+FEFF"),
        ("a\u200db\u202e", "U+200D"),
        ("a\ufe0f", "U+FE0F"),
        ("a\0", "U+0000"),
        ("\u3164", "U+3164"),
        ("🏴\U000e0067\U000e007f", "U+E0067"),
        ("a  b", None),
        ("...", None),
        ("x" * 33, None),
        ("a\u0301\u0302\u0303\u0304", None),
    ],
)
def test_refusal_names_the_hidden_character(name: str, character: str | None) -> None:
    params = {} if character is None else {"character": character}
    with pytest.raises(NameInvalid) as refused:
        parse_name(name)
    assert refused.value.params == params
    if character is not None:
        with pytest.raises(RoomInvalid) as refused_room:
            parse_room(name)
        assert refused_room.value.params == params


@pytest.mark.parametrize("name", ["Dr. Who", "J.R.", "-x-", "C++", "(^_^)", "C#", ">", "=^.^=", "`"])
def test_a_name_with_punctuation_can_be_taken_and_addressed(name: str) -> None:
    here = Roster()
    here.apply(Joined(Person("a", parse_name(name)), 1))
    here.apply(Joined(Person("b", "Bob"), 2))
    found = recipient(f"{name} hi", People(here.find, lambda _: None, Addressed()))
    assert found == (Person("a", name), "hi")


AROUND = st.sampled_from(
    ["@", "(", ")", "<", ">", "[", "]", '"', "'", "`", "«", "»", *":,;.!?—、。：，！？「」《》 "]
)


@given(
    st.text(AROUND, max_size=3),
    st.text(AROUND, max_size=3),
    st.sampled_from(["Bob", "Ming Li", "小雨", "Олег"]),
)
def test_every_form_that_reaches_a_name_has_its_key(before: str, after: str, name: str) -> None:
    """What `/to` ignores around Bob's name, nobody can have around theirs while Bob is here."""
    here = Roster()
    here.apply(Joined(Person("b", name), 1))
    written = f"{before}{name}{after}".strip()
    try:
        recipient(f"{written} hi", People(here.find, lambda _: None, Addressed()))
    except Refusal:
        return
    assert name_key(written) == name_key(name)


@pytest.mark.parametrize(
    "name", ["ad\u200dmin", "adm\ufe00in", "you\u202e", "系\u200c统", "＊\ufe0f", "s\u034fystem"]
)
def test_hidden_characters_do_not_unreserve_a_name(name: str) -> None:
    assert is_reserved(name)
    with pytest.raises(NameReserved):
        parse_name(name)


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"]])
def test_other_types_are_bad_requests(value: object) -> None:
    with pytest.raises(BadRequest):
        parse_name(value)
    with pytest.raises(BadRequest):
        parse_room(value)


@pytest.mark.parametrize(
    "name",
    [
        *RESERVED,
        "Admin",
        "ADMIN",
        "аdmin",
        "adm1n",
        "ΑDΜΙΝ",
        "admi\u0307n",
        "ａｄｍｉｎ",
        "0perat0r",
        "ЅYSTEM",
        "уоu",
        "＊",
        "∗",
        "✱",
        "*\ufe0f\u20e3",
        "🅰dmin",
        "ᴀᴅᴍɪɴ",
        "🇦🇩🇲🇮🇳",
        "adm1\ufe0f\u20e3n",
        "adm➊n",
        "⒜dmin",
        "🅾\ufe0fperator",
        "a\u0336dmin",
        " you ",
        # Decorated, spaced, numbered
        "Administrator",
        "Admin1",
        "admin 007",
        "1Admin",
        "[server]",
        "【系统】",
        "★Admin★",
        "👑管理员👑",
        "*Admin*",
        "~mod~",
        "管 理 员",
        "管-理-員",
        "管理员1号",
        "1号管理員",
        "m o d",
        "M.O.D.",
        "R00t",
        "r00t1",
        "0perator1",
        "系统①",
        "Sys-Admin",
        "root_",
        "àdmin",
        "@dmin",
        "Adm!n",
        "5erver",
        "$taff",
        "Hоst",  # Cyrillic о
        "МОDERATOR",
    ],
)
def test_name_that_passes_for_the_service_is_reserved(name: str) -> None:
    with pytest.raises(NameReserved) as refusal:
        parse_name(name)
    assert refusal.value.params == {"name": name.strip()}
    assert is_reserved(name.strip())


@pytest.mark.parametrize(
    "name",
    [
        *("Ghost", "Modesto", "Roots", "Hosta", "Modi", "Hostess", "Admiral", "Opal", "Badmin", "Roots 2"),
        *(
            "主持人家",
            "群主的猫",
            "小管理",
            "系统控",
            "车站",
            "Admin Bob",
            "Hos7ile",
            "Mod Podge",
            "管",
            "2号",
            "5",
        ),
    ],
)
def test_a_longer_name_beginning_like_a_reserved_one_is_free(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        # A word of the staff and what people put around it
        *("Real Admin", "the moderator", "TheRealAdmin", "admin (real)", "Admin Team Member", "System Bot"),
        *(
            "Official Mod Team",
            "The Op",
            "Assistant Admin",
            "RealMod",
            "the ó̀p",
            "your host",
            "Server Admin Bot",
        ),
        *(
            "系統消息",
            "系统管理",
            "超級管理",
            "聊天室管理",
            "管理员（官方）",
            "官方小助手",
            "系统機器人",
            "真·管理员",
        ),
        *("官方管理团队", "官方Admin", "Admin团队", "本站客服", "在线客服小助手"),
        *("адмін", "Адміністратор", "служба підтримки", "главный админ", "Администрация чата"),
        # Letters that stand for others
        *(
            "ᎪᎠᎷᏆΝ",
            "ᗩᗪᗰIᑎ",
            "卂dmin",
            "Λdmin",
            "aclmin",
            "adnnin",
            "ΔDMIП",
            "丂丫丂ㄒ乇爪",
            "ᔕYᔕTEᗰ",
            "爪ㄖᗪ",
        ),
        *("菅理员", "管埋员", "宫方", "₳dmin", "∆dmin", "ovvner", "АDМІИ", "ᏚᎩᏚᎢᎬᎷ"),
    ],
)
def test_staff_words_with_what_stands_around_are_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Cooper",
            "Coop",
            "Rooted",
            "Modest",
            "Adminton",
            "Theo",
            "The Real Bob",
            "Official Bob",
            "Bot",
            "Team Bot",
        ),
        *(
            "Not a mod",
            "Ghost Admin Hunter",
            "Real Madrid",
            "Real You",
            "Hosted",
            "Host of Ghosts",
            "Desmond",
            "Clay",
        ),
        *(
            "管家",
            "小助手",
            "聊天机器人",
            "真真",
            "消息",
            "官方的猫",
            "总管家",
            "在线",
            "小管理",
            "丁一",
            "山口",
            "埋没",
        ),
        *("Админтон", "Модест", "Чат", "Бот", "ᎠᎪᏤᎥᎠ", "Команда"),
    ],
)
def test_ordinary_words_around_no_staff_word_are_free(name: str) -> None:
    assert parse_name(name) == name


def test_the_reserved_names_have_more_than_sixty_of_each_script() -> None:
    """They are all different: none is there twice in another spelling."""
    keys = {name: name_key(name.replace(" ", "")) for name in RESERVED}
    assert len(set(keys.values())) == len(keys)
    assert sum(name.isascii() for name in keys) >= 60
    assert sum("\u4e00" <= name[0] <= "\u9fff" for name in keys) >= 60


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("Tom", "Тom"),  # Cyrillic Т
        ("Bob", "🅱ob"),
        ("Bob", "ʙob"),
        ("Bob", "B\u20ddob"),
        ("DE", "🇩🇪"),
        ("Nick", "Νick"),  # Greek Ν
        ("νοva", "ΝΟVA"),
        ("modern", "rnodern"),
        ("Iris", "lris"),
        ("İbrahim", "ibrahim"),
        ("café", "cafe\u0301"),
        ("straße", "STRASSE"),
        ("❤️", "❤"),
        ("❤\ufe0e", "❤"),
        ("می\u200cخواهم", "میخواهم"),
        ("ශ්\u200dරී", "ශ්රී"),
        ("葛\U000e0100城", "葛城"),
        ("🏳\ufe0f\u200d🌈", "🏳\u200d🌈"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),  # where a font has no family, both are three heads
        ("a\u200db", "ab"),
        ("ロ", "口"),
        ("ｶﾞ", "ガ"),
        *(
            ("Bob", name)
            for name in ("@Bob", "Bob:", "Bob,", "Bob.", "Bob;", "Bob!", "Bob?", "Bob...", ":Bob")
        ),
        *(("Bob", name) for name in ("(Bob)", "<Bob>", "[Bob]", "'Bob'", '"Bob"', "`Bob`", "*Bob*", "_Bob_")),
        *(("Bob", name) for name in ("Bob：", "＠Bob", "「Bob」", "«@Bob», ", "Bob —", "Воb.", "Bob.\u0301")),
        *(("小雨", name) for name in ("@小雨", "小雨：", "《小雨》", "小雨、")),
        ("Ming Li", "Ming Li."),
        ("נמי", "נמי:"),
        ("第一", "第—"),  # a dash, which looks like it
        *(("أحمد", "احمد"), ("إيمان", "ايمان"), ("آدم", "ادم")),  # an alef without its hamza or madda
    ],
)
def test_names_that_look_alike_are_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Van", "Nan"),
        ("Gus", "Gys"),
        ("Rob", "Tob"),
        ("小明", "小朋"),
        ("각가", "가까"),
        ("café", "cafe"),
        ("😀", "😁"),
        ("👍🏽", "👍🏿"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👦"),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200d⚧\ufe0f"),
        (ENGLAND, "🏴"),
        (ENGLAND, SCOTLAND),
        ("\U0001fae8", "\U0001fae9"),
        ("Leo2", "Leo3"),
        ("C", "C++"),
        ("^_^", "o_o"),
        ("Dr. Who", "Dr Who"),
        ("第", "第一"),
        ("サ", "サー"),
        ("נמ", "נמי"),
        ("नम", "नमः"),
        ("ミ", "ミノ"),
        ("Bob", "🎉Bob"),
        ("=", ">"),
    ],
)
def test_names_that_look_different_are_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_all_hangul_syllables_and_kana_differ() -> None:
    for first, last in ((0xAC00, 0xD7A3), (0x3041, 0x3096), (0x30A1, 0x30FA)):
        assert len({name_key(chr(code)) for code in range(first, last + 1)}) == last - first + 1


def test_common_ideographs_differ_but_for_true_twins() -> None:
    alike: dict[str, str] = {}
    for code in range(0x4E00, 0xA000):
        alike[name_key(chr(code))] = alike.get(name_key(chr(code)), "") + chr(code)
    twins = [group for group in alike.values() if len(group) > 1]
    assert {"土士", "黑黒"} <= set(twins)
    assert len(twins) < 50  # of 20,992
    assert max(map(len, twins)) == 2


def test_key_of_every_character_is_stable() -> None:
    """All characters that the data speak of, with their other case, and every eleventh of the rest."""
    known = map(chr, _looks())
    others = map(chr, range(0, 0x30000, 11))
    for character in {*known, *others}:
        for text in (character, character.upper(), "i" + character):
            assert name_key(name_key(text)) == name_key(text), ascii(text)


def test_ascii_needs_no_data_and_agrees_with_it() -> None:
    """The table in the source is what UTS #39 says of ASCII, read without case."""
    alike = [(one, other) for one, other in _pairs() if one.isascii() and other.isascii()]
    assert ("m", "rn") in alike
    for one, other in alike:
        if other.isalnum() or len(other) == 1:
            assert name_key(one) == name_key(other), (one, other)
    # Nothing else became one: each folded character either stands for itself or is in the data.
    touched = {fold(character) for pair in alike for character in pair}
    assert {chr(code) for code in _ASCII} <= touched


@given(st.lists(st.text(), max_size=5))
@example(["\u0301a", "\u00a8", "\u200d\u0915", "\ufdfa"])
def test_a_name_is_keyed_word_by_word(words: list[str]) -> None:
    assert name_key(" ".join(words)) == bare(skeleton(" ".join(words)))


@given(anything | tricky | joined)
@example("i\u0323\u0307")
@example("l\u0307\u0301\u0307")
def test_keys_are_stable_and_case_blind(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    # Decomposed first, as canonical caseless matching asks (Unicode, 3.13): casefolding alone moves U+0345.
    assert name_key(unicodedata.normalize("NFD", text).casefold()) == key
    assert name_key(unicodedata.normalize("NFKC", text)) == key
    assert room_key(room_key(text)) == room_key(text)


@given(anything | tricky | joined)
def test_any_text_is_a_stable_name_or_refused(text: str) -> None:
    try:
        name = parse_name(text)
    except Refusal:
        return
    assert parse_name(name) == name
    assert name in text
    assert 1 <= len(name) <= 128
    name.encode()


@given(
    joined, st.lists(st.tuples(st.integers(0, 30), st.sampled_from("\u200c\u200d\ufe0f\ufe00\u034f\u3164")))
)
def test_hidden_characters_change_no_key(text: str, hidden: list[tuple[int, str]]) -> None:
    other = text = text.replace(ENGLAND, "")  # whose tags are a flag only as they stand
    for place, character in hidden:
        other = other[:place] + character + other[place:]
    assert name_key(other) == name_key(text)
    assert room_key(other) == room_key(text)


def test_names_that_differ_only_in_hidden_characters_share_a_key() -> None:
    between = [
        "",
        "\u200c",
        "\u200d",
        "\ufe0f",
        "\ufe0e",
        "\ufe0f\u200d",
        "\U000e0100",
        "\u180b",
        "\u034f",
        "\u3164",
    ]
    keys: dict[str, dict[str, str]] = {}
    for first, second in product(JOINED[:-1], repeat=2):
        for hidden in product(between, repeat=2):
            name = f"{first}{hidden[0]}{second}{hidden[1]}"
            try:
                keys.setdefault(first + second, {})[parse_name(name)] = name_key(name)
            except Refusal:
                pass
    assert sum(len(alike) > 1 for alike in keys.values()) > 100
    assert [alike for alike in keys.values() if len(set(alike.values())) > 1] == []


@given(anything | joined)
@example("A\u09cd\u200c\u115f")  # the joiner stands before a hidden letter
def test_printable_is_short_and_can_be_encoded(text: str) -> None:
    assert len(printable(text)) <= 32 * 4
    printable(text).encode()
    assert not re.search("[\u202a-\u202e\ud800-\udfff\0-\x1f]", printable(text))
    assert printable(printable(text)) == printable(text)


def test_printable_keeps_sequences_whole() -> None:
    assert printable("👨\u200d👩\u200d👧" * 40) == "👨\u200d👩\u200d👧" * 25
    assert printable("می\u200cخواهم") == "می\u200cخواهم"
    assert printable("a\u200db\u202e") == "a\ufffdb\ufffd"
    assert printable("x" * 40) == "x" * 32


@pytest.mark.parametrize(
    "room",
    [
        "می\u200cخواهم",
        "🏳\ufe0f\u200d🌈",
        ENGLAND,
        "\U0001fae9",
        "lobby",
        "Tea House",
        "茶馆",
        "!!!",
        "you",
        "x" * 64,
        "...",
        "a.",
        "..a",
        "50%",
        "%2e%2e%2e",
        "a\\b",
    ],
)
def test_visible_room_is_kept_as_typed(room: str) -> None:
    assert parse_room(f" {room} ") == room


@pytest.mark.parametrize("room", ["LOBBY", "ｌｏｂｂｙ"])
def test_lobby_has_one_spelling(room: str) -> None:
    assert parse_room(room) == "lobby"


@pytest.mark.parametrize("room", ["", " ", "a/b", "a／b", "℀", "x" * 65, "a\nb", "a\u200bb", "a\ud800"])
def test_room_that_hides_something_or_has_a_slash_is_invalid(room: str) -> None:
    with pytest.raises(RoomInvalid):
        parse_room(room)


@pytest.mark.parametrize(
    "room", [".", "..", "%2e", "%2E%2e", ".%2e", "%2E.", "．", "．．", "‥", "％２ｅ．", " .. "]
)
def test_room_whose_address_is_another_page_is_invalid(room: str) -> None:
    with pytest.raises(RoomInvalid):
        parse_room(room)


def test_rooms_compare_by_case_and_width_but_not_by_looks() -> None:
    assert room_key("Lobby") == room_key("ｌｏｂｂｙ") == "lobby"
    assert room_key("1obby") != "lobby"
    assert room_key("❤️") == room_key("❤")
    assert room_key("می\u200cخواهم") == room_key("میخواهم")
    assert room_key(ENGLAND) != room_key(SCOTLAND)
