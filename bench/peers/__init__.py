"""Who is measured: how each server is started and how the load generator has to greet it.

The only place that spells a server's command line, this project's own included.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "bench"
NAMES = ROOT / "name.txt"


@dataclass(frozen=True)
class Peer:
    """A server to be measured.

    Attributes:
        name: the key by which scenarios and ratios speak of it.
        title: what the printed table calls it.
        command: its command line; `{port}` and `{data}` (a folder of its own) are filled in.
        rosters: what is added so that it tells everybody of each login.
        greeting: what the load generator must know about it.
        acks: whether its speakers ask for an ack and wait for it.
    """

    name: str
    title: str
    command: tuple[str, ...]
    rosters: tuple[str, ...] = ()
    greeting: tuple[str, ...] = ()
    acks: bool = False


# Everything is on: the durable log with synchronous=FULL, acks, tokens, rooms; the limits are in force and
# too high to bite.
OURS = Peer(
    name="ours",
    title="this server",
    command=(
        *(sys.executable, "app.py", "--host", "127.0.0.1", "--port", "{port}", "--data-dir", "{data}"),
        *("--message-burst", "10000", "--message-rate", "10000"),
        *("--event-burst", "100000", "--event-rate", "100000"),
        *("--max-text", "5000"),
    ),
    greeting=("--delta", "--login"),
    acks=True,
)
SEED = Peer(
    name="seed",
    title="naive python-socketio",
    command=(sys.executable, str(HERE / "seed.py"), "{port}"),
    rosters=(str(NAMES),),
)
NODE = Peer(
    name="node",
    title="Node socket.io",
    command=("node", str(HERE / "node" / "server.js"), "{port}"),
    rosters=(str(NAMES),),
)
FLOOR = Peer(name="floor", title="C, one send a message", command=(str(BUILD / "floor"), "{port}"))

PEERS = (OURS, SEED, NODE, FLOOR)
