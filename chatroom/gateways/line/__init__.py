"""The line gateway: plain TCP text for telnet, netcat and scripts (docs/protocol.md, section 2)."""
