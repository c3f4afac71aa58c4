"""What polling clients still have to receive after their sessions have ended: one payload for each poll."""

from __future__ import annotations

from collections import deque
from typing import Final

from chatroom import runtime
from chatroom.engine import packets
from chatroom.net.gate import Account

_KEEP_S: Final = 5.0


class FinalPayloads:
    """The packets of these payloads, which are joined when a poll comes: most clients that are cut never poll again."""

    def __init__(self) -> None:
        self._payloads: dict[str, tuple[deque[list[bytes]], Account | None]] = {}

    def __len__(self) -> int:
        return len(self._payloads)

    def keep(self, sid: str, payloads: list[list[bytes]], account: Account | None) -> None:
        """Keep payloads for the polls of this session, for a few seconds; none if that is too much for the account."""
        if account is not None and not account.hold(_size(payloads)):
            account.hold(-_size(payloads))
            return
        self._payloads[sid] = deque(payloads), account
        runtime.call_later(_KEEP_S, self._forget, sid)

    def take(self, sid: str) -> bytes | None:
        """The next one; None if there is none."""
        kept = self._payloads.get(sid)
        if kept is None:
            return None
        payloads, account = kept
        payload = payloads.popleft()
        if account is not None:
            account.hold(-_size([payload]))
        if not payloads:
            del self._payloads[sid]
        return packets.join_payload(payload)

    def _forget(self, sid: str) -> None:
        payloads, account = self._payloads.pop(sid, ((), None))
        if account is not None:
            account.hold(-_size(payloads))


def _size(payloads: list[list[bytes]] | deque[list[bytes]] | tuple[()]) -> int:
    return sum(len(packet) for payload in payloads for packet in payload)
