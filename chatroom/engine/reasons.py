"""Why connections and sessions end: what disconnect handlers are told. The first five are python-engineio's own."""

SERVER_DISCONNECT = "server disconnect"
CLIENT_DISCONNECT = "client disconnect"
PING_TIMEOUT = "ping timeout"
TRANSPORT_CLOSE = "transport close"
TRANSPORT_ERROR = "transport error"

SLOW_READER = "slow reader"
PROTOCOL_ERROR = "protocol error"
CONNECT_TIMEOUT = "connect timeout"
HANDLER_ERROR = "handler error"
