"""What polling clients still have to receive after their sessions have ended: one payload for each poll."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Final

from chatroom import runtime
from chatroom.engine import packets
from chatroom.net.gate import Account
from chatroom.net.relief import Relief, Waiting

_KEEP_S: Final = 5.0


@dataclass(slots=True)
class _Kept:
    payloads: deque[list[bytes]]
    size: int
    account: Account | None


class FinalPayloads:
    """The packets of these payloads, which are joined when a poll comes: most clients that are cut never poll again.

    Args:
        relief: drops some, the first one first, if they are too much.
    """

    def __init__(self, relief: Relief) -> None:
        self._relief = relief
        self._kept: dict[str, _Kept] = {}  # the first one first
        relief.include_leftovers(self._waiting)

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, sid: str, payloads: list[list[bytes]], account: Account | None) -> None:
        """Keep payloads for the polls of this session, for a few seconds."""
        kept = self._kept[sid] = _Kept(deque(payloads), sum(map(_size, payloads)), account)
        runtime.call_later(_KEEP_S, self._forget, sid)
        if account is not None and not account.hold(kept.size):
            self._relief.relieve(account)

    def take(self, sid: str) -> bytes | None:
        """The next one; None if there is none."""
        kept = self._kept.get(sid)
        if kept is None:
            return None
        payload = kept.payloads.popleft()
        kept.size -= _size(payload)
        if kept.account is not None:
            kept.account.hold(-_size(payload))
        if not kept.payloads:
            del self._kept[sid]
        return packets.join_payload(payload)

    def _waiting(self, account: Account | None) -> list[Waiting]:
        return [
            Waiting(kept.account, kept.size, partial(self._forget, sid))
            for sid, kept in self._kept.items()
            if kept.account is not None and (account is None or kept.account is account)
        ]

    def _forget(self, sid: str) -> None:
        kept = self._kept.pop(sid, None)
        if kept is not None and kept.account is not None:
            kept.account.hold(-kept.size)


def _size(payload: list[bytes]) -> int:
    return sum(map(len, payload))
