"""Each client receives the server's text in its own language, and random names in that language's script."""

import re
import signal

import pytest

from tests.support.guests import Guest, Guests, Refused
from tests.support.lines import Lines
from tests.support.program import Start

HAN = re.compile("[\u4e00-\u9fff]")
LATIN = re.compile("[A-Za-z]")


def is_in(lang: str, text: str) -> bool:
    """Whether a sentence of the server is in this language; names and rooms of these plays are in Latin script."""
    return bool(HAN.search(text)) == (lang == "zh")


@pytest.fixture(scope="module")
def names_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text("Ming\nLotus\n小雨\n小满\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_servers_text_is_in_the_language_of_each_client(guests: Guests, lang: str) -> None:
    romeo, juliet = guests(username="Romeo", lang=lang), guests(username="Juliet")
    assert is_in(lang, romeo.asks("message", msg="")["msg"])
    romeo.emit({"action": "message", "msg": ""})
    assert is_in(lang, romeo.receives("notice", code="empty")["msg"])
    token = ""
    for line in ("/help", "/who", "/rooms", "/name Montague", "/to Juliet psst", "/history 1"):
        token = romeo.sends(line).get("token", token)
        assert is_in(lang, romeo.receives("notice", code="command")["msg"]), line
    assert is_in(lang, romeo.asks("message", msg="/to")["msg"])
    assert is_in("en", juliet.asks("message", msg="")["msg"])
    with pytest.raises(Refused) as refused:
        guests(username="Montague", lang=lang)
    assert is_in(lang, refused.value.data["message"])
    with pytest.raises(Refused) as refused:
        guests(room="a/b", lang=lang)
    assert is_in(lang, refused.value.data["message"])
    again = guests(token=token, lang=lang)
    assert is_in(lang, romeo.receives("notice", code="replaced")["msg"])
    assert again.name == "Montague"


def test_a_rename_is_announced_in_each_clients_language(guests: Guests) -> None:
    """Each client receives it once, those in the language of `--lang` included."""
    everybody = [
        (guests(lang=lang, roster=roster), lang or "en", roster)
        for lang in ("zh", "en", None)
        for roster in ("full", "delta")
    ]
    speaker, *_ = everybody[0]
    speaker.asks("rename", username="Montague")
    for guest, lang, roster in everybody:
        frame = guest.receives("rename", to="Montague")
        assert frame["msg"] == {"en": "is now called Montague", "zh": "改名为 Montague"}[lang]
        assert ("name_list" in frame) == (roster == "full")
        guest.receives_nothing("rename")


def test_a_whisper_without_v_begins_in_the_clients_language(guests: Guests, room: str) -> None:
    juliet = guests(username="Juliet")
    with_lang = Guest(juliet.url, {"room": room, "lang": "zh"}).enter()
    juliet.asks("whisper", to=with_lang.name, msg="psst")
    assert with_lang.receives("whisper")["msg"].replace("私聊 ", "私聊") == f"（私聊{with_lang.name}）psst"
    with_lang.leaves()


def test_the_language_may_change_while_connected(guests: Guests, room: str) -> None:
    romeo, juliet = guests(lang="en"), guests()
    assert romeo.asks("lang", lang="zh") == {"ok": True}
    assert is_in("zh", romeo.asks("message", msg="")["msg"])
    juliet.asks("rename", username="Capulet")
    assert romeo.receives("rename")["msg"] == "改名为 Capulet"
    romeo.receives_nothing("rename")
    juliet.sends("hello")
    romeo.receives("message", msg="hello")
    romeo.receives_nothing("message")
    assert not LATIN.search(romeo.asks("rename")["username"])
    romeo.asks("join", room=room + " next door")
    assert is_in("zh", romeo.asks("message", msg="")["msg"])
    assert romeo.asks("lang", lang="fr") == {"ok": True}
    assert is_in("en", romeo.asks("message", msg="")["msg"])
    assert romeo.asks("lang")["code"] == "bad_request"


def test_an_unknown_language_is_that_of_the_server(guests: Guests) -> None:
    assert is_in("en", guests(lang="fr").asks("message", msg="")["msg"])
    with pytest.raises(Refused) as refused:
        guests(lang=5)
    assert refused.value.data["data"]["code"] == "bad_request"


def test_closing_is_announced_in_each_clients_language(start: Start, guests: Guests) -> None:
    program = start("--lang", "zh", "--drain-delay", "0")
    people = {lang: guests(url=program.url, lang=lang) for lang in ("en", "zh", "fr")}
    program.signal(signal.SIGTERM)
    for lang, guest in people.items():
        assert is_in("en" if lang == "en" else "zh", guest.receives("notice", code="closing")["msg"])
    assert program.wait() == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_names_are_drawn_in_the_script_of_each(guests: Guests, lang: str) -> None:
    romeo = guests(lang=lang)
    drawn = [romeo.name, romeo.asks("rename", suggest=True)["username"], romeo.asks("rename")["username"]]
    romeo.sends("/name")
    drawn.append(romeo.receives("rename", username=drawn[-1])["to"])
    invalid = guests(lang=lang, token="no such token")
    drawn.append(invalid.name)
    wrong = HAN if lang == "en" else LATIN
    assert [name for name in drawn if wrong.search(name)] == []


def test_a_client_without_a_language_draws_from_all_names(
    start: Start, guests: Guests, names_file: str
) -> None:
    program = start("--names", names_file)
    assert {guests(url=program.url).name for _ in range(4)} == {"Ming", "Lotus", "小雨", "小满"}


def test_a_suggested_name_changes_nothing_and_is_not_announced(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    romeo.receives("login", sid=juliet.sid)
    answer = romeo.asks("rename", suggest=True)
    assert set(answer) == {"ok", "username"}
    assert answer["username"] not in (romeo.name, juliet.name)
    assert romeo.asks("who")["name_list"] == [[romeo.name, romeo.sid], [juliet.name, juliet.sid]]
    romeo.receives_nothing()
    juliet.receives_nothing()
    assert juliet.asks("rename", username=answer["username"])["ok"]
    assert romeo.asks("rename", username=answer["username"])["code"] == "name_taken"
    assert romeo.asks("rename", username="Montague", suggest=True)["code"] == "bad_request"
    assert romeo.asks("rename", suggest="yes")["code"] == "bad_request"
    assert romeo.asks("rename", username="Montague", suggest=False)["username"] == "Montague"


def test_no_used_or_held_name_is_suggested(start: Start, guests: Guests, names_file: str) -> None:
    program = start("--names", names_file)
    romeo, juliet = guests(url=program.url, username="Ming"), guests(url=program.url, username="Lotus")
    juliet.is_cut()
    romeo.receives("logout", sid=juliet.sid)
    assert {romeo.asks("rename", suggest=True)["username"] for _ in range(20)} == {"小雨", "小满"}
    romeo.asks("lang", lang="en")
    for _ in range(5):
        assert re.fullmatch(r"(Ming|Lotus)\d+", romeo.asks("rename", suggest=True)["username"])


def test_suggestions_are_bounded_like_all_events_and_cost_no_message(start: Start, guests: Guests) -> None:
    program = start(
        "--message-burst", "1", "--message-rate", "0.1", "--event-burst", "6", "--event-rate", "0.1"
    )
    romeo = guests(url=program.url)
    for _ in range(5):
        assert romeo.asks("rename", suggest=True)["ok"]
    romeo.sends("still allowed")
    answer = romeo.asks("rename", suggest=True)
    assert (answer["ok"], answer["code"]) == (False, "rate_limited")
    assert answer["retry_after"] > 0


@pytest.mark.parametrize(("lang", "names"), [("en", {"Ming", "Lotus"}), ("zh", {"小雨", "小满"})])
def test_a_line_guest_draws_names_of_the_servers_language(
    start: Start, lines: Lines, names_file: str, lang: str, names: set[str]
) -> None:
    port = start("--lang", lang, "--names", names_file).line_port
    assert {lines(port=port, room=None, lang=lang).name for _ in names} == names
