"""What somebody else writes never runs, never leaves the origin and never becomes markup."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from chatroom.core.errors import RoomInvalid
from chatroom.core.names import parse_room
from tests.browser.conftest import REBOUND_HOST
from tests.browser.corpus import corpus
from tests.browser.visit import DESKTOP, PHONE, Visit, Visitor
from tests.support.guests import Guests, asks_together
from tests.support.program import Program, Start

# Whatever could have come of a string: a handler, a script, a frame, an element that the page does not use.
FOREIGN = """() => {
  const never = 'SCRIPT IFRAME IMG OBJECT EMBED VIDEO AUDIO STYLE LINK META BASE MATH MARQUEE DETAILS'.split(' ');
  const foreign = (one) =>
    never.includes(one.tagName.toUpperCase()) ||
    [...one.attributes].some((attribute) => attribute.name.startsWith('on')) ||
    (one.hasAttribute('href') && !/^(https?:\\/\\/|\\/)/.test(one.getAttribute('href')));
  return [...document.querySelectorAll('#app *')].filter(foreign).map((one) => one.outerHTML.slice(0, 200));
}"""

# What a page of another site tries once its name has this machine's address: to read the page, and to join.
REBOUND = """async () => {
  const status = async (path) => (await fetch(path)).status;
  const socket = new WebSocket(`ws://${location.host}/socket.io/?EIO=4&transport=websocket`);
  const opened = new Promise((done) => { socket.onopen = () => done('open'); socket.onerror = () => done('refused'); });
  return [await status('/'), await status('/socket.io/?EIO=4&transport=polling'), await opened];
}"""


def is_inert(visitor: Visitor) -> None:
    visitor.rests()
    assert visitor.page.evaluate("() => window.hurt") is None
    assert visitor.page.evaluate(FOREIGN) == []


def test_the_corpus_is_large() -> None:
    assert len(corpus()) >= 500


@pytest.mark.slow
def test_as_messages_it_is_inert(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    strings = corpus()
    for start in range(0, len(strings), 25):
        some = strings[start : start + 25]
        answers = asks_together(fox, *some)
        assert all(answer["ok"] for answer in answers), list(zip(some, answers, strict=True))
        visitor.sees_id(answers[-1]["id"])
        is_inert(visitor)
        # Handlers may wait for a hand.
        visitor.page.locator("article").last.hover()
    is_inert(visitor)
    for rel in visitor.page.eval_on_selector_all("article a", "(links) => links.map((one) => one.rel)"):
        assert "noopener" in rel


def test_as_whispers_it_is_inert(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    for text in corpus()[::5]:
        assert fox.asks("whisper", to=visitor.name, msg=text)["ok"], text
    fox.asks("whisper", to=visitor.name, msg="that was all")
    visitor.sees("that was all")
    is_inert(visitor)


@pytest.mark.slow
def test_as_names_it_is_inert(visit: Visit, guests: Guests) -> None:
    fox = guests()
    visitor = visit().enter()
    taken = 0
    for number, text in enumerate(corpus()):
        # A name has 32 characters: the payload is shortened, the road stays.
        short = text.replace("window.hurt=1", "hurt=1").replace("example.invalid", "e.invalid")
        if not fox.asks("rename", username=f"{short[:28].strip()}{number}")["ok"]:
            continue
        taken += 1
        if taken % 50 == 0:
            fox.sends(f"as {number}")
            visitor.sees(f"as {number}")
            is_inert(visitor)
    assert taken >= 500
    visitor.button(re.compile("^Whisper to")).click()
    expect(visitor.page.locator(".only")).to_be_visible()
    is_inert(visitor)


def test_as_rooms_it_is_inert(visit: Visit) -> None:
    visitor = visit()
    rooms, refused = [], []
    for text in corpus()[::12]:
        room = text.replace("/", "").replace("window.hurt=1", "hurt=1").strip()[:64]
        try:
            rooms.append(parse_room(room))
        except RoomInvalid:
            refused.append(room)
    assert len(rooms) > 20
    visitor.goes_to_room(rooms[0])
    visitor.is_whole()
    visitor.page.evaluate("() => { window.same = true }")
    for room in rooms:
        path = f"/r/{quote(room, safe='')}"
        # As if the user came back to it: the page is not loaded again.
        visitor.page.evaluate(
            "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }",
            path,
        )
        expect(visitor.page.locator(".head h1")).to_have_text(room)
        is_inert(visitor)
    assert visitor.page.evaluate("() => window.same")
    for room in [*refused, *rooms[::12]]:
        assert visitor.goes_to_room(room) == (room in rooms)
        is_inert(visitor)


def test_a_link_opens_elsewhere_without_telling_where_from(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    fox.sends("see https://example.org/message.")
    fox.sends("[here](https://example.org/labelled)")
    fox.asks("whisper", to=visitor.name, msg="https://example.org/whisper")
    links = visitor.page.locator("article a")
    expect(links).to_have_count(3)
    for link, road in zip(links.all(), ("message", "labelled", "whisper"), strict=True):
        expect(link).to_have_attribute("href", f"https://example.org/{road}")
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_have_attribute("rel", re.compile("noopener noreferrer"))


def test_behind_a_base_path(visit: Visit, start: Start) -> None:
    server = start("--limits", "off", "--base-path", "/chat")
    root = f"http://127.0.0.1:{server.port}/chat"
    visitor = visit(url=root, room="den").enter()
    visitor.sends("under a path")
    assert visitor.page.url == f"{root}/r/den"
    visitor.button("Invite").click()
    expect(visitor.page.get_by_role("dialog").locator(".address")).to_have_text(f"{root}/r/den")
    visitor.page.keyboard.press("Escape")
    visitor.composer.fill("/")
    expect(visitor.page.get_by_role("option").first).to_be_visible()
    visitor.page.goto(root)
    expect(visitor.page.locator(".head h1")).to_have_text("Lobby")
    expect(visitor.page).to_have_url(f"{root}/")


def test_a_room_that_cannot_be(visit: Visit) -> None:
    visitor = visit(room="x" * 65).go()
    panel = visitor.page.get_by_role("alert")
    expect(panel.locator("p")).to_have_text(
        "That room name can't be used: it needs 1 to 64 visible characters and no slash."
    )
    visitor.is_accessible("room invalid")
    panel.get_by_role("link", name="Go to the lobby").click()
    expect(visitor.chip).to_be_visible()


def test_a_page_whose_name_was_rebound_gets_nothing(visit: Visit, server: Program) -> None:
    visitor = visit(url=f"http://{REBOUND_HOST}:{server.port}")
    visitor.lossy = True  # the browser logs what is refused
    # A document of that origin, which any name gets. (One from another address would be stopped by Chromium itself.)
    visitor.page.goto(f"{visitor.url}/healthz")
    assert visitor.page.evaluate(REBOUND) == [421, 421, "refused"]
    # Whoever runs the chat under this name reads what to do.
    visitor.go()
    for size in (DESKTOP, PHONE):
        visitor.page.set_viewport_size(size)
        visitor.rests()
        for lines in (
            visitor.page.get_by_role("heading", name="This chat cannot be reached by this name."),
            visitor.page.get_by_role("heading", name="不能用这个域名访问这个聊天室。"),
            visitor.page.locator("code", has_text=f"--allowed-hosts {REBOUND_HOST}"),
        ):
            for line in lines.all():
                expect(line).to_be_in_viewport(ratio=1)
        assert visitor.page.locator("h1").count() == visitor.page.locator("code").count() == 2
    visitor.is_accessible("a name that is refused")


def test_an_allowed_name_reaches_the_server(visit: Visit, start: Start) -> None:
    server = start("--limits", "off", "--allowed-hosts", REBOUND_HOST)
    visitor = visit(url=f"http://{REBOUND_HOST}:{server.port}").enter()
    visitor.sends("under a name of its own")
    assert visitor.page.evaluate(REBOUND) == [200, 200, "open"]
