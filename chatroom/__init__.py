"""An anonymous chatroom that anybody can put up in one command and enter in one second.

This file knows the version and imports nothing: the runtime is patched before any other module is loaded.
"""

__version__ = "0.1.0"
