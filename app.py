"""Start the chatroom: `python app.py --help` lists the settings."""

import sys

from chatroom import runtime

if __name__ == "__main__":
    if sys.argv[1:2] != ["chat"]:  # the terminal client waits in threads
        runtime.patch()  # before anything else is imported, so that whatever waits lets others run

    from chatroom.cli import main

    sys.exit(main())
