"""Names of this machine, and addresses near it, without a server."""

import logging
import socket
from pathlib import Path

import pytest

from chatroom.gateways.http.hosts import HostRule, own_names


def test_only_addresses_near_the_server_are_bound_to_names() -> None:
    near = ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.17.0.1", "192.168.1.2", "169.254.1.1", "100.64.0.1"]
    near += ["::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1"]
    public = ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
    rule = HostRule((), ())
    assert [peer for peer in near if rule("evil.example", peer, "192.0.2.1") is None] == []
    assert [peer for peer in public if rule("evil.example", peer, "192.0.2.1") is not None] == []


@pytest.mark.parametrize(
    ("peer", "local", "is_bound"),
    [
        ("2606:4700::1111", "2606:4700::1111", True),
        ("2606:4700::1111", "2606:4700::2:0:0:2", True),
        ("2606:4700::1111", "2606:4700:0:1::1", False),
        ("8.8.8.8", "::ffff:8.8.8.8", True),
        ("8.8.8.8", "8.8.8.9", False),
        ("8.8.8.8", "172.17.0.2", False),
        ("", "", False),
    ],
)
def test_names_bind_public_addresses_of_the_machine_too(peer: str, local: str, is_bound: bool) -> None:
    rule = HostRule((), ())
    assert (rule("evil.example", peer, local) is not None) is is_bound
    assert rule("localhost", peer, local) is None


def test_an_address_in_a_name_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    rule = HostRule((), ())
    names = ("198.51.100.7", "198-51-100-7", "c6336407", "2001-db8--1f")
    with caplog.at_level(logging.WARNING):
        for name in names:
            assert rule(f"a.{name}.evil.example", "127.0.0.1", "127.0.0.1") is not None
    assert not any(name in caplog.text for name in names)
    assert caplog.text.count("--allowed-hosts a.(an address).evil.example") == len(names)


def test_the_machines_names_come_from_files_not_from_dns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Box")
    hosts, resolver = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text(
        "127.0.0.1 localhost\n127.0.1.1 box.corp.example box # box.evil.example\n0.0.0.0 ads.example\n"
    )
    resolver.write_text("nameserver 127.0.0.53\nsearch net.example tail.example.\n")
    names = {"box", "box.corp.example", "box.net.example", "box.tail.example"}
    assert own_names(hosts, resolver) == names
    assert own_names(tmp_path / "none", tmp_path / "none") == {"box"}


@pytest.mark.parametrize("name", ["evil.example", "EVIL.example.:5000"])
def test_a_name_is_logged_once_and_names_are_bounded(caplog: pytest.LogCaptureFixture, name: str) -> None:
    rule = HostRule((), ())
    with caplog.at_level(logging.WARNING):
        for host in [name, name, "a b", *(f"x{number}.example" for number in range(100))]:
            assert rule(host, "127.0.0.1", "127.0.0.1") is not None
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].endswith("--allowed-hosts evil.example")
    assert len(lines) == len(set(lines)) == 20
