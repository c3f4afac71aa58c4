"""An anonymous chatroom: one command to start it, one second to join.

This file knows the version and imports nothing: the runtime is patched before any other module is loaded.
"""

__version__ = "0.1.0"
