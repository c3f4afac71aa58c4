"""Start the chatroom: `python app.py --help` lists the settings."""

import sys

from chatroom.cli import main

if __name__ == "__main__":
    sys.exit(main())
