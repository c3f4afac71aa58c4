"""The private names that the engine uses exist, and a missing one is reported clearly."""

from types import FunctionType

import pytest

from chatroom.engine import contracts
from chatroom.engine.fanout import Fanout
from chatroom.engine.server import Engine
from chatroom.engine.strict import StrictPacket, StrictServer


def test_every_name_is_there() -> None:
    contracts.check()


@pytest.mark.parametrize("name", ["engineio.server:Server.gone", "socketio.base_server:BaseServer._gone"])
def test_a_missing_name_is_reported_with_its_library(name: str) -> None:
    library = name.partition(".")[0]
    with pytest.raises(
        contracts.ContractError, match=rf"installed {library} has no .*gone.* pyproject\.toml"
    ):
        contracts.check((name,))
    with pytest.raises(contracts.ContractError, match="installed eventlet"):
        contracts.check(("eventlet.nowhere:x",))


def private_names(cls: type) -> set[str]:
    """The private names of a library's class that its subclass, written here, overrides or uses."""
    own = vars(cls)
    used = {name for one in own.values() if isinstance(one, FunctionType) for name in one.__code__.co_names}
    theirs: set[str] = set()
    for base in cls.__mro__[1:-1]:
        if not base.__module__.startswith("chatroom."):
            theirs |= {
                *vars(base),
                *(vars(base)["__init__"].__code__.co_names if "__init__" in vars(base) else ()),
            }
    return {name for name in used | own.keys() if name[0] == "_" and name[:2] != "__"} & theirs


@pytest.mark.parametrize("cls", [Engine, Fanout, StrictPacket, StrictServer])
def test_every_private_name_of_a_subclass_is_listed(cls: type) -> None:
    listed = {name.rpartition(".")[2] for name in contracts.NAMES}
    assert private_names(cls) <= listed
