"""How the apps of these tests serve until they are stopped."""

from chatroom import runtime
from chatroom.engine.front import Front
from chatroom.net.listeners import listen


def serve(front: Front, *, backlog: int) -> None:
    """Listen on a free loopback port and print it on standard output; never returns."""
    (listener,) = listen("127.0.0.1", 0, backlog=backlog)
    front.listen(listener)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        runtime.sleep(3600)  # the loop serves; this greenthread only has to be there
