"""RFC 6455, case by case, against the echo app."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.engine_live.client import App, Socket

MAX_BYTES = 1_000_000


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, MAX_BYTES])
def test_messages_of_every_length_come_back(echo_app: App, length: int) -> None:
    client = Socket(echo_app.port)
    client.send("é" * (length // 2))
    client.send(bytes(length))
    assert client.receive() == "é" * (length // 2)
    assert client.receive() == bytes(length)


def test_a_fragmented_message_with_a_ping_is_reassembled(echo_app: App) -> None:
    client = Socket(echo_app.port)
    client.raw(0x01, "€".encode()[:1])
    client.raw(0x89, b"between")
    client.raw(0x00, "€".encode()[1:2])
    client.raw(0x80, "€".encode()[2:])
    assert client.frame() == (10, b"between")
    assert client.frame() == (1, "€".encode())


def test_pings_one_after_another_are_all_answered(echo_app: App) -> None:
    client = Socket(echo_app.port)
    for number in range(20):
        client.raw(0x89, b"%d" % number)
        assert client.frame() == (10, b"%d" % number)


def test_pings_that_arrive_together_are_answered_each_in_its_place(echo_app: App) -> None:
    client = Socket(echo_app.port)
    pings = [b"\x89\x81\0\0\0\0%d" % number for number in range(10)]
    client.http.send(b"".join(pings[:5]) + b"\x81\x81\0\0\0\0x" + b"".join(pings[5:]))
    got = [client.frame() for _ in range(11)]
    assert got == [*((10, b"%d" % n) for n in range(5)), (1, b"x"), *((10, b"%d" % n) for n in range(5, 10))]


def test_a_flood_of_pings_is_not_answered_with_a_flood(echo_app: App) -> None:
    client = Socket(echo_app.port)
    ping = b"\x89\x84\0\0\0\0ping"
    for _ in range(5):
        client.http.send(ping * 100)
    for _ in range(300):
        client.http.send(ping)
        time.sleep(0.001)  # apart, so that each arrives alone
    client.send("the end")
    pongs = 0
    while (got := client.frame()) != (1, b"the end"):
        assert got == (10, b"ping")
        pongs += 1
    assert 1 <= pongs < 120


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe9bye", b"\x0f\xa0own"])
def test_a_close_is_answered_with_its_code(echo_app: App, payload: bytes) -> None:
    client = Socket(echo_app.port)
    client.raw(0x88, payload)
    assert client.closing() == (int.from_bytes(payload[:2], "big") or 1005)


@pytest.mark.parametrize(
    ("first", "payload", "code"),
    [
        (0xC1, b"x", 1002),
        (0xA1, b"x", 1002),
        (0x91, b"x", 1002),
        (0x83, b"", 1002),
        (0x8B, b"", 1002),
        (0x09, b"", 1002),
        (0x89, b"x" * 126, 1002),
        (0x80, b"", 1002),
        (0x88, b"\x03", 1002),
        (0x88, b"\x03\xed", 1002),
        (0x88, b"\x03\xe8\xff", 1007),
        (0x81, b"\xff", 1007),
        (0x81, b"\xed\xa0\x80", 1007),
        (0x01, b"\xff", 1007),
        (0x82, bytes(MAX_BYTES + 1), 1009),
    ],
)
def test_a_violation_closes_at_once_with_its_code(
    echo_app: App, first: int, payload: bytes, code: int
) -> None:
    client = Socket(echo_app.port)
    client.raw(first, payload)
    assert client.closing() == code


def test_an_unmasked_frame_is_a_violation(echo_app: App) -> None:
    client = Socket(echo_app.port)
    client.raw(0x81, b"x", mask=False)
    assert client.closing() == 1002


@pytest.mark.parametrize("frame", [b"\x89\x80", b"\x8a\x80", b"\x00\x80"], ids=["ping", "pong", "fragment"])
def test_a_client_sending_only_useless_frames_is_disconnected(echo_app: App, frame: bytes) -> None:
    client, other = Socket(echo_app.port), Socket(echo_app.port)
    client.raw(0x01)
    client.http.send((frame + bytes(4)) * 20_000)
    with contextlib.suppress(ConnectionError):  # a reset, since more was on the way
        assert client.closing() == 1008
    other.send("still here")
    assert other.receive() == "still here"


def test_fragments_without_end_are_bounded(echo_app: App) -> None:
    client = Socket(echo_app.port)
    client.raw(0x02, bytes(600_000))
    client.raw(0x00, bytes(400_001))
    assert client.closing() == 1009
