"""The Socket.IO gateway: the `msg` event for pages and bots (docs/protocol.md, section 1)."""
