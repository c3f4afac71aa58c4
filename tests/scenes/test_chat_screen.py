"""`chatroom chat` on a full screen: driven by textual's pilot, and on a real terminal."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from chatroom.terminal.address import Address
from chatroom.terminal.composer import Composer
from chatroom.terminal.link import State
from chatroom.terminal.message_list import MessageList
from chatroom.terminal.outbox import HOLD_S
from chatroom.terminal.people import SHOWN, People
from chatroom.terminal.screen import ChatApp
from tests.support import loops
from tests.support.guests import Frame, Guest, Guests, becomes_free
from tests.support.impostor import OPENING, Impostor
from tests.support.lines import Terminal, Terminals
from tests.support.loops import until
from tests.support.program import Program
from tests.support.relay import Relay

CHAT = (sys.executable, "-m", "chatroom", "chat")
DEADLINE_S = 15.0
Play = Callable[[ChatApp, Pilot[int]], Awaitable[None]]


def shown(app: ChatApp) -> str:
    return "\n".join(app.query_one(MessageList).lines())


def selected(people: People) -> str:
    option = people.highlighted_option
    assert option is not None
    return str(option.prompt)


def status(app: ChatApp) -> str:
    return str(app.query_one("#status", Static).render())


def on_screen(
    server: Program | Relay | Impostor,
    room: str,
    play: Play,
    name: str | None = "Fox",
    lang: str | None = None,
) -> None:
    """Run a play against a full screen of 80 by 24; `play(app, pilot)` is a coroutine."""

    async def run() -> None:
        app = ChatApp(Address.parse(server.url), room, name, lang)
        greeting = f"名字是 {name}" if lang == "zh" else f"You are {name}"
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: greeting in shown(app), "the room")
            await play(app, pilot)
            await pilot.press("ctrl+q")
        await until(lambda: app._link.is_over, "the end of the connection")

    loops.run(run())


def test_the_screen_shows_history_people_and_talk(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    romeo.sends("said before")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        assert "said before" in shown(app)
        people = app.query_one(People)
        assert [str(people.get_option_at_index(place).prompt) for place in range(2)] == [
            "Fox (you)",
            romeo.name,
        ]
        await pilot.press(*"hi", "enter")
        await until(lambda: "Fox: hi" in shown(app), "one's own line")
        assert (await asyncio.to_thread(romeo.receives, "message", msg="hi"))["username"] == "Fox"
        await asyncio.to_thread(romeo.sends, "[bold]x[/bold]\nmallory: y\x09z")
        await until(lambda: "[bold]x[/bold]" in shown(app), lambda: shown(app))
        assert "    mallory: y" in shown(app)

    on_screen(server, room, play)


def test_a_chinese_locale_has_a_chinese_screen(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await until(lambda: "2 人在线 · 你是 Fox" in status(app), lambda: status(app))
        assert composer.placeholder == "输入消息，或 /help"
        assert app.query_one(People).get_option_at_index(0).prompt == "Fox（你）"
        await pilot.press(*"to:Romeo", "enter")
        await until(lambda: "Romeo 看得到 · to: 结束" in (composer.border_title or ""), lambda: shown(app))
        app.on_app_blur(events.AppBlur())
        await asyncio.to_thread(romeo.sends, "hello")
        await until(lambda: "1 条新消息" in status(app), lambda: status(app))
        (rule,) = (line for line in app.query_one(MessageList).lines() if line.startswith("─── 新消息 ─"))
        assert cell_len(rule) == app.query_one(MessageList).virtual_size.width
        await until(lambda: cell_len(status(app)) <= 78, lambda: status(app))

    on_screen(server, room, play, lang="zh")


def test_long_lines_are_wrapped_and_nothing_is_cut(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await asyncio.to_thread(romeo.sends, " ".join(f"word{number}" for number in range(40)))
        await until(lambda: "word39" in shown(app), "the end of it")
        messages = app.query_one(MessageList)
        assert all(len(line) <= messages.size.width for line in messages.lines())
        await pilot.resize_terminal(60, 20)
        await until(
            lambda: all(len(line) <= messages.size.width for line in messages.lines()), "narrower lines"
        )
        assert "word39" in shown(app)

    on_screen(server, room, play)


def test_long_messages_are_folded_until_f3(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        messages = app.query_one(MessageList)
        text = "\n".join(f"line {number}" for number in range(1, 41))
        for words in ("before", text, "\n".join(f"short {number}" for number in range(12)), "word " * 300):
            await asyncio.to_thread(romeo.sends, words)
        await asyncio.to_thread(romeo.sends, "after")
        await until(lambda: "after" in shown(app), lambda: shown(app))
        assert "line 12" in shown(app)
        assert "line 13" not in shown(app)
        assert "… 28 more lines (F3)" in shown(app)
        assert "short 11" in shown(app)
        wrapped = [line for line in messages.lines() if "word word" in line]
        assert len(wrapped) == 12
        assert shown(app).count("more line") == 2
        assert messages.follows

        await pilot.press("pageup")
        await until(lambda: not messages.follows)
        top = messages.render_line(0).text
        await pilot.press("f3")
        await until(lambda: "line 40" in shown(app), lambda: shown(app))
        assert "more line" not in shown(app)
        assert messages.render_line(0).text == top
        await pilot.press("f3")
        await until(lambda: "line 40" not in shown(app), lambda: shown(app))
        assert messages.render_line(0).text == top

    on_screen(server, room, play)


def test_f3_at_the_end_leads_into_the_message(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    for number in range(40):
        romeo.sends(f"number {number}")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        messages = app.query_one(MessageList)
        await asyncio.to_thread(romeo.sends, "\n".join(f"line {number}" for number in range(1, 61)))
        await until(lambda: "… 48 more lines (F3)" in shown(app), lambda: shown(app))
        top = messages.render_line(0).text
        await pilot.press("f3")
        await until(lambda: "line 60" in shown(app), lambda: shown(app))
        assert messages.render_line(0).text == top
        assert not messages.follows
        await pilot.press("f3")
        await until(lambda: messages.follows)
        await asyncio.to_thread(romeo.sends, "newest")
        await until(
            lambda: "newest" in messages.render_line(messages.size.height - 1).text, lambda: shown(app)
        )

    on_screen(server, room, play)


def test_commands_and_names_are_completed(server: Program, guests: Guests, room: str) -> None:
    guests(username="Great Horned Owl")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await pilot.press(*"/na")
        await until(lambda: composer.suggestion == "me ", "a suggestion")
        await pilot.press("tab", *"Vixen", "enter")
        await until(lambda: "You are now called Vixen" in shown(app), "a new name")
        await pilot.press(*"/to gr")
        await until(lambda: composer.suggestion == "eat Horned Owl ", "a name")
        await pilot.press("tab", *"psst", "enter")
        await until(lambda: "you -> Great Horned Owl: psst" in shown(app), "a whisper")

    on_screen(server, room, play)


def test_tab_names_the_only_other_person(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await pilot.press(*"/to ")
        await until(lambda: composer.suggestion == "Romeo ", "his name")
        await pilot.press("tab", *"psst", "enter")
        assert (await asyncio.to_thread(romeo.receives, "whisper"))["msg"] == "psst"

    on_screen(server, room, play)


def test_choosing_a_person_starts_a_private_chat(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        people = app.query_one(People)
        people.focus()
        people.highlighted = 1
        await pilot.press("enter")
        await until(lambda: "only Romeo sees this" in title(app), "the beginning of a whisper")
        await pilot.press(*"hello", "enter")
        frame = await asyncio.to_thread(romeo.receives, "whisper")
        assert frame["msg"] == "hello"

    on_screen(server, room, play)


def title(app: ChatApp) -> str:
    return str(app.query_one(Composer).border_title or "")


def test_a_private_talk_keeps_its_texts_until_it_ends(server: Program, guests: Guests, room: str) -> None:
    romeo, nurse = guests(username="Romeo"), guests(username="Nurse")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await pilot.press(*"TO:romeo", "enter")
        await until(lambda: "only Romeo sees this" in title(app), "a private chat")
        await pilot.press(*"secret", "enter", *"begun")
        assert (await asyncio.to_thread(romeo.receives, "whisper"))["msg"] == "secret"
        await asyncio.to_thread(romeo.asks, "rename", username="Montague")
        await until(lambda: "only Montague sees this" in title(app), "the new name")
        composer.select_all()
        await pilot.press("backspace", *"to:", "enter")
        await until(lambda: title(app) == "", "the end of the chat")
        await pilot.press("up")
        assert composer.text == "TO:romeo"  # what was typed to Romeo is not recalled for everyone
        await pilot.press("up")
        assert composer.text == "TO:romeo"
        composer.select_all()
        await pilot.press("backspace", *"for all", "enter")
        assert (await asyncio.to_thread(nurse.receives, "message"))["msg"] == "for all"

    on_screen(server, room, play)
    assert "secret" not in str(nurse.frames)


def test_what_is_typed_after_to_stays_in_the_field(server: Program, guests: Guests, room: str) -> None:
    romeo, nurse = guests(username="Romeo"), guests(username="Nurse")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        for line, said, guest, action in (
            ("to:Romeo", "s3cret", romeo, "whisper"),
            ("to:", "for all", nurse, "message"),
        ):
            composer.show(line)
            composer.send()
            composer.insert(said)  # before the line that was sent has been dealt with

            def has_changed(is_public: bool = line == "to:") -> bool:
                return (title(app) == "") == is_public

            await until(has_changed, "the change of audience")
            assert composer.text == said
            await pilot.press("enter")
            assert (await asyncio.to_thread(guest.receives, action))["msg"] == said

    on_screen(server, room, play)
    assert "s3cret" not in str(nurse.frames)


def test_nobody_inherits_a_private_talk(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await pilot.press(*"to:Romeo", "enter")
        await until(lambda: "only Romeo sees this" in title(app), "a private chat")
        await asyncio.to_thread(romeo.emit, {"action": "logout"})  # gives up the name as well
        await until(lambda: "Romeo is not here" in title(app), "his leaving")
        impostors.append(await asyncio.to_thread(lambda: guests(username="Romeo")))
        await until(lambda: "Romeo joined" in shown(app), "an impostor")
        await pilot.press(*"secret", "enter")
        await until(
            lambda: "to:Romeo writes to the person who has that name now" in " ".join(shown(app).split()),
            "a refusal",
        )
        await asyncio.to_thread(impostors[0].receives_nothing, "whisper")
        await asyncio.to_thread(impostors[0].receives_nothing, "message")
        await pilot.press(*"to:Romeo", "enter")
        await until(lambda: "only Romeo sees this" in title(app), "another private chat")
        await pilot.press(*"who are you?", "enter")
        assert (await asyncio.to_thread(impostors[0].receives, "whisper"))["msg"] == "who are you?"

    impostors: list[Guest] = []
    on_screen(server, room, play)


def test_a_refused_text_is_sent_without_its_hidden_character(
    server: Program, guests: Guests, room: str
) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        composer.post_message(Composer.Sent("/name Vi\u200bxen"))
        await until(
            lambda: "(U+200B)" in shown(app) and "F4 sends it without that character" in shown(app),
            "the offer",
        )
        await pilot.press("f4")
        await until(lambda: "You are now called Vixen" in shown(app), "the name")
        await pilot.press(*"to:Romeo", "enter")
        composer.post_message(Composer.Sent("sec\u202aret"))
        await until(lambda: "(U+202A)" in shown(app), "another offer")
        await pilot.press("f4")
        assert (await asyncio.to_thread(romeo.receives, "whisper"))["msg"] == "secret"
        composer.post_message(Composer.Sent("mo\u202are"))
        await until(lambda: shown(app).count("(U+202A)") == 2, "a third")
        await pilot.press(*"to:", "enter")
        await until(lambda: title(app) == "", "the end of the chat")
        await pilot.press("f4", *"for all", "enter")
        assert (await asyncio.to_thread(romeo.receives, "message"))[
            "msg"
        ] == "for all"  # and nothing before it

    on_screen(server, room, play)


def test_a_refused_text_is_not_offered_after_the_audience_changed(
    server: Program, guests: Guests, room: str
) -> None:
    romeo, relay = guests(username="Romeo"), Relay(server.port)

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await pilot.press(*"to:Romeo", "enter")
        await until(lambda: "only Romeo sees this" in title(app), "a private chat")
        await asyncio.to_thread(relay.cut)
        await until(lambda: app._state is State.LOST, "the cut")
        app.query_one(Composer).post_message(Composer.Sent("sec\u202aret"))
        await pilot.press(*"to:", "enter")
        await until(lambda: title(app) == "", "the end of the chat")
        await asyncio.to_thread(relay.restore)
        await until(lambda: "(U+202A)" in shown(app), "the refusal")
        await pilot.press("f4", *"for all", "enter")
        assert (await asyncio.to_thread(romeo.receives, "message"))["msg"] == "for all"

    try:
        on_screen(relay, room, play)
    finally:
        relay.close()


def test_lines_after_a_refused_change_of_audience_are_held(
    server: Program, guests: Guests, room: str
) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        for line in ("to:Nobody", "secret one", "/join a/b", "secret two", "/to Nobody x", "secret three"):
            app.query_one(Composer).post_message(Composer.Sent(line))
        await until(lambda: shown(app).count("someone else") == 2, "two refusals")
        await until(lambda: "Everyone here would see it" in " ".join(shown(app).split()), "the question")
        await asyncio.to_thread(romeo.receives_nothing, "message")

    on_screen(server, room, play)


def test_a_text_begun_before_a_refusal_was_read_is_held(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await pilot.press(*"to:Nobody", "enter", "s")
        begun_at = time.monotonic()
        await until(lambda: "No one here" in " ".join(shown(app).split()), "the refusal")
        await until(lambda: time.monotonic() > begun_at + HOLD_S, "more time than a hold takes")
        await pilot.press(*"ecret", "enter")
        await until(lambda: "type it again" in " ".join(shown(app).split()), "another refusal")
        await asyncio.to_thread(romeo.receives_nothing, "message")

    on_screen(server, room, play)


def test_messages_received_while_away_are_below_a_line(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        app.post_message(events.AppBlur())
        await pilot.pause()
        await asyncio.to_thread(romeo.sends, "are you there")
        await until(lambda: "are you there" in shown(app), "the message")
        assert shown(app).index("─── new") < shown(app).index("are you there")
        app.post_message(events.AppFocus())
        await pilot.press("escape")
        await until(lambda: "─── new" not in shown(app), "all read")

    on_screen(server, room, play)


def test_paging_up_fetches_old_messages(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    for number in range(80):
        romeo.sends(f"number {number}")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        assert "number 10\n" not in shown(app)

        async def up() -> None:
            await pilot.press("pageup")
            await pilot.pause()

        deadline = time.monotonic() + DEADLINE_S
        while "number 0\n" not in shown(app):
            assert time.monotonic() < deadline
            await up()
        numbers = [line for line in shown(app).splitlines() if "number" in line]
        assert [int(line.split()[-1]) for line in numbers] == list(range(80))

    on_screen(server, room, play)


def test_a_paste_keeps_its_lines_and_loses_its_controls(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        app.post_message(events.Paste("one\n\ttwo\x1b[2J\n* three"))
        await until(lambda: composer.text.count("\n") == 2, "the paste")
        await pilot.pause()
        assert composer.size.height == 3
        await pilot.press("ctrl+j", *"four", "enter")
        heard = await asyncio.to_thread(romeo.receives, "message")
        assert heard["msg"] == "one\n\ttwo\n* three\nfour"
        assert composer.text == ""

    on_screen(server, room, play)


def test_up_and_down_recall_typed_texts(server: Program, room: str) -> None:
    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await pilot.press(*"one", "enter", *"two", "enter", *"draft", "up")
        await until(lambda: composer.text == "two")
        await pilot.press("up", "up")
        await until(lambda: composer.text == "one")
        await pilot.press("down", "down")
        await until(lambda: composer.text == "draft")

    on_screen(server, room, play)


def test_ctrl_c_empties_the_field_and_leaves_when_pressed_again(server: Program, room: str) -> None:
    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await pilot.press(*"not yet")
        await until(lambda: composer.text == "not yet")
        await pilot.press("ctrl+c")
        await until(lambda: composer.text == "")
        assert not app._link.is_over
        await pilot.press("up")
        await until(lambda: composer.text == "not yet")
        await pilot.press("ctrl+c")
        await until(lambda: composer.text == "")
        await pilot.press("ctrl+c")
        await until(lambda: "Ctrl+C again to leave" in status(app), lambda: status(app))
        await pilot.press("x")  # whoever goes on writing does not leave
        await until(lambda: "Ctrl+C again to leave" not in status(app), lambda: status(app))
        await pilot.press("ctrl+c", "ctrl+c")
        await until(lambda: "Ctrl+C again to leave" in status(app), lambda: status(app))
        assert not app._exit
        await pilot.press("ctrl+c")
        await until(lambda: app._exit, "leaving")

    on_screen(server, room, play)


def test_ctrl_d_leaves_an_empty_field_only(server: Program, room: str) -> None:
    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        composer = app.query_one(Composer)
        await pilot.press("a", "left")
        await until(lambda: composer.cursor_location == (0, 0) and composer.text == "a")
        await pilot.press("ctrl+d")
        await until(lambda: composer.text == "")
        assert not app._exit
        await pilot.press("ctrl+d")
        await until(lambda: app._exit, "leaving")

    on_screen(server, room, play)


def test_an_unsent_message_is_shown_as_waiting(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    relay = Relay(server.port)

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await asyncio.to_thread(relay.cut)
        await until(lambda: "connection lost" in status(app), lambda: status(app))
        await pilot.press(*"anybody", "enter")
        await until(lambda: "  …   anybody" in shown(app), lambda: shown(app))
        assert "Fox: anybody" not in shown(app)
        await asyncio.to_thread(relay.restore)
        await until(lambda: "Fox: anybody" in shown(app), lambda: shown(app))
        await until(lambda: "…" not in shown(app), lambda: shown(app))
        assert shown(app).count("anybody") == 1
        await until(lambda: "connection lost" not in status(app), lambda: status(app))

    try:
        on_screen(relay, room, play)
        assert romeo.receives("message")["msg"] == "anybody"
    finally:
        relay.close()


def test_a_refused_line_is_quoted_and_can_be_recalled(server: Program, room: str) -> None:
    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await pilot.press(*"/nonsense", "enter")
        await until(lambda: "! Failed: “/nonsense”. No such" in shown(app), lambda: shown(app))
        await pilot.press("up")
        await until(lambda: app.query_one(Composer).text == "/nonsense")

    on_screen(server, room, play)


def test_the_newest_line_stays_in_sight_however_fast_they_come(
    server: Program, guests: Guests, room: str
) -> None:
    romeo = guests()

    async def play(app: ChatApp, _pilot: Pilot[int]) -> None:
        await asyncio.to_thread(lambda: [romeo.sends(f"number {number}") for number in range(150)])
        await until(lambda: "number 149" in shown(app), "the last one")
        messages = app.query_one(MessageList)
        assert messages.follows
        assert "new" not in shown(app).replace("newest", "")
        assert "number 149" in messages.render_line(messages.size.height - 1).text

    on_screen(server, room, play)


def test_scrolling_back_is_not_disturbed_by_new_messages(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(username="Romeo")
    for number in range(60):
        romeo.sends(f"number {number}" + " word" * 9)

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        messages = app.query_one(MessageList)
        await until(lambda: "number 59" in shown(app), "the last one")
        await pilot.press("pageup")
        await until(lambda: "scrolled back" in status(app), lambda: status(app))
        top = messages.render_line(0).text
        await asyncio.to_thread(romeo.sends, "hello Fox")
        await asyncio.to_thread(romeo.sends, "and more")
        await until(lambda: "2 new" in status(app), lambda: status(app))
        assert messages.render_line(0).text == top
        assert shown(app).index("─── new") < shown(app).index("hello Fox")
        assert messages._top is not None
        block, row = messages._top
        await pilot.resize_terminal(50, 24)
        await until(lambda: messages.size.width < 50)
        await until(lambda: messages._top == (block, row), lambda: messages.render_line(0).text)
        assert messages.render_line(0).text.strip() == block.rows[row].text.strip()
        await pilot.press("escape")
        await until(lambda: messages.follows)
        assert "─── new" not in shown(app)
        assert "and more" in messages.render_line(messages.size.height - 1).text

    on_screen(server, room, play)


def test_a_resize_keeps_the_newest_line_in_sight(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    for number in range(40):
        romeo.sends(f"number {number} " + "word " * 20)

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        messages = app.query_one(MessageList)
        for size in ((40, 15), (120, 40), (30, 10), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert messages.follows
            assert (
                messages.render_line(messages.size.height - 1).text.strip()
                == messages.lines()[-1].strip()
                != ""
            )

    on_screen(server, room, play)


def test_f2_then_enter_sends_nothing_while_the_people_are_shown(
    server: Program, guests: Guests, room: str
) -> None:
    guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        people, composer = app.query_one(People), app.query_one(Composer)
        await pilot.press(*"pin", "f2", "enter")
        await until(lambda: people.display and app.focused is people)
        assert composer.text == "pin"
        await pilot.press("escape")
        await until(lambda: people.display and app.focused is composer)
        await pilot.press("f2", "down", "down", "enter")
        await until(lambda: "only Romeo sees this" in title(app) and app.focused is composer)
        await pilot.press("f2", "f2")
        await until(lambda: not people.display and app.focused is composer)

    on_screen(server, room, play)


def test_a_narrow_screen_hides_the_people(server: Program, guests: Guests, room: str) -> None:
    guests(username="Romeo")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        people, messages, composer = (
            app.query_one(People),
            app.query_one(MessageList),
            app.query_one(Composer),
        )
        assert people.display
        await pilot.resize_terminal(40, 15)
        await until(lambda: not people.display and messages.size.width >= 36)
        assert status(app).endswith("Ctrl+Q leave")
        await pilot.press("f2")
        await until(lambda: people.display and app.focused is people)
        await pilot.press("down", "down", "enter")
        await until(lambda: "only Romeo sees this" in title(app) and app.focused is composer)
        await pilot.press("f2")
        await until(lambda: app.focused is people)
        await pilot.press("f2")
        await until(lambda: not people.display and app.focused is composer)

    on_screen(server, room, play)


def ends_with(app: ChatApp, hints: str) -> bool:
    return status(app).endswith(hints)


def test_hints_that_do_not_fit_are_dropped_one_by_one(server: Program, room: str) -> None:
    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        left = cell_len(f"{room} · 1 here · you are Fox")
        hints = ["F1 help", "F2 people", "PgUp earlier", "Ctrl+Q leave"]
        while hints[1:]:
            hint = "  ".join(hints)
            width = left + len(hint) + 4  # two columns between them, and one at each edge
            await pilot.resize_terminal(width, 24)
            await until(partial(ends_with, app, f"you are Fox  {hint}"), partial(status, app))
            del hints[-2]
            await pilot.resize_terminal(width - 1, 24)
            await until(
                partial(ends_with, app, "you are Fox  " + "  ".join(hints).rjust(len(hint) - 1)),
                partial(status, app),
            )

    on_screen(server, room, play)


def test_the_selected_person_stays_selected(server: Program, guests: Guests, room: str) -> None:
    guests(username="Romeo")

    async def play(app: ChatApp, _pilot: Pilot[int]) -> None:
        people = app.query_one(People)
        people.highlighted = 1
        nurse = await asyncio.to_thread(lambda: guests(username="Nurse"))
        await until(lambda: people.option_count == 3, "her coming")
        assert selected(people) == "Romeo"
        await asyncio.to_thread(nurse.sends, "hello")
        await until(lambda: "Nurse: hello" in shown(app), "her hello")
        assert selected(people) == "Romeo"

    on_screen(server, room, play)


def test_a_large_room_lists_the_first_people(server: Program, room: str) -> None:
    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        crowd = [[f"P{number:04}", f"s{number}"] for number in range(SHOWN + 7)]
        app._call_in_app(app._take_frame, {"action": "roster", "joined": crowd, "left": []})
        people = app.query_one(People)
        await until(lambda: people.option_count == SHOWN + 2, "the crowd")
        assert str(people.get_option_at_index(SHOWN + 1).prompt) == "… and 7 more"
        assert f"{SHOWN + 8} here" in status(app)
        await pilot.press(*"/to p0506")
        await until(lambda: app.query_one(Composer).suggestion == " ")

    on_screen(server, room, play)


def test_wide_characters_and_endless_words_are_folded_at_the_width(
    server: Program, guests: Guests, room: str
) -> None:
    romeo = guests(username="水水水")

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        for text in ("水" * 200, "x" * 200, "👩‍👩‍👧‍👦 🦊 " * 40, "e\u0301" * 100):
            await asyncio.to_thread(romeo.sends, text)
        await asyncio.to_thread(romeo.sends, "the end")
        await until(lambda: "the end" in shown(app), "the end")
        await pilot.press("f3")
        messages = app.query_one(MessageList)

        def fits(width: int) -> bool:
            return messages.size.width < width and all(
                cell_len(line) <= messages.size.width for line in messages.lines()
            )

        for width in (80, 31, 20, 12):
            await pilot.resize_terminal(width, 24)
            await until(partial(fits, width))
            assert "".join(messages.lines()).count("水") == 3 * 5 + 200

    on_screen(server, room, play)


def test_days_are_ruled_off(server: Program, room: str) -> None:
    async def play(app: ChatApp, _pilot: Pilot[int]) -> None:
        def message(number: int, day: int) -> Frame:
            time = f"2026-11-{day}T12:00:00Z"
            frame = {
                "action": "message",
                "username": "Owl",
                "sid": "o",
                "msg": f"number {number}",
                "time": time,
            }
            return {**frame, "id": f"9{number}"}

        for number, day in ((1, 18), (2, 18), (3, 20)):
            app._call_in_app(app._take_frame, message(number, day))
        await until(lambda: "number 3" in shown(app), "all of them")
        lines = shown(app).splitlines()
        ruled = [line for line in lines if line.startswith("─── ")]
        assert [line.strip("─ ") for line in ruled[-2:]] == [
            "Wednesday, 18 November 2026",
            "Friday, 20 November 2026",
        ]

    on_screen(server, room, play)


# On a real terminal


def on_terminal(terminals: Terminals, url: str, *arguments: str, **environ: str) -> Terminal:
    env = {"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return terminals(*CHAT, url, *arguments, env={**env, "COLUMNS": "80", "LINES": "24", **environ})


def is_left_as_it_was(fox: Terminal) -> bool:
    """Whether the terminal shows its normal screen again, with a cursor."""
    off, on = fox.seen.rfind("\x1b[?1049l"), fox.seen.rfind("\x1b[?1049h")
    return off > on >= 0 and fox.seen.rfind("\x1b[?25h") > fox.seen.rfind("\x1b[?25l")


def test_what_is_typed_before_the_screen_opens_is_not_sent(
    server: Program, terminals: Terminals, guests: Guests, room: str
) -> None:
    romeo = guests()
    typed = partial(terminals, raw=False, ahead=b"hello\rto:Eve\rsecret")
    fox = on_terminal(typed, server.url, "--room", room, "--name", "Fox")
    fox.reads("You are Fox")
    fox.types_raw(b"seen\r")
    assert romeo.receives("message")["msg"] == "seen"


def test_the_client_on_a_real_terminal(
    server: Program, terminals: Terminals, guests: Guests, room: str
) -> None:
    romeo = guests()
    fox = on_terminal(terminals, server.url, "--room", room, "--name", "Fox")
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    fox.types_raw(b"hello from a terminal\r")
    assert romeo.receives("message", username="Fox")["msg"] == "hello from a terminal"
    fox.types_raw(b"\x11")  # Ctrl-Q
    fox.reads_the_end()
    assert fox.process.wait(DEADLINE_S) == 0
    assert is_left_as_it_was(fox)


def test_what_is_typed_fast_is_sent_whole(
    server: Program, terminals: Terminals, guests: Guests, room: str
) -> None:
    romeo = guests()
    fox = on_terminal(terminals, server.url, "--room", room, "--name", "Fox")
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    fox.types_raw(b"one\rtwo\rthree\r")
    assert [romeo.receives("message")["msg"] for _ in range(3)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "typed",
    ["to:小雨\rs3cret\r".encode("gbk"), b"s3cr\xe9t\r", b"\xff\xfe", b"\x1b[200~s3cret\xc4\xe3\r\x1b[201~"],
    ids=ascii,
)
def test_what_is_no_utf8_is_refused_when_it_is_sent(
    server: Program, terminals: Terminals, guests: Guests, room: str, typed: bytes
) -> None:
    romeo = guests()
    fox = on_terminal(terminals, server.url, "--room", room, "--name", "Fox")
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    fox.types_raw(typed)
    fox.reads("\ufffd")
    fox.types_raw(b"\r")
    fox.reads("UTF")  # the sentence is broken where the row ends
    fox.types_raw(b"s3cret\r")
    fox.types_raw(b"to:\r/say hello\r")
    assert romeo.receives("message", username="Fox")["msg"] == "hello"
    assert not [frame for frame in romeo.frames if "s3cr" in str(frame)]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_leaves_the_terminal_as_it_was(
    server: Program,
    terminals: Terminals,
    guests: Guests,
    room: str,
    number: signal.Signals,
    code: int,
) -> None:
    romeo = guests()
    fox = on_terminal(terminals, server.url, "--room", room, "--name", "Fox")
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    fox.shows("You are Fox")
    fox.process.send_signal(number)
    fox.reads_the_end()
    assert fox.process.wait(DEADLINE_S) == code
    assert is_left_as_it_was(fox)
    becomes_free(guests, "Fox")  # it is not held for somebody who has left


@pytest.mark.parametrize(
    ("options", "has_session", "code"),
    [((), False, 129), ((), True, 129), (("--plain",), False, 0)],
    ids=["screen", "leader of the session", "plain"],
)
def test_a_client_whose_terminal_disappears_ends(
    server: Program,
    terminals: Terminals,
    guests: Guests,
    room: str,
    options: tuple[str, ...],
    has_session: bool,
    code: int,
) -> None:
    romeo = guests()
    fox = on_terminal(terminals, server.url, "--room", room, "--name", "Fox", *options)
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    fox.reads("You are Fox")
    fox.disappears()
    for number in (signal.SIGHUP, signal.SIGCONT) * has_session:  # from the kernel
        fox.process.send_signal(number)
    assert fox.process.wait(DEADLINE_S) == code
    becomes_free(guests, "Fox")


def test_leaving_does_not_wait_for_a_silent_server(terminals: Terminals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fox = on_terminal(terminals, f"http://127.0.0.1:{silent.getsockname()[1]}")
        visitor, _ = silent.accept()
        with visitor:
            fox.shows("connecting")
            fox.types_raw(b"\x11")
            fox.reads_the_end()
            assert fox.process.wait(3) == 0  # and not the ten seconds that an answer is waited for
    assert is_left_as_it_was(fox)


@pytest.mark.parametrize(
    "frame", ['{"action":"login","you":7}', '{"action":"roster","joined":7}', '{"you":{}}']
)
def test_frames_that_make_no_sense_leave_the_screen_alone(terminals: Terminals, frame: str) -> None:
    login = '42["msg",{"action":"login","room":"tea","name_list":[],"you":{"username":"Fox","sid":"f"}}]'
    last = '42["msg",{"action":"message","id":"2","username":"Owl","msg":"still there"}]'
    impostor = Impostor(OPENING, "40{}", login, f'42["msg",{frame}]', last)
    try:
        fox = on_terminal(terminals, impostor.url)
        fox.shows("still there")
        fox.types_raw(b"\x11")
        fox.reads_the_end()
    finally:
        impostor.close()
    assert fox.process.wait(DEADLINE_S) == 0
    assert "Traceback" not in fox.seen


def test_a_missing_server_is_reported_after_the_screen_closes(terminals: Terminals) -> None:
    fox = on_terminal(terminals, "http://127.0.0.1:1")
    fox.reads_the_end()
    assert fox.process.wait(DEADLINE_S) == 2
    assert is_left_as_it_was(fox)
    after = fox.seen[fox.seen.rfind("\x1b[?1049l") :]
    assert "chatroom: no chatroom answers at http://127.0.0.1:1: Connection refused" in after


def test_a_message_that_cannot_be_stored_does_not_delay_leaving() -> None:
    login = '42["msg",{"action":"login","room":"tea","name_list":[],"you":{"username":"Fox","sid":"f"}}]'
    impostor = Impostor(OPENING, "40{}", login, refusal='{"ok":false,"code":"unavailable","msg":"no"}')

    async def play(app: ChatApp, pilot: Pilot[int]) -> None:
        await pilot.press(*"hello", "enter")
        await until(lambda: "The server can't store" in shown(app), lambda: shown(app))
        await pilot.press("ctrl+q")
        await until(lambda: app._exit, "leaving")
        assert app.return_code == 1  # it is still unsent

    try:
        on_screen(impostor, "tea", play)
    finally:
        impostor.close()


def test_a_disconnected_guest_reads_the_reason(terminals: Terminals) -> None:
    notice = (
        '42["msg",{"action":"notice","username":"*","code":"kicked","msg":"You were\\u001b[2J shown out."}]'
    )
    impostor = Impostor(OPENING, "40{}", notice, "41")
    try:
        fox = on_terminal(terminals, impostor.url)
        fox.reads_the_end()
    finally:
        impostor.close()
    assert fox.process.wait(DEADLINE_S) == 1
    after = fox.seen[fox.seen.rfind("\x1b[?1049l") :]
    assert "chatroom: the server closed the connection. You were shown out." in " ".join(after.split())


def test_without_colours_there_are_none(
    server: Program, terminals: Terminals, guests: Guests, room: str
) -> None:
    romeo = guests()
    fox = on_terminal(terminals, server.url, "--room", room, "--name", "Fox", NO_COLOR="1")
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    romeo.sends("hello Fox")
    fox.shows("hello Fox")
    colours = set(re.findall(r"\x1b\[[\d;]*?[34]8;2;(\d+;\d+;\d+)", fox.seen))
    assert all(len(set(colour.split(";"))) == 1 for colour in colours), colours  # greys
    fox.types_raw(b"\x11")
    fox.reads_the_end()


def test_a_window_that_changes_its_size_is_drawn_anew(
    server: Program, terminals: Terminals, guests: Guests, room: str
) -> None:
    romeo = guests()
    env = {"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    fox = terminals(*CHAT, server.url, "--room", room, "--name", "Fox", env=env)
    fox.resizes(80, 24)
    fox.shows("You are Fox")
    romeo.sends("wide " * 12 + "end")
    fox.shows("end")
    for width in (30, 100, 5, 80):
        fox.resizes(width, 12)
    romeo.sends("after all that")
    fox.shows("after all that")
    fox.types_raw(b"\x04")
    fox.reads_the_end()
    assert fox.process.wait(DEADLINE_S) == 0
