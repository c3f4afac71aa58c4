"""What an interpreter needs from its terminal, and what it has instead once the guest has left."""

from __future__ import annotations

from typing import Final, Protocol


class Host(Protocol):
    """What an interpreter needs from its terminal."""

    def write(self, data: bytes) -> None:
        """Show an encoded line."""

    def disconnect(self, key: str) -> None:
        """Disconnect the guest, with one of the server's sentences."""

    def settled(self) -> None:
        """Something is done that lines may have waited for."""

    def mark_talking(self, is_talking: bool) -> None:
        """There is, or is no longer, a partner in a private chat."""


class _Nobody:
    """The host of a guest who has left, and sees no more."""

    def write(self, data: bytes) -> None:
        pass

    def disconnect(self, key: str) -> None:
        pass

    def settled(self) -> None:
        pass

    def mark_talking(self, is_talking: bool) -> None:
        pass


NOBODY: Final = _Nobody()
