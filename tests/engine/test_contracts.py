"""The private names that we lean on are there, and their absence is told clearly."""

import pytest

from chatroom.engine import contracts


def test_every_name_is_there():
    contracts.check()


def test_a_missing_name_is_told_with_its_library_and_the_cure():
    with pytest.raises(
        contracts.ContractError, match=r"installed engineio has no .*Server\.gone.* pyproject\.toml"
    ):
        contracts.check(("engineio.server:Server.gone",))
    with pytest.raises(contracts.ContractError, match="installed eventlet"):
        contracts.check(("eventlet.nowhere:x",))
