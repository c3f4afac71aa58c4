"""Why connections end. The first two are python-engineio's own."""

TRANSPORT_CLOSE = "transport close"
TRANSPORT_ERROR = "transport error"

SLOW_READER = "slow reader"
HANDLER_ERROR = "handler error"
SERVER_FULL = "server full"
