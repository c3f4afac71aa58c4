"""The client for scripts and for the smallest terminals: lines in, lines out, nothing else on the screen."""

from __future__ import annotations

import sys
from typing import TextIO

from chatroom.terminal.address import Address
from chatroom.terminal.link import Frame, Link, LinkError, State
from chatroom.terminal.view import View


def run(address: Address, room: str | None, name: str | None, source: TextIO, out: TextIO) -> int:
    """Say every line of `source` and show what comes on `out`, until the input ends and all of it is said.

    Returns:
        0; 1 if something was refused; 2 if the room could not be entered.
    """
    view = View()
    shows_past = source.isatty()  # somebody is there to read it; a script asked for nothing
    has_entered = False

    def hear(frame: Frame) -> None:
        nonlocal has_entered
        if not has_entered and not shows_past and isinstance(frame.get("you"), dict):
            frame = {**frame, "you": {**frame["you"], "history": []}}
        has_entered = True
        for shown in view.show(frame):
            if not (shown.own and shown.kind == "said"):
                print(shown.text(), file=out, flush=True)

    def changed(state: State) -> None:
        if state is State.LOST:
            print("* The connection is lost. Coming back …", file=out, flush=True)

    link = Link(address, room=room, name=name, hear=hear, changed=changed)
    try:
        link.open()
    except LinkError as problem:
        print(f"chatroom: {problem}", file=sys.stderr)
        return 2
    try:
        for line in source:
            if line.strip():
                link.say(line.rstrip("\r\n"))
            if not link.is_open_for_more():
                break
        was_said = link.wait_until_said()
    except KeyboardInterrupt:
        was_said = True
    link.close()
    return 0 if was_said and not link.refused else 1
