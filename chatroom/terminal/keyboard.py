"""What the terminal sends, also when it is no UTF-8: textual's own driver would end the program then.

It knows bytes. What was meant by them nobody knows, so they are handed on marked.
"""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message


class NotUtf8(Message):
    """Something was typed or pasted that did not arrive as UTF-8.

    Attributes:
        text: what could be read of it, with U+FFFD for the rest.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Keyboard(LinuxDriver):
    """Goes on after bytes that are no UTF-8."""

    def run_input_thread(self) -> None:
        """Read until the end, and begin anew behind what cannot be decoded."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError as problem:  # none of these bytes has been handed on
                self.send_message(NotUtf8(problem.object.decode("utf-8", "replace")))
