"""The rules of a chatroom and nothing else: no I/O, no clock, no dice of its own, no logging."""
