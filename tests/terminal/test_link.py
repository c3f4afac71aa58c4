"""What the link asks the server, without a connection."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.core.events import Person
from chatroom.terminal.address import Address
from chatroom.terminal.link import LOST, Link
from chatroom.terminal.view import View


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        ({"ok": False, "code": LOST}, 2),
        ({"ok": False, "code": "rate_limited", "retry_after": 1}, 2),
        ({"ok": False, "code": "no_such_person"}, 1),
    ],
)
def test_who_has_a_partners_name_is_asked_until_known(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], times: int
) -> None:
    link = Link(Address.parse("http://127.0.0.1"), room=None, name=None, on_frame=lambda _: None)
    asked: list[str] = []

    def ask(action: str, answered: Any, *, sid: str) -> None:
        asked.append(sid)
        answered(answer)

    monkeypatch.setattr(link, "ask", ask)
    link.talk_to(Person("1", "Ben"))
    view = View()
    view.names = {"2": "Ben"}
    for _ in range(2):
        link.check_partner(view)
    link.close()
    assert asked == ["1"] * times
