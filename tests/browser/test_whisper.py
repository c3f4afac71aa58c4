"""A draft for one person reaches no one else, whatever happens to the page while it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from chatroom.core.expected import CONFIRM_S
from tests.browser.relay import Relay
from tests.browser.visit import PHONE, Visit, Visitor
from tests.support.guests import Guests, becomes_free
from tests.support.program import Start, free_port


def whispers(visitor: Visitor, name: str = "fox") -> None:
    """Begin a whisper from the list of people."""
    if visitor.page.viewport_size == PHONE:
        visitor.button(re.compile("here$")).click()
    visitor.button(f"Whisper to {name}").first.click()
    expect(only(visitor)).to_have_text(f"Only {name} sees this")


def only(visitor: Visitor) -> Locator:
    return visitor.page.locator(".only span")


def beside(visitor: Visitor) -> Locator:
    """The refused text that waits beside what was written since."""
    return visitor.page.locator(".aside q")


def is_public(visitor: Visitor) -> None:
    expect(only(visitor)).to_have_count(0)


def confirms(visitor: Visitor, question: str = "Send it again to confirm.") -> None:
    """Send what the page asks about, as soon as that counts as an answer."""
    expect(visitor.page.locator(".under")).to_contain_text(question)
    # By the clock, on which the rule depends: a text that is sent sooner was sent before the question was read.
    visitor.page.wait_for_timeout(1.1 * CONFIRM_S * 1000)
    visitor.composer.press("Enter")
    expect(visitor.composer).to_have_value("")


def test_reload_keeps_the_whisper_and_its_draft(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    whispers(visitor)
    visitor.composer.fill("a secret")
    visitor.page.reload()
    expect(visitor.chip).to_be_visible()
    expect(only(visitor)).to_have_text("Only fox sees this")
    expect(visitor.composer).to_have_value("a secret")
    visitor.composer.press("Enter")
    assert fox.receives("whisper")["msg"] == "a secret"
    owl.receives_nothing("message")


@pytest.mark.parametrize("way", ["escape", "cross", "cross on a phone"])
def test_leaving_a_whisper_leaves_its_draft_behind(visit: Visit, guests: Guests, way: str) -> None:
    guests(username="fox")
    visitor = (visit(viewport=PHONE, has_touch=True, is_mobile=True) if "phone" in way else visit()).enter()
    visitor.composer.fill("for all")
    whispers(visitor)
    expect(visitor.composer).to_have_value("")
    visitor.composer.press_sequentially("a secret")
    if way == "escape":
        visitor.page.keyboard.press("Escape")
    else:
        visitor.button("End private chat").click()
    is_public(visitor)
    expect(visitor.composer).to_have_value("for all")
    whispers(visitor)
    expect(visitor.composer).to_have_value("a secret")


def test_unfinished_input_method_text_stays_in_the_whisper(visit: Visit, guests: Guests) -> None:
    guests(username="fox")
    visitor = visit().enter()
    whispers(visitor)
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("Input.imeSetComposition", {"text": "mimi", "selectionStart": 4, "selectionEnd": 4})
    expect(visitor.composer).to_have_value("mimi")
    visitor.button("End private chat").evaluate("(cross) => cross.click()")  # the focus stays where it is
    is_public(visitor)
    devtools.send("Input.insertText", {"text": "!"})
    expect(visitor.composer).to_have_value("!")
    whispers(visitor)
    expect(visitor.composer).to_have_value("mimi")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_name_in_the_list_begins_a_private_chat(visit: Visit, guests: Guests, *, phone: bool) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = (visit(viewport=PHONE, has_touch=True, is_mobile=True) if phone else visit()).enter()
    fox.asks("whisper", to=visitor.name, msg="psst")
    owl.sends("hello")
    visitor.sees("hello")
    name = visitor.message("psst").locator(".chat")
    box = name.bounding_box()
    assert box
    # As large as a finger: 44 px each way.
    x, y = box["x"] + 35, box["y"] + box["height"] - 39
    for corner in ([x, y], [x - 42, y + 42]):
        assert name.evaluate("(name, [x, y]) => document.elementFromPoint(x, y) === name", corner), corner
    if phone:
        visitor.page.touchscreen.tap(x, y)
    else:
        name.focus()
        visitor.page.keyboard.press("Enter")
    expect(only(visitor)).to_have_text("Only fox sees this")
    expect(visitor.composer).to_be_focused()
    visitor.writes("ok yes")
    fox.receives("whisper", msg="ok yes")
    visitor.message("hello").locator(".chat").click()
    expect(only(visitor)).to_have_text("Only owl sees this")
    visitor.message("ok yes").get_by_role("button", name="whisper to fox").click()
    expect(only(visitor)).to_have_text("Only fox sees this")


def test_an_answer_to_a_whisper_does_not_become_public(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    fox.asks("whisper", to=visitor.name, msg="psst")
    visitor.sees("psst")
    visitor.writes("ok yes")
    expect(visitor.page.locator(".under")).to_contain_text("Everyone in this room will see this.")
    owl.receives_nothing("message")
    confirms(visitor)
    assert owl.receives("message")["msg"] == "ok yes"


def test_each_person_has_a_draft(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    whispers(visitor, "fox")
    visitor.composer.fill("for fox")
    whispers(visitor, "owl")
    expect(visitor.composer).to_have_value("")
    visitor.composer.fill("for owl")
    whispers(visitor, "fox")
    expect(visitor.composer).to_have_value("for fox")
    visitor.composer.press("Enter")
    assert fox.receives("whisper")["msg"] == "for fox"
    owl.receives_nothing("whisper")


def test_no_one_inherits_a_whisper_with_the_name(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    whispers(visitor)
    visitor.composer.fill("a secret")
    fox.emit({"action": "logout"})  # gives up the name as well
    expect(only(visitor)).to_have_text("fox has left")
    becomes_free(guests, "fox")
    expect(only(visitor)).to_have_text("Someone called fox is here now.")
    visitor.composer.press("Enter")
    expect(visitor.composer).to_have_value("a secret")
    expect(visitor.page.locator("article")).to_have_count(0)
    visitor.button("Continue").click()
    expect(only(visitor)).to_have_text("Only fox sees this")
    expect(visitor.composer).to_be_focused()
    expect(visitor.composer).to_have_value("a secret")
    confirms(visitor, "You wrote this before they left.")
    visitor.sees("a secret")
    expect(visitor.page.locator("article.whisper")).to_have_count(1)
    expect(visitor.message("a secret")).not_to_have_class(re.compile("sending|failed"))
    expect(visitor.page.locator(".grey", has_text="has left")).to_have_count(0)


def test_a_whisper_goes_on_when_the_partner_reloads(visit: Visit) -> None:
    visitor, partner = visit().enter(), visit().enter()
    name = partner.name
    visitor.writes(f"to:{name}")
    expect(only(visitor)).to_have_text(f"Only {name} sees this")
    visitor.composer.fill("a secret")
    # Whatever the line above the text says meanwhile.
    only(visitor).evaluate(
        "(line) => { window.said = []; new MutationObserver(() => window.said.push(line.textContent))"
        ".observe(line, {subtree: true, childList: true, characterData: true}) }"
    )
    for _ in range(2):
        partner.page.reload()
        expect(partner.chip).to_have_text(name)
    expect(visitor.page.locator(".rail li")).to_have_count(2)
    visitor.composer.press("Enter")
    partner.sees("a secret")
    expect(visitor.message("a secret")).not_to_have_class(re.compile("sending|failed"))
    expect(only(visitor)).to_have_text(f"Only {name} sees this")
    assert visitor.page.evaluate("window.said") == []
    expect(visitor.page.locator(".grey", has_text="left")).to_have_count(0)


def test_reload_after_the_partner_left_sends_nothing(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    whispers(visitor)
    visitor.composer.fill("a secret")
    fox.leaves()
    expect(only(visitor)).to_have_text("fox has left")
    visitor.page.reload()
    expect(visitor.chip).to_be_visible()
    expect(only(visitor)).to_have_text("fox has left")
    visitor.composer.press("Enter")
    expect(visitor.composer).to_have_value("a secret")
    visitor.composer.press("Escape")
    is_public(visitor)
    expect(visitor.composer).to_have_value("")
    visitor.writes("for all")
    confirms(visitor)
    assert owl.receives("message")["msg"] == "for all"


def test_a_refused_command_returns_to_its_whisper(visit: Visit, guests: Guests, relay: Relay) -> None:
    guests(username="fox")
    visitor = visit(url=relay.url).enter()
    whispers(visitor)
    relay.hold()
    visitor.writes("/nonsense secret")
    visitor.page.keyboard.press("Escape")
    is_public(visitor)
    visitor.composer.fill("for all")
    relay.release()
    expect(visitor.page.locator(".under")).to_contain_text("No such command")
    expect(visitor.composer).to_have_value("for all")
    whispers(visitor)
    expect(visitor.composer).to_have_value("/nonsense secret")


def test_a_refused_command_keeps_what_was_typed_since(visit: Visit, relay: Relay) -> None:
    visitor = visit(url=relay.url).enter()
    relay.hold()
    visitor.writes("/nonsense")
    visitor.composer.press_sequentially("more")
    relay.release()
    expect(beside(visitor)).to_have_text("/nonsense")
    expect(visitor.composer).to_have_value("more")


@pytest.mark.parametrize("reloads", [False, True])
def test_typing_on_after_a_refused_text_keeps_the_two_apart(
    visit: Visit, guests: Guests, reloads: bool
) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    visitor.composer.press_sequentially("tp:fox\n")
    expect(visitor.page.locator(".under")).to_contain_text("type to:fox")
    if reloads:
        visitor.page.reload()
        visitor.is_whole()
        expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.type("secret")
    expect(visitor.composer).to_have_value("secret")
    expect(beside(visitor)).to_have_text("tp:fox")
    expect(visitor.page.locator(".aside")).to_be_in_viewport(ratio=1)
    visitor.is_accessible("a refused text beside another")
    visitor.button("Edit").click()
    expect(visitor.composer).to_have_value("tp:fox")
    expect(beside(visitor)).to_have_text("secret")
    visitor.page.keyboard.press("Control+a")
    visitor.page.keyboard.press("Delete")
    visitor.page.keyboard.press("ArrowUp")
    expect(visitor.composer).to_have_value("secret")
    expect(beside(visitor)).to_have_count(0)
    fox.receives_nothing("message")


def test_a_text_after_to_is_refused_and_teaches_the_command(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    visitor.writes("to:fox hello")
    expect(visitor.page.locator(".under")).to_have_text(
        "Not sent. To whisper to fox, type /to fox hello. To send it as a message, begin it with /say."
    )
    visitor.writes("/to fox hello")
    assert fox.receives("whisper")["msg"] == "hello"
    fox.receives_nothing("message")


def test_changing_rooms_during_a_whisper_asks_before_sending(
    visit: Visit, guests: Guests, relay: Relay, room: str
) -> None:
    guests(username="fox")
    owl = guests(username="owl", room=f"{room} den")
    visitor = visit(url=relay.url).enter()
    whispers(visitor)
    relay.hold()
    visitor.writes(f"/join {room} den")
    visitor.composer.press_sequentially("a se")
    relay.release()
    expect(visitor.page.locator("h1")).to_have_text(f"{room} den")
    expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.type("cret")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator(".under")).to_contain_text("Send it again")
    expect(visitor.composer).to_have_value("cret")
    owl.receives_nothing("message")
    confirms(visitor)
    assert owl.receives("message")["msg"] == "cret"


def test_back_to_a_room_goes_on_with_its_private_chat(visit: Visit, guests: Guests, room: str) -> None:
    fox = guests(username="fox")
    owl = guests(username="owl", room=f"{room} den")
    visitor = visit().enter()
    whispers(visitor)
    visitor.writes(f"/join {room} den")
    expect(visitor.page.locator("h1")).to_have_text(f"{room} den")
    is_public(visitor)
    visitor.page.go_back()
    expect(visitor.page.locator("h1")).to_have_text(room)
    expect(only(visitor)).to_have_text("Only fox sees this")
    expect(only(visitor)).to_be_in_viewport(ratio=1)
    visitor.writes("still a secret")
    assert fox.receives("whisper", username=visitor.name)["msg"] == "still a secret"
    for other in (fox, owl):
        other.receives_nothing("message")


def test_a_cut_keeps_the_whisper(visit: Visit, guests: Guests, relay: Relay) -> None:
    fox = guests(username="fox")
    visitor = visit(url=relay.url).enter()
    visitor.lossy = True
    whispers(visitor)
    visitor.composer.fill("a secret")
    relay.cut()
    expect(visitor.bar).to_have_text(re.compile("Reconnecting"))
    visitor.composer.press("Enter")
    visitor.composer.press_sequentially("another")
    relay.restore()
    assert fox.receives("whisper")["msg"] == "a secret"
    expect(only(visitor)).to_have_text("Only fox sees this")
    expect(visitor.composer).to_have_value("another")
    fox.receives_nothing("message")


def test_another_tab_takes_over_and_gives_back_the_whisper(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    first = visit().enter()
    whispers(first)
    first.composer.fill("a secret")
    kept = first.page.evaluate("() => ({...sessionStorage})")
    second = visit()
    second.page.add_init_script(f"Object.assign(sessionStorage, {kept!r})")
    second.enter()
    expect(only(second)).to_have_text("Only fox sees this")
    expect(second.composer).to_have_value("a secret")
    expect(first.page.get_by_role("alert")).to_be_visible()
    first.composer.press("Enter")
    expect(first.composer).to_have_value("a secret")
    first.page.get_by_role("alert").locator("button").click()
    expect(first.page.get_by_role("alert")).to_have_count(0)
    first.composer.press("Enter")
    assert fox.receives("whisper")["msg"] == "a secret"
    fox.receives_nothing("message")


def test_a_failed_whisper_is_tried_again_as_a_whisper(visit: Visit, guests: Guests, relay: Relay) -> None:
    fox = guests(username="fox")
    visitor = visit(url=relay.url).enter()
    visitor.lossy = True
    whispers(visitor)
    relay.hold()
    visitor.writes("a secret")
    relay.cut()
    relay.release()
    relay.restore()
    expect(visitor.button("Try again")).to_be_visible()
    visitor.composer.press("Escape")
    is_public(visitor)
    visitor.button("Try again").click()
    expect(visitor.button("Try again")).to_have_count(0)
    assert fox.receives("whisper")["msg"] == "a secret"
    fox.receives_nothing("message")


def test_the_partners_new_name_is_followed(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    whispers(visitor)
    visitor.composer.fill("a secret")
    fox.asks("rename", username="wolf")
    expect(only(visitor)).to_have_text("Only wolf sees this")
    imposter = guests(username="fox")
    visitor.composer.press("Enter")
    assert fox.receives("whisper")["msg"] == "a secret"
    imposter.receives_nothing("whisper")


def test_a_typed_marker_begins_a_whisper(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    for number, typed in enumerate(("to:fox", "TO：FOX", ' to : "fox"', "t\u200bo:fox")):
        visitor.writes(typed)
        expect(only(visitor), typed).to_have_text("Only fox sees this")
        expect(visitor.composer).to_be_focused()
        expect(visitor.composer).to_have_value("")
        visitor.writes(f"secret {number}")
        assert fox.receives("whisper")["msg"] == f"secret {number}"
        visitor.writes("to:")
        is_public(visitor)
    owl.receives_nothing("message")


def test_a_name_after_a_whisper_keyword_is_asked_about(visit: Visit, guests: Guests) -> None:
    owl = guests(username="owl")
    visitor = visit().enter()
    expect(
        visitor.page.get_by_role("complementary", name="People")
    ).to_be_visible()  # fetched later, as is the rule
    visitor.writes("msg:")
    expect(visitor.page.locator(".under")).to_have_text(
        "Everyone in this room will see this. To whisper, type /to NAME TEXT. Send it again to confirm."
    )
    visitor.writes("to:")
    expect(visitor.page.locator(".under")).to_contain_text("You are not in a private chat.")
    visitor.writes("owl")
    expect(visitor.page.locator(".under")).to_contain_text("Send it again to confirm.")
    owl.receives_nothing("message")
    confirms(visitor)
    owl.receives("message", msg="owl")


def test_an_unknown_name_keeps_the_draft(visit: Visit, guests: Guests) -> None:
    owl = guests(username="owl")
    visitor = visit().enter()
    visitor.writes("to:Nobody")
    expect(visitor.page.locator(".under")).to_contain_text("begin it with /say")
    expect(visitor.composer).to_have_value("to:Nobody")
    expect(visitor.page.locator("article")).to_have_count(0)
    owl.receives_nothing("message")


def test_a_slash_however_typed_begins_a_command(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    for number, slash in enumerate(("/", "、", "／", "\u200b/", "\u2060、", "\u00ad／")):
        visitor.writes(f"{slash}to fox secret {number}")
        assert fox.receives("whisper")["msg"] == f"secret {number}", ascii(slash)
        visitor.sees(f"secret {number}")  # until the command is answered, none follows it
        visitor.writes(f"{slash}home/u/x.log")
        expect(visitor.page.locator(".under"), ascii(slash)).to_contain_text("begin it with /say")
        visitor.composer.fill("")
        expect(visitor.page.locator(".under")).to_have_text("")
    owl.receives_nothing("message")


def test_a_command_while_away_is_neither_shown_nor_sent_later(
    visit: Visit, guests: Guests, relay: Relay
) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit(url=relay.url).enter()
    visitor.lossy = True
    relay.cut()
    expect(visitor.bar).to_have_text(re.compile("Reconnecting"))
    visitor.writes("、to fox a secret")
    expect(visitor.page.locator(".under")).to_have_text("Not connected. Try again in a moment.")
    expect(visitor.composer).to_have_value("、to fox a secret")
    expect(visitor.page.locator("article")).to_have_count(0)
    relay.restore()
    expect(visitor.bar).to_have_text(re.compile("Reconnected"))
    owl.receives_nothing("message")
    fox.receives_nothing("whisper")


def test_the_words_above_a_whisper_stand_on_one_line(visit: Visit, guests: Guests) -> None:
    guests(username="fox")
    visitor = visit().enter()
    whispers(visitor)
    visitor.sends("a secret")
    # Both are set in the same size, so their boxes end at the same height if their letters do.
    ends = visitor.message("a secret").evaluate(
        "(row) => [row.querySelector('.secret .chat').firstChild, row.querySelector('time').firstChild].map((text) => {"
        " const range = document.createRange(); range.selectNode(text); return range.getBoundingClientRect().bottom })"
    )
    assert abs(ends[0] - ends[1]) < 0.5


def test_long_names_above_a_whisper_have_lines_of_their_own(visit: Visit, guests: Guests) -> None:
    fox = guests(username="Wandering Albatross of the South")
    visitor = visit(viewport=PHONE).enter()
    fox.asks("whisper", to=visitor.name, msg="psst")
    header = visitor.message("psst").locator("header")
    time, label, lock = (header.locator(part).bounding_box() for part in (".secret ~ time", ".secret", "svg"))
    assert time is not None
    assert label is not None
    assert lock is not None
    assert lock["width"] == 13
    assert label["height"] < 30
    assert abs(time["y"] + time["height"] - label["y"] - label["height"]) < 2


def test_every_whisper_has_round_corners(visit: Visit, guests: Guests) -> None:
    guests(username="fox")
    visitor = visit().enter()
    whispers(visitor)
    for text in ("one", "two", "three"):
        visitor.sends(text)
    corners = visitor.page.locator("article.whisper").evaluate_all(
        "(rows) => rows.map((row) => getComputedStyle(row).borderRadius)"
    )
    assert corners == ["8px"] * 3


def test_a_whisper_under_way_misses_whoever_takes_the_name(
    visit: Visit, guests: Guests, relay: Relay
) -> None:
    fox = guests(username="fox")
    visitor = visit(url=relay.url).enter()
    whispers(visitor)
    relay.hold()  # the page does not hear of what happens meanwhile
    visitor.writes("a secret")
    fox.emit({"action": "logout"})  # gives up the name as well
    imposter = becomes_free(guests, "fox")
    relay.release()
    expect(visitor.page.locator("article.failed")).to_be_visible()
    expect(only(visitor)).to_have_text("Someone called fox is here now.")
    imposter.receives_nothing("whisper")
    imposter.receives_nothing("message")


def test_a_restart_makes_no_whisper_public(
    start: Start, visit: Visit, guests: Guests, tmp_path: Path
) -> None:
    program = start(port=free_port())
    guests(url=program.url, room="lobby", username="fox")
    visitor = visit(url=program.url, room=None).enter()
    visitor.lossy = True
    visitor.writes("to:fox")
    visitor.composer.fill("a secret")
    program.stop()
    expect(visitor.bar).to_have_text(re.compile("Reconnecting"))
    visitor.composer.press("Enter")
    visitor.composer.fill("another secret")
    again = start(port=program.port, data_dir=tmp_path / "data")
    owl = guests(url=again.url, room="lobby", username="owl")
    fox = guests(url=again.url, room="lobby", username="fox")
    expect(only(visitor)).to_have_text("Someone called fox is here now.")
    visitor.composer.press("Enter")
    expect(visitor.page.locator("article.failed")).to_have_count(1)
    for guest in (owl, fox):
        guest.receives_nothing("message")
        guest.receives_nothing("whisper")


@pytest.mark.parametrize("command", ["/too fox", "/name 阿黎"])
def test_what_follows_a_command_waits_for_its_success(
    visit: Visit, guests: Guests, relay: Relay, command: str
) -> None:
    owl = guests(username="owl")
    visitor = visit(url=relay.url).enter()
    relay.hold()
    visitor.writes(command)
    visitor.writes("a secret")
    expect(visitor.message("a secret")).to_have_class(re.compile("sending"))
    relay.release()
    if command.startswith("/name"):
        assert owl.receives("message")["msg"] == "a secret"
        return
    expect(visitor.composer).to_have_value("/too fox\na secret")
    expect(visitor.page.locator("article")).to_have_count(0)
    owl.receives_nothing("message")


@pytest.mark.parametrize("slip", ["tp:fox", "/too fox"])
def test_what_follows_a_slip_at_once_is_not_sent(
    visit: Visit, guests: Guests, relay: Relay, slip: str
) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit(url=relay.url).enter()
    relay.slow(0.15)
    visitor.composer.press_sequentially(f"{slip}\nsecret\n\nanother\n")
    # Alone or with what followed, as fast as that was typed.
    visitor.waits_until(
        lambda: any(
            text.startswith(slip)
            for text in [visitor.composer.input_value(), *beside(visitor).all_inner_texts()]
        )
    )
    expect(visitor.page.locator("article")).to_have_count(0)
    fox.sends("the end")
    owl.waits_for(lambda: any(frame.get("msg") == "the end" for frame in owl.frames), "the end")
    assert "secret" not in str(owl.frames)
    assert "another" not in str(owl.frames)


def test_a_slip_in_a_whisper_reaches_no_one(visit: Visit, guests: Guests) -> None:
    fox, owl = guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    whispers(visitor)
    for slip in ("to owl a secret", "\\to owl a secret", "tp:owl", "op 0123456789abcdef"):
        visitor.writes(slip)
        expect(visitor.page.locator(".under")).to_contain_text(re.compile("begin with //|begin it with /say"))
        expect(visitor.composer).to_have_value(slip)
        visitor.composer.fill("to:fox")
        visitor.composer.press("Enter")  # the audience is chosen anew
    visitor.writes("/say to owl is how it begins")
    assert fox.receives("whisper")["msg"] == "to owl is how it begins"
    assert "secret" not in str(owl.frames)


def test_a_refused_draft_written_over_asks_before_sending(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    visitor.writes("to;fox")
    expect(visitor.page.locator(".under")).to_contain_text("type to:fox")
    visitor.page.keyboard.press("Control+a")
    visitor.page.keyboard.type("a secret\n")
    expect(visitor.page.locator(".under")).to_have_text(
        "Everyone in this room will see this. To whisper, type /to NAME TEXT. Send it again to confirm."
    )
    visitor.page.reload()
    expect(visitor.chip).to_be_visible()
    expect(visitor.composer).to_have_value("a secret")
    visitor.composer.press("Enter")
    confirms(visitor)
    assert fox.receives("message")["msg"] == "a secret"


def test_the_answer_to_a_whisper_asks_after_a_reload(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    fox.emit({"action": "whisper", "to": visitor.name, "msg": "which PIN?"})
    visitor.sees("which PIN?")
    visitor.page.reload()
    expect(visitor.chip).to_be_visible()
    visitor.writes("0000")
    confirms(visitor)
    assert fox.receives("message")["msg"] == "0000"
