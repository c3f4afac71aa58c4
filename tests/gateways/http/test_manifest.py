"""The manifest of a room, alone: where an installed chat starts, and which queries name no room."""

from __future__ import annotations

import json
from urllib.parse import quote, urljoin

import pytest

from chatroom.core.errors import BadRequest, RoomInvalid
from chatroom.gateways.http.manifest import manifest, room_of


@pytest.mark.parametrize("root", ["/", "/chat/"])
@pytest.mark.parametrize("room", ["tea", "茶馆", "a b?c#d", "100%"])
def test_an_installed_room_starts_in_itself(root: str, room: str) -> None:
    answer = json.loads(manifest(room, root))
    address = f"https://example.org{root}manifest.webmanifest?room={quote(room)}"
    start = urljoin(address, answer["start_url"])
    assert start == f"https://example.org{root}r/{quote(room, safe='')}"
    assert urljoin(address, answer["id"]) == start
    assert start.startswith(urljoin(address, answer["scope"]))
    assert room in answer["name"]


def test_the_lobby_starts_at_the_root() -> None:
    answer = json.loads(manifest("lobby", "/chat/"))
    assert (answer["id"], answer["start_url"], answer["name"]) == ("/chat/", "./", "chatroom")


@pytest.mark.parametrize("query", ["room=tea", "room=%20tea", "x=1&room=tea&room=coffee"])
def test_a_query_names_a_room(query: str) -> None:
    assert room_of(query) == "tea"


@pytest.mark.parametrize("query", ["", "x=1"])
def test_a_query_without_a_room_means_the_lobby(query: str) -> None:
    assert room_of(query) == "lobby"


@pytest.mark.parametrize(
    "query", ["room=", "room=a/b", "room=..", "room=%FF", f"room={'x' * 65}", "room=%00"]
)
def test_what_cannot_be_a_room_has_no_manifest(query: str) -> None:
    with pytest.raises(RoomInvalid):
        room_of(query)


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(BadRequest):
        room_of("&".join(["room=tea"] * 9))
