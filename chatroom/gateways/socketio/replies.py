"""What is sent to one client only: refusals and notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chatroom.core.errors import RateLimited, Refusal
from chatroom.engine.strict import Ack, no_ack
from chatroom.gateways.socketio import wire
from chatroom.gateways.socketio.guest import Guest


class Replies:
    """Words refusals and notices in the client's language, and sends them.

    Args:
        emit: sends a frame to a client.
    """

    def __init__(
        self,
        emit: Callable[[str, str], None],
        *,
        monotonic: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        self._emit = emit
        self._monotonic = monotonic
        self._now_ms = now_ms

    def refuse(self, guest: Guest, ack: Ack, refused: Refusal) -> None:
        """Refuse an event: in its ack, or else by a notice."""
        text = guest.words.refusal(refused)
        if ack is not no_ack:
            ack(wire.refusal(refused, text))
            return
        if isinstance(refused, RateLimited):
            # In a flood, one notice per second: notices must not become a flood of their own.
            now = self._monotonic()
            if now - guest.noticed_at < 1:
                return
            guest.noticed_at = now
        self.notice(guest, refused.code, text, refused.params)

    def notice(
        self, guest: Guest, code: str, text: str, parameters: Mapping[str, object] | None = None
    ) -> None:
        """Send a notice, unless the client is not welcomed yet, or is gone."""
        if guest.room_key is not None and not guest.is_gone:
            self._send(guest, code, text, parameters or {})

    def last_notice(self, guest: Guest, code: str, text: str) -> None:
        """Say why the client is disconnected next, which it must know even if it is not welcomed yet."""
        self._send(guest, code, text, {})

    def _send(self, guest: Guest, code: str, text: str, parameters: Mapping[str, object]) -> None:
        frame = wire.frame(wire.notice(code, text, self._now_ms(), parameters))
        self._emit(frame, guest.session.sid)
