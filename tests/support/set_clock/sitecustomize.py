"""Python imports this as it starts: its wall clock is then ahead by what a file says, which may change at any moment.

The program that is tested has no switch for this, and faketime(1) cannot leave the other clocks alone. On PYTHONPATH,
with SET_CLOCK naming the file: whole seconds.
"""

import os
import time
from pathlib import Path

_file = Path(os.environ["SET_CLOCK"])
_true_ns = time.time_ns


def _set_ns() -> int:
    return _true_ns() + int(_file.read_text()) * 1_000_000_000


time.time_ns = _set_ns
time.time = lambda: _set_ns() / 1e9
