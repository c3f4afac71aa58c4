"""Every private name of python-engineio, python-socketio and eventlet that this package relies on, in one list.

They are checked before the first session. So an upgrade that removes one fails at the start, and names it.
`pyproject.toml` holds the three libraries to one minor release each.
"""

from __future__ import annotations

import importlib
from typing import Any

from chatroom import runtime

NAMES: tuple[str, ...] = (
    # What `socketio.Server` calls, or leaves to be overridden.
    "socketio.server:Server._engineio_server_class",
    "socketio.server:Server._send_packet",
    "socketio.server:Server._handle_eio_connect",
    "socketio.server:Server._handle_eio_message",
    "socketio.server:Server._handle_eio_disconnect",
    "socketio.server:Server._handle_connect",
    "socketio.server:Server._handle_disconnect",
    "socketio.server:Server._handle_event",
    "socketio.server:Server._handle_event_internal",
    "socketio.server:Server._handle_ack",
    "socketio.base_server:BaseServer._binary_packet",
    # What the client manager overrides or calls.
    "socketio.base_manager:BaseManager.set_server",
    "socketio.base_manager:BaseManager.pre_connect",
    "socketio.base_manager:BaseManager.is_pre_connected",
    "socketio.base_manager:BaseManager.is_connected",
    "socketio.base_manager:BaseManager.sid_from_eio_sid",
    "socketio.base_manager:BaseManager.eio_sid_from_sid",
    "socketio.base_manager:BaseManager.pre_disconnect",
    "socketio.base_manager:BaseManager.basic_disconnect",
    "socketio.base_manager:BaseManager.basic_enter_room",
    "socketio.base_manager:BaseManager.basic_leave_room",
    "socketio.base_manager:BaseManager.basic_close_room",
    "socketio.base_manager:BaseManager.get_participants",
    "socketio.base_manager:BaseManager._generate_ack_id",
    "socketio.manager:Manager.trigger_callback",
    "socketio.manager:Manager.can_disconnect",
    # What the engine inherits.
    "engineio.server:Server.start_background_task",
    "engineio.server:Server.sleep",
    "engineio.base_server:BaseServer.generate_id",
    "engineio.base_server:BaseServer.on",
    "engineio.base_server:BaseServer._get_socket",
    "engineio.packet:Packet.encode",
    *runtime.PRIVATE_NAMES,
)


class ContractError(RuntimeError):
    """An installed library is not the one that this engine was written for."""


def check(names: tuple[str, ...] = NAMES) -> None:
    """Make sure that every name is there.

    Raises:
        ContractError: one is missing; the message says which, and what to do.
    """
    for name in names:
        module, _, path = name.partition(":")
        try:
            thing: object = importlib.import_module(module)
            for part in path.split("."):
                thing = _find(thing, part)
        except (ImportError, AttributeError):
            library = module.partition(".")[0]
            raise ContractError(
                f"the installed {library} has no {name!r}, which this engine needs: "
                "install the versions that pyproject.toml names"
            ) from None


def _find(thing: Any, part: str) -> object:
    """An attribute of a module or a class; what only a constructor sets can be seen in its code alone.

    Raises:
        AttributeError: there is none.
    """
    try:
        return getattr(thing, part)
    except AttributeError:
        if part not in thing.__init__.__code__.co_names:
            raise
        return None
