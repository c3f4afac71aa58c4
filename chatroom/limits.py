"""The limits of one session that follow from the settings: as the service applies them, and as clients receive them."""

from __future__ import annotations

from chatroom.core.budgets import SESSION_RATES, Kind, scaled
from chatroom.core.flood import Rate
from chatroom.sessions import Limits
from chatroom.settings import Settings


def session_limits(settings: Settings) -> Limits:
    """What one session may do."""
    chosen = {
        Kind.MESSAGE: Rate(settings.message_burst, settings.message_rate),
        Kind.EVENT: Rate(settings.event_burst, settings.event_rate),
    }
    fixed = scaled(SESSION_RATES, settings.address_scale)
    # What one room may receive leaves space in its readers' outboxes, whatever the scale.
    outbox_bytes = settings.outbox_limit_bytes
    return Limits(
        rates={**fixed, **chosen} if settings.limits else {},
        room_bytes=Rate(outbox_bytes / 2, outbox_bytes) if settings.limits else None,
        max_text=settings.max_text,
        max_rooms=settings.max_rooms,
        resume_grace_s=settings.resume_grace_s,
    )


def client_limits(settings: Settings) -> dict[str, object]:
    """The limits that clients receive (protocol, section 1: `you.limits`)."""
    return {
        "text": settings.max_text,
        "burst": settings.message_burst if settings.limits else None,
        "rate": settings.message_rate if settings.limits else None,
        "history_entries": settings.history,
        "history_days": settings.history_days if settings.history else 0,
        "resume_grace": settings.resume_grace_s,
    }
