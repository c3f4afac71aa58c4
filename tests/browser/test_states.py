"""Every state that the page can be in: what one sees, that axe finds no fault in it, and a picture on request."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import FOREIGN_HOST
from tests.browser.relay import Relay
from tests.browser.visit import PHONE, Visit, Visitor
from tests.support.guests import Guest, Guests
from tests.support.program import Program, Start

if TYPE_CHECKING:
    from pathlib import Path


def some_talk(guests: Guests, **where: Any) -> None:
    """A short talk between two, for a room that does not look empty."""
    fox, cat = guests(username="fox", **where), guests(username="阿黎", **where)
    fox.sends("Has anybody been up the hill since the rain?")
    cat.sends("早上去了，路有点滑，但是风景很好。")
    cat.sends("顶上能看到**整条河**，拍了几张照片。")
    fox.sends(
        "Good to know. I take the `north path` then, it is mostly stone:\n> slow, but dry\nhttps://example.org/paths/north"
    )
    cat.sends("小心那段台阶。下午见 🌿")


def test_opening(visit: Visit, lang: str) -> None:
    visitor = visit(lang=lang)
    # Opened but never answered: nobody is there yet.
    visitor.page.route_web_socket(re.compile("/socket.io/"), lambda socket: None)
    visitor.go()
    expect(visitor.composer).to_be_editable()
    visitor.composer.fill("ready")
    expect(visitor.bar).to_have_text({"en": "Connecting…", "zh": "正在连接…"}[lang])
    expect(visitor.composer).to_have_value("ready")
    visitor.shows("opening")


def test_first_visit_alone_and_company(visit: Visit, server: Program, guests: Guests, lang: str) -> None:
    visitor = visit(url=f"http://{FOREIGN_HOST}:{server.port}", lang=lang).enter()
    words = {
        "en": ("You are ", "No one else is here yet.", "Copy link"),
        "zh": ("你叫", "房间里还没有别人。", "复制链接"),
    }
    you_are, nobody, copy = words[lang]
    expect(visitor.page.locator(".who")).to_have_text(re.compile(you_are + " ?" + re.escape(visitor.name)))
    expect(visitor.page.get_by_text(nobody)).to_be_visible()
    expect(visitor.button(copy)).to_be_visible()
    expect(visitor.page.locator(".welcome svg[role=img]")).to_be_visible()
    expect(visitor.page.locator(".kept")).to_contain_text({"en": "No accounts", "zh": "不用注册"}[lang])
    visitor.shows("alone")
    guests(username="fox")
    expect(visitor.page.get_by_text({"en": "fox joined.", "zh": "fox 进入了房间。"}[lang])).to_be_visible()
    visitor.shows("company")
    visitor.sends("hello?")
    expect(visitor.page.locator(".welcome")).to_have_count(0)


def test_the_address_stands_where_its_code_cannot_be_had(visit: Visit, server: Program) -> None:
    visitor = visit(url=f"http://{FOREIGN_HOST}:{server.port}")
    visitor.lossy = True
    visitor.page.route(re.compile("/assets/Qr-"), lambda route: route.abort())
    visitor.enter()
    expect(visitor.page.locator(".welcome .address")).to_have_text(visitor.page.url)


def test_talk(visit: Visit, guests: Guests, lang: str) -> None:
    room = {"en": "riverside", "zh": "河边"}[lang]
    some_talk(guests, room=room)
    visitor = visit(lang=lang, room=room).enter()
    visitor.sends({"en": "Thank you both. See you at the top.", "zh": "谢谢两位，山顶见。"}[lang])
    owl = guests(username="owl", room=room)
    owl.sends(f"@{visitor.name} bring something warm")
    expect(visitor.page.locator("mark")).to_have_text(f"@{visitor.name}")
    visitor.shows("talk")


def test_sending(visit: Visit, guests: Guests, relay: Relay, lang: str) -> None:
    some_talk(guests)
    visitor = visit(url=relay.url, lang=lang).enter()
    visitor.lossy = True  # what takes long is taken for lost, and another connection made
    relay.hold()
    visitor.writes("on its way")
    row = visitor.message("on its way")
    expect(row).to_have_class(re.compile("sending"))
    expect(row.locator(".text")).to_have_css("opacity", "0.6")
    visitor.shows("sending")
    relay.release()
    # One row, whichever comes first: its stored copy, its frame or its ack.
    expect(row).not_to_have_class(re.compile("sending"))
    expect(row.locator(".text")).to_have_css("opacity", "1")


def test_failed_and_tried_again(visit: Visit, guests: Guests, relay: Relay, lang: str) -> None:
    owl = guests(username="owl")
    visitor = visit(url=relay.url, lang=lang).enter()
    visitor.lossy = True
    visitor.button({"en": "Whisper to owl", "zh": "私聊 owl"}[lang]).first.click()
    relay.hold()
    visitor.writes("did this arrive")
    relay.cut()
    relay.release()
    relay.restore()
    row = visitor.page.locator("article.failed")
    expect(row.locator(".fate")).to_contain_text({"en": "Not sent.", "zh": "没有发送。"}[lang])
    again = row.get_by_role("button", name={"en": "Try again", "zh": "重试"}[lang])
    expect(again).to_be_visible()
    expect(visitor.bar).to_have_text("")
    visitor.shows("failed-try-again")
    again.click()
    expect(row).to_have_count(0)
    assert owl.receives("whisper")["msg"] == "did this arrive"


def test_scrolled_up(visit: Visit, guests: Guests, lang: str) -> None:
    fox = guests(username="fox")
    for number in range(40):
        fox.sends(f"before {number}")
    visitor = visit(lang=lang).enter()
    visitor.sees("before 39")
    visitor.scrolls(300)
    for number in range(4):
        fox.sends(f"after {number}")
    pill = visitor.button(re.compile({"en": "^4 new", "zh": "^4 条新消息"}[lang]))
    expect(pill).to_be_visible()
    visitor.shows("scrolled-up")
    pill.click()
    visitor.sees("after 3")
    expect(visitor.page.locator(".fresh")).to_have_text({"en": "New", "zh": "新消息"}[lang])
    expect(pill).to_have_count(0)
    visitor.shows("new-line")


@pytest.mark.slow
def test_reconnecting_and_back(visit: Visit, guests: Guests, relay: Relay, lang: str) -> None:
    some_talk(guests)
    fox = guests(username="owl")
    visitor = visit(url=relay.url, lang=lang).enter()
    visitor.lossy = True
    name = visitor.name
    relay.cut()
    expect(visitor.bar).to_have_text(
        {
            "en": "Reconnecting… Your messages will be sent once you are back online.",
            "zh": "正在重新连接…连上后会自动发送你的消息。",
        }[lang]
    )
    visitor.writes("written in between")
    visitor.shows("reconnecting")
    for number in range(12):
        fox.sends(f"missed {number}")
    relay.restore()
    expect(visitor.bar).to_have_text(
        {"en": "Reconnected. 12 missed messages received.", "zh": "已重新连上，补收 12 条消息。"}[lang]
    )
    visitor.shows("back")
    assert visitor.name == name
    visitor.sees("missed 11")
    expect(visitor.message("written in between")).not_to_have_class(re.compile("sending"))
    expect(visitor.bar).to_have_text("")
    assert [entry["msg"] for entry in fox.asks("history", limit=13)["entries"]] == [
        *(f"missed {number}" for number in range(12)),
        "written in between",
    ]


def test_gap(visit: Visit, start: Start, room: str, lang: str, tmp_path: Path) -> None:
    server = start("--limits", "off")
    relay = Relay(server.port)
    fox = Guest(server.url, {"room": room, "v": 1, "username": "fox"}).enter()
    fox.sends("before")
    visitor = visit(url=relay.url, lang=lang).enter()
    visitor.sees("before")
    visitor.lossy = True
    fox.leaves()
    relay.cut()
    server.kill()
    # As after its data was lost.
    again = start("--limits", "off", data_dir=tmp_path / "emptied")
    fox = Guest(again.url, {"room": room, "v": 1, "username": "fox"}).enter()
    fox.sends("after")
    relay.restore(again.port)
    visitor.sees("after")
    expect(
        visitor.page.get_by_text(
            {
                "en": "Some of the messages you missed are no longer kept.",
                "zh": "你错过的部分消息已不再保留。",
            }[lang]
        )
    ).to_be_visible()
    visitor.shows("gap")
    fox.leaves()
    relay.close()


@pytest.mark.slow
def test_rate_limited(visit: Visit, start: Start, lang: str) -> None:
    server = start("--message-burst", "3", "--message-rate", "0.25")
    visitor = visit(url=server.url, lang=lang, own=True)  # the clock is its whole context's
    visitor.page.clock.install()
    with visitor.page.expect_websocket() as socket:
        visitor.enter()
    visitor.page.clock.set_fixed_time(visitor.page.evaluate("() => Date.now()") / 1000)
    answers: list[dict[str, Any]] = []
    while not answers or answers[-1]["ok"]:
        with socket.value.expect_event("framereceived", _is_answer) as frame:
            visitor.writes(f"hasty {len(answers)}")
        packet = str(frame.value)
        answers.append(json.loads(packet[packet.index("[") :])[0])
    assert len(answers) > 3
    seconds = math.ceil(answers[-1]["retry_after"])
    wait = visitor.page.locator(".wait")
    expect(wait).to_have_text({"en": f"{seconds} s", "zh": f"{seconds} 秒"}[lang])
    visitor.writes("the next thought")
    expect(visitor.composer).to_have_value("")
    expect(visitor.message("the next thought")).to_have_class(re.compile("sending"))
    visitor.shows("rate-limited")
    expect(wait).to_have_count(1)
    visitor.page.clock.set_system_time(visitor.page.evaluate("() => Date.now()") / 1000 + seconds)
    expect(visitor.message(f"hasty {len(answers) - 1}")).not_to_have_class(re.compile("sending"))
    assert visitor.texts() == [*(f"hasty {number}" for number in range(len(answers))), "the next thought"]


def _is_answer(frame: str | bytes) -> bool:
    """An ack of a message."""
    return str(frame).startswith("43") and ('"id"' in str(frame) or '"retry_after"' in str(frame))


SHUT = {
    "full": ("This room is full.", "这个房间已满。", "Try again", "重试"),
    "origin": ("This chat can't be opened from this address.", "不能从这个网址进入。", "Try again", "重试"),
    "invalid": (
        "That room name can't be used: it needs 1 to 64 visible characters and no slash.",
        "这个房间名不能用：需要 1 到 64 个可见字符，不能含斜杠。",
        "Go to the lobby",
        "去大厅",
    ),
    "replaced": (
        "This chat is open in another tab.",
        "你已在另一个标签页打开。",
        "Continue here",
        "在此继续",
    ),
}


def is_shut(visitor: Visitor, state: str) -> None:
    """One sentence, one button, no code."""
    column = 0 if visitor.lang == "en" else 1
    panel = visitor.page.get_by_role("alert")
    expect(panel.locator("p")).to_have_text(SHUT[state][column])
    expect(panel.locator("button, a")).to_have_count(1)
    expect(panel.locator("button, a")).to_have_text(SHUT[state][column + 2])
    visitor.shows(state)


def test_full(visit: Visit, start: Start, lang: str) -> None:
    server = start("--max-room-people", "1")
    first = Guest(server.url, {"v": 1}).enter()
    visitor = visit(url=server.url, room=None, lang=lang).go()
    is_shut(visitor, "full")
    first.leaves()
    visitor.page.get_by_role("alert").locator("button").click()
    expect(visitor.chip).to_be_visible()


def is_refused(visitor: Visitor, refusals: list[dict[str, Any]]) -> None:
    """Answer the next attempts to join with these refusals, one each; everything else is the server's own answer."""

    def connect(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def answer(packet: str | bytes) -> None:
            if isinstance(packet, str) and packet.startswith("40") and refusals:
                packet = "44" + json.dumps({"message": "no", "data": refusals.pop(0)})
            socket.send(packet)

        server.on_message(answer)

    visitor.page.route_web_socket(re.compile("/socket.io/"), connect)


def test_kept_out(visit: Visit, lang: str) -> None:
    visitor = visit(lang=lang)
    is_refused(visitor, [{"code": "room_invalid"}])  # for which the server itself gives no page
    visitor.go()
    is_shut(visitor, "invalid")


def test_refused_for_a_time_says_how_long(visit: Visit, lang: str) -> None:
    visitor = visit(lang=lang)
    is_refused(visitor, [{"code": "rate_limited", "retry_after": 280}])
    visitor.go()
    sentence = visitor.bar.locator("span[aria-hidden]")
    expect(sentence).to_have_text(
        {
            "en": "Can't connect right now. Trying again in 5 min.",
            "zh": "暂时无法连接，5 分钟后自动重试。",
        }[lang]
    )
    visitor.shows("refused-for-a-time")
    visitor.page.set_viewport_size(PHONE)
    visitor.rests()
    box, bar = sentence.bounding_box(), visitor.bar.bounding_box()
    assert box is not None
    assert bar is not None
    assert bar["y"] <= box["y"] < box["y"] + box["height"] <= bar["y"] + bar["height"]
    assert 0 <= box["x"] < box["x"] + box["width"] <= PHONE["width"]
    visitor.page.evaluate("() => void dispatchEvent(new Event('online'))")
    expect(visitor.chip).to_be_visible()
    expect(sentence).to_have_count(0)


def test_origin_refused(visit: Visit, server: Program, lang: str) -> None:
    # As behind a proxy that puts its own name for the host.
    relay = Relay(server.port, rewrite=(b"Host: 127.0.0.1:", b"Host: 127.9.9.9:"))
    visitor = visit(url=relay.url, lang=lang)
    visitor.lossy = True
    visitor.go()
    is_shut(visitor, "origin")
    relay.close()


def test_replaced_and_use_here(visit: Visit, lang: str) -> None:
    first = visit(lang=lang).enter()
    first.sends("from the first tab")
    name, kept = first.name, first.page.evaluate("() => ({...sessionStorage})")
    # What the browser does when a tab is duplicated.
    second = visit(lang=lang)
    second.page.add_init_script(f"Object.assign(sessionStorage, {kept!r})")
    second.enter()
    assert second.name == name
    is_shut(first, "replaced")
    first.page.get_by_role("alert").locator("button").click()
    expect(first.page.get_by_role("alert")).to_have_count(0)
    first.sends("from the first tab again")
    expect(second.page.get_by_role("alert")).to_be_visible()


_SAFARI_15 = "window.GestureEvent = class {}; delete HTMLInputElement.prototype.showPicker"


@pytest.mark.parametrize("lacking", ["delete Object.hasOwn", _SAFARI_15], ids=["hasOwn", "Safari 15"])
def test_unsupported_browser(visit: Visit, lang: str, lacking: str) -> None:
    visitor = visit(lang=lang)
    visitor.page.add_init_script(lacking)
    visitor.go()
    expect(visitor.page.locator("#old")).to_have_text(
        re.compile({"en": "This browser is too old", "zh": "浏览器版本太旧"}[lang])
    )
    expect(visitor.composer).to_have_count(0)
    visitor.shows("unsupported")


def test_people_sheet_on_a_phone(visit: Visit, guests: Guests, lang: str) -> None:
    some_talk(guests)
    for number in range(8):
        guests(username=f"guest {number}")
    visitor = visit(lang=lang, viewport={"width": 360, "height": 640}).enter()
    visitor.button(re.compile({"en": "11 here", "zh": "11 人在线"}[lang])).click()
    people = visitor.page.get_by_role("dialog").locator("li")
    expect(people).to_have_count(11)
    expect(people.first).to_contain_text(visitor.name)
    visitor.shows("people")
    visitor.page.get_by_role("dialog").get_by_role("searchbox").fill("guest 3")
    expect(people).to_have_count(1)
    people.locator("button").click()
    expect(visitor.page.locator(".only")).to_contain_text("guest 3")


# States of an open page. Each but the last leaves the composer empty and no sheet open.


def coming_and_going(visitor: Visitor, guests: Guests, lang: str) -> None:
    for name in ("小曼", "heron", "mossy stone", "芦花"):
        guests(username=name)
    line = {"en": "小曼, heron and 2 others joined", "zh": "小曼、heron 等 4 人进入了房间"}[lang]
    expect(visitor.page.locator(".grey").last).to_have_text(line)
    expect(visitor.page.locator(".grey", has_text=re.compile("joined|进入了房间"))).to_have_count(1)
    visitor.shows("coming-and-going")


def sheets(visitor: Visitor, guests: Guests, lang: str) -> None:
    for sheet, opens in (
        ("invite", {"en": "Invite", "zh": "邀请"}),
        ("menu", {"en": "More", "zh": "更多"}),
        ("emoji", {"en": "Emoji", "zh": "表情"}),
    ):
        visitor.button(opens[lang]).click()
        expect(visitor.page.get_by_role("dialog")).to_be_visible()
        expect(visitor.page.get_by_role("dialog").locator(".code svg, nav, .palette")).to_be_visible()
        visitor.shows(f"sheet-{sheet}")
        visitor.closes_sheet()
        expect(visitor.composer).to_be_focused()


def completion(visitor: Visitor, guests: Guests, lang: str) -> None:
    visitor.composer.fill("/")
    visitor.composer.press("End")
    expect(visitor.page.get_by_role("option").first).to_be_visible()
    visitor.shows("commands")
    visitor.composer.fill("")


def message_that_failed(visitor: Visitor, guests: Guests, lang: str) -> None:
    visitor.writes("a control \u0007 character")
    row = visitor.page.locator("article.failed")
    expect(row).to_be_visible()
    expect(row.locator(".fate")).to_contain_text(
        {
            "en": "Not sent. It contains hidden characters that can't be sent (U+0007).",
            "zh": "没有发送：含有不能发送的隐藏字符（U+0007）。",
        }[lang]
    )
    # It would be refused again as it is; it is had back by the key that recalls any, or sent without the character.
    offered = {"en": ["Send without it", "Remove"], "zh": ["去掉后发送", "删除"]}[lang]
    expect(row.get_by_role("button")).to_have_text(offered)
    visitor.shows("failed")
    visitor.composer.press("ArrowUp")
    expect(visitor.composer).to_have_value("a control \u0007 character")
    visitor.button(offered[1]).click()
    expect(row).to_have_count(0)
    visitor.composer.press("Enter")
    visitor.button(offered[0]).click()
    visitor.sees("a control  character")
    expect(row).to_have_count(0)


def somebody_writes(visitor: Visitor, guests: Guests, lang: str) -> None:
    lark = guests(username="lark")
    lark.asks("typing")
    expect(visitor.page.locator(".typing")).to_have_text(
        {"en": "lark is typing…", "zh": "lark 正在输入…"}[lang]
    )
    visitor.shows("writing")


def name_sheet(visitor: Visitor, guests: Guests, lang: str) -> None:
    visitor.chip.click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.locator("button", has_text={"en": "Random name", "zh": "随机换一个"}[lang]).click()
    expect(dialog.locator("input")).not_to_have_value("")
    visitor.shows("name-drawn")
    dialog.locator("input").fill("fox")
    dialog.locator("input").press("Enter")
    expect(dialog.get_by_role("status")).to_have_text(
        {"en": "That name is taken. Try fox2?", "zh": "这个名字有人用了，试试 fox2？"}[lang]
    )
    visitor.shows("name")
    dialog.locator("input").fill("fox2")
    dialog.locator("input").press("Enter")
    expect(dialog).to_have_count(0)
    expect(visitor.chip).to_have_text("fox2")


def whisper(visitor: Visitor, guests: Guests, lang: str) -> None:
    owl = guests(username="owl")
    visitor.button({"en": "Whisper to owl", "zh": "私聊 owl"}[lang]).first.click()
    expect(visitor.page.locator(".only")).to_contain_text(
        {"en": "Only owl sees this", "zh": "只有 owl 看得到"}[lang]
    )
    expect(visitor.composer).to_be_focused()
    visitor.sends("just between us")
    assert owl.receives("whisper")["msg"] == "just between us"
    owl.asks("whisper", to=visitor.name, msg="of course")
    expect(visitor.page.locator("article.whisper")).to_have_count(2)
    visitor.shows("whisper")
    owl.leaves()
    expect(visitor.page.locator(".only")).to_contain_text({"en": "owl has left", "zh": "owl 已经离开"}[lang])
    visitor.composer.fill("too late")
    visitor.composer.press("Enter")
    expect(visitor.composer).to_have_value("too late")
    visitor.shows("whisper-left")
    visitor.button({"en": "End private chat", "zh": "结束私聊"}[lang]).click()
    expect(visitor.page.locator(".only")).to_have_count(0)


def command_used_wrongly(visitor: Visitor, guests: Guests, lang: str) -> None:
    visitor.writes("/to")
    expect(visitor.page.locator(".under")).to_have_text(
        {"en": "Usage: /to NAME TEXT", "zh": "用法：/to NAME TEXT"}[lang]
    )
    expect(visitor.composer).to_have_value("/to")
    visitor.shows("usage")


def test_states_of_an_open_page(visit: Visit, server: Program, guests: Guests, lang: str) -> None:
    some_talk(guests)
    visitor = visit(url=f"http://{FOREIGN_HOST}:{server.port}", lang=lang).enter()
    for state in (
        coming_and_going,
        sheets,
        completion,
        message_that_failed,
        somebody_writes,
        name_sheet,
        whisper,
        command_used_wrongly,  # whatever is written over it is asked about
    ):
        state(visitor, guests, lang)
