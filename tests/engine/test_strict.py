"""Socket.IO packets, strictly: JSON that every client can read, whatever the application sends."""

import sys
from typing import Any

import pytest
from socketio import packet
from socketio.exceptions import ConnectionRefusedError as ConnectRefusedError

from chatroom.engine import reasons, strict
from chatroom.engine.fanout import Fanout
from chatroom.engine.strict import Ack, StrictPacket, StrictServer, no_ack


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are decoded as JSON."""
    texts: list[str] = []

    class Decoder:
        def decode(self, text: str) -> Any:
            texts.append(text)
            return original.decode(text)

    original = strict._decoder
    monkeypatch.setattr(strict, "_decoder", Decoder())
    return texts


def test_nan_with_attachments_becomes_null() -> None:
    encoded = StrictPacket(
        packet.EVENT, data=["e", float("nan"), float("inf"), b"x"], id=7, namespace="/a"
    ).encode()
    assert encoded == ['51-/a,7["e",null,null,{"_placeholder":true,"num":0}]', b"x"]
    assert StrictPacket(packet.EVENT, data=["e", float("nan")]).encode() == '2["e",null]'


class Hooks:
    """A server of which everything is heard that its hooks are called with."""

    def __init__(self, *, on_bad_event: bool = True, **options: Any) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.acks: list[Ack] = []
        self.server = StrictServer(
            client_manager=Fanout(on_connected=lambda *call: self.calls.append(("connected", *call))),
            namespaces=["/", "/other"],
            on_event=self._on_event,
            on_bad_event=self._on_bad_event if on_bad_event else None,
            on_long_event=lambda sid, _ack: self.calls.append(("long", sid)),
            **options,
        )
        self.server.eio.sessions.create("session", "192.0.2.1")
        self.server._handle_eio_connect("session", {})

    def receive(self, *packets: str) -> None:
        for each in packets:
            self.server._handle_eio_message("session", each)

    def sid(self, namespace: str = "/") -> str | None:
        return self.server.manager.sid_from_eio_sid("session", namespace)

    def _on_event(self, sid: str, event: str, arguments: object, ack: Ack) -> None:
        self.calls.append((sid, event, arguments))
        self.acks.append(ack)

    def _on_bad_event(self, sid: str, ack: Ack) -> None:
        self.calls.append(("bad", sid))
        self.acks.append(ack)


def test_hooks_receive_connects_events_and_bad_events_in_order() -> None:
    hooks = Hooks()
    hooks.receive("0", '2["msg",{"a":1},2]', '27["msg"]', "28[", '2["disconnect"]')
    sid = hooks.sid()
    assert hooks.calls == [
        ("connected", sid, "/"),
        (sid, "msg", [{"a": 1}, 2]),
        (sid, "msg", []),
        ("bad", sid),
        ("bad", sid),
    ]
    assert [ack is no_ack for ack in hooks.acks] == [True, False, False, True]


@pytest.mark.parametrize("refuses", [False, True])
def test_a_head_and_its_attachments_are_counted_as_they_come(refuses: bool) -> None:
    asked: list[int] = []

    def may_read(sid: str, ack: Ack, size: int) -> bool:
        asked.append(size)
        return not refuses

    hooks = Hooks(may_read=may_read, takes_binary=False)
    hooks.receive("0")
    asked.clear()
    counted = []
    for data in ('52-["e"]', b"x" * 1000, b"x" * 500, '2["e"]'):
        hooks.server._handle_eio_message("session", data)
        counted.append(list(asked))
    assert counted == [[5], [5, 1000], [5, 1000, 500], [5, 1000, 500, 5]]
    answered: list[tuple[object, ...]] = [("bad", hooks.sid()), (hooks.sid(), "e", [])]
    assert hooks.calls[1:] == ([] if refuses else answered)


@pytest.mark.parametrize(("takes_binary", "allowed"), [(False, True), (True, False)])
def test_the_text_of_a_head_is_not_kept_for_nothing(takes_binary: bool, allowed: bool) -> None:
    hooks = Hooks(may_read=lambda *_: allowed, takes_binary=takes_binary)
    hooks.receive("0", f'51-["{"x" * 100_000}"]')
    kept = hooks.server._binary_packet["session"]
    assert sum(sys.getsizeof(value) for value in vars(kept).values()) < 2000


def test_an_ack_can_be_sent_later(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks()
    hooks.receive("0", '27["msg"]', '2["msg"]')
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(hooks.server.eio, "send", lambda *call: sent.append(call))
    for ack in hooks.acks:
        ack({"ok": True})
    assert sent == [("session", '37[{"ok":true}]')]


@pytest.mark.parametrize("namespace", ["/", "/other"])
def test_a_bad_event_without_a_hook_closes_the_connection(namespace: str) -> None:
    hooks = Hooks(on_bad_event=namespace != "/")
    head = "" if namespace == "/" else f"{namespace},"
    hooks.receive(f"0{head}")
    assert hooks.sid(namespace) is not None
    hooks.receive(f"2{head}[")
    assert "bad" not in [call[0] for call in hooks.calls]
    assert "session" not in hooks.server.eio.sockets


def test_events_of_other_namespaces_go_to_their_handlers() -> None:
    hooks = Hooks()
    heard: list[tuple[str, int]] = []
    hooks.server.on("msg", lambda *call: heard.append(call), namespace="/other")
    hooks.receive("0/other,", '2/other,["msg",5]')
    assert heard == [(hooks.sid("/other"), 5)]


def test_an_ack_that_nobody_waits_for_is_not_decoded(decoded: list[str]) -> None:
    hooks = Hooks()
    hooks.receive("0", '31["x"]', "31[", "30[]")
    assert decoded == []
    assert "session" in hooks.server.eio.sockets


def test_a_connect_is_counted_before_it_is_decoded(decoded: list[str]) -> None:
    asked: list[int] = []

    def may_connect(environ: object, size: int) -> None:
        asked.append(size)
        raise ConnectRefusedError("later")

    server = StrictServer(client_manager=Fanout(), namespaces=["/"], may_connect=may_connect)
    server.eio.sessions.create("session", "192.0.2.1")
    server._handle_eio_connect("session", {})
    for data in ('0{"room":"x"}', "0/unknown,[1]"):
        server._handle_eio_message("session", data)
    assert (asked, decoded) == ([12], [])
    assert server.manager.sid_from_eio_sid("session", "/") is None


def test_a_second_connect_is_not_decoded(decoded: list[str]) -> None:
    hooks = Hooks()
    hooks.receive("0", '0{"room":"x"}')
    assert decoded == []
    assert hooks.sid() is not None


def test_what_is_longer_than_any_event_is_not_decoded(decoded: list[str]) -> None:
    hooks = Hooks(max_event=20, max_commas=3)
    hooks.receive("0", f'2["{"x" * 20}"]', '2["e",1,2,3,4]', '2["e",1,2,3]')
    assert hooks.calls[1:] == [
        ("long", hooks.sid()),
        ("bad", hooks.sid()),
        (hooks.sid(), "e", [1, 2, 3]),
    ]
    assert decoded == ['["e",1,2,3]']


@pytest.mark.parametrize(
    ("sent", "read"),
    [("1.5", [1.5]), ("-1e-400", [-0.0]), ("1.7976931348623157e308", [1.7976931348623157e308])],
)
def test_numbers_are_read_as_python_reads_them(sent: str, read: list[float]) -> None:
    hooks = Hooks()
    hooks.receive("0", f'2["e",{sent}]', '2["e",1e999]')
    assert hooks.calls[1:] == [(hooks.sid(), "e", read), ("bad", hooks.sid())]


@pytest.mark.parametrize(("refuses", "read"), [(False, 3), (True, 1)])
def test_of_a_closed_session_nothing_is_read_after_a_refusal(refuses: bool, read: int) -> None:
    asked: list[int] = []

    def may_read(_sid: str, _ack: Ack, size: int) -> bool:
        asked.append(size)
        return not refuses

    hooks = Hooks(may_read=may_read)
    hooks.receive("0")
    asked.clear()
    sessions = hooks.server.eio.sessions
    session = sessions.by_id["session"]
    for _ in range(3):
        session.deliver('2["e"]')
    sessions.end(session, reasons.CLIENT_DISCONNECT, keep_inbox=True)
    for _ in range(3):  # one turn reads as much as its time allows
        sessions._serve(session)
    assert len(asked) == read


def test_a_closed_session_that_never_connected_is_not_read(decoded: list[str]) -> None:
    hooks = Hooks()
    sessions = hooks.server.eio.sessions
    session = sessions.by_id["session"]
    session.deliver('0{"room":"x"}')
    sessions.end(session, reasons.CLIENT_DISCONNECT, keep_inbox=True)
    sessions._serve(session)
    assert (decoded, hooks.calls) == ([], [])
