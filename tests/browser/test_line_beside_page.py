"""Telnet and netcat on terminals of their own, a Socket.IO client and the page, in one room: what one does, all see."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visit import Visit, Visitor
from tests.support.guests import WAIT_S, Guest, Guests, until
from tests.support.lines import Terminal, Terminals
from tests.support.program import Program, Start

EACH_SAYS = 3  # more, and the page would keep only those in view in its document


class Everybody:
    """The four, and what each has heard."""

    def __init__(self, telnet: Terminal, netcat: Terminal, socket: Guest, page: Visitor) -> None:
        self.telnet = telnet
        self.netcat = netcat
        self.socket = socket
        self.page = page
        self.names = [telnet.name, netcat.name, socket.name, page.name]
        self._frames: list[str] = []

    def heard(self) -> list[list[str]]:
        """The texts that each has heard, in its order."""
        self._frames += [frame["msg"] for frame in self.socket.frames if frame["action"] == "message"]
        self.socket.frames.clear()
        terminals = [[text for _who, text in one.heard()] for one in (self.telnet, self.netcat)]
        return [*terminals, list(self._frames), self.page.texts()]

    def have_heard(self, count: int) -> list[list[str]]:
        """Wait until each has heard so many."""

        def all_is_heard() -> list[list[str]] | None:
            for one in (self.telnet, self.netcat):
                one.has_seen("never seen", 0.05)
            heard = self.heard()
            return heard if all(len(texts) >= count for texts in heard) else None

        found: list[list[str]] = until(all_is_heard, f"each has heard {count}")
        return found


@pytest.fixture
def everybody(
    server: Program,
    room: str,
    terminals: Terminals,
    guests: Guests,
    visit: Visit,
) -> Everybody:
    page = visit().enter()
    socket = guests()
    present = []
    for program in ("telnet", "nc"):
        terminal = terminals(program, "127.0.0.1", server.line_port)
        terminal.greeted()
        terminal.goes_to(room)
        terminal.types("/echo on")
        terminal.reads("now shown to you")
        present.append(terminal)
    return Everybody(present[0], present[1], socket, page)


def test_messages_appear_in_one_order_on_all_clients(everybody: Everybody) -> None:
    telnet, netcat, socket, page = everybody.telnet, everybody.netcat, everybody.socket, everybody.page
    for number in range(EACH_SAYS):  # nobody waits for anybody
        telnet.types(f"telnet {number}")
        page.writes(f"page {number}")
        netcat.types(f"netcat {number}")
        socket.emit({"action": "message", "msg": f"socket {number}"})
    heard = everybody.have_heard(4 * EACH_SAYS)
    assert heard[1:] == heard[:1] * 3
    for speaker in ("telnet", "page", "netcat", "socket"):
        own = [text for text in heard[0] if text.startswith(speaker)]
        assert own == [f"{speaker} {number}" for number in range(EACH_SAYS)]


def test_names_are_unique_and_each_sees_who_the_others_are(everybody: Everybody) -> None:
    telnet, netcat, socket, page = everybody.telnet, everybody.netcat, everybody.socket, everybody.page
    names = everybody.names
    assert len(set(names)) == 4
    for one in (telnet, netcat):
        one.types("/who")
        assert set(one.reads(r"^\* 4 here: (.*)$")[1].split(", ")) == set(names)
    assert {name for name, _sid in socket.asks("who")["name_list"]} == set(names)
    netcat.types(f"/name {page.name}")
    netcat.reads(rf"^\* Reuse: {re.escape(page.name)} is taken$")
    assert socket.asks("rename", username=telnet.name)["code"] == "name_taken"
    page.writes(f"/name {netcat.name}")
    expect(page.page.get_by_text(re.compile("taken"))).to_be_visible()
    netcat.types("/name Mercutio")
    telnet.reads(rf"^\* {re.escape(names[1])} is now called Mercutio$")
    expect(page.page.get_by_text(re.compile("Mercutio")).first).to_be_visible()
    assert socket.receives("rename", to="Mercutio")


def test_whispers_reach_only_the_two_on_whatever_side_they_are(everybody: Everybody) -> None:
    telnet, netcat, socket, page = everybody.telnet, everybody.netcat, everybody.socket, everybody.page
    netcat.types(f"/to {page.name} secretly from netcat")
    expect(page.page.locator("article.whisper", has_text="secretly from netcat")).to_be_visible()
    page.writes(f"/to {netcat.name} secretly from the page")
    netcat.reads(rf"^\[..:..:..\] {re.escape(page.name)} -> you: secretly from the page$")
    netcat.types(f"to:{page.name}")
    netcat.reads(r"^\* You now talk to")
    netcat.types("secretly in a private talk")
    expect(page.page.locator("article.whisper", has_text="secretly in a private talk")).to_be_visible()
    page.writes("/say the composer is for all")  # the page need not ask whether it is an answer
    page.sees("the composer is for all")
    telnet.receives(page.name, "the composer is for all")
    netcat.types("to:")
    netcat.types("heard by all")
    telnet.receives(netcat.name, "heard by all")
    assert [frame["msg"] for frame in socket.frames if frame["action"] == "whisper"] == []
    assert "secretly" not in telnet.seen
    assert everybody.have_heard(2)[2] == ["the composer is for all", "heard by all"]


def test_who_leaves_leaves_on_every_side(everybody: Everybody) -> None:
    telnet, netcat, socket, page = everybody.telnet, everybody.netcat, everybody.socket, everybody.page
    people = page.page.get_by_label("People")
    expect(people).to_contain_text(telnet.name)
    telnet.types("quit")
    netcat.counts(3)
    assert socket.receives("logout", username=telnet.name)["count"] == 3
    expect(people).not_to_contain_text(telnet.name)
    expect(people).to_contain_text(netcat.name)
    page.goes_to_room(f"{page.room} next")
    netcat.counts(2)
    assert socket.receives("logout", username=everybody.names[3])["count"] == 2


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_iframe_on_the_line_port_sends_nothing(start: Start, browser: Browser, scheme: str) -> None:
    """A page of a stranger makes its reader's browser connect to the line gateway."""
    program = start("--limits", "off")
    witness = Guest(program.url, {"v": 1, "roster": "delta"}).enter()
    page = browser.new_page()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.failure or ""))
    page.on("requestfinished", lambda request: failed.append("finished"))
    page.set_content(f'<iframe src="{scheme}://127.0.0.1:{program.line_port}/said-by-a-page"></iframe>')
    while not failed:
        page.wait_for_event("requestfailed", timeout=1000 * WAIT_S)
    page.close()
    assert until(lambda: witness.asks("who")["count"] == 1, "it has gone")
    witness.receives_nothing("message")
    assert "REFUSED" not in failed[0]
    witness.leaves()
