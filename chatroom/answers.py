"""Waits for what a backplane answers by callback.

Most backplanes answer before the call returns: then nothing waits, and no signal is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from chatroom.core.errors import Refusal, Unavailable

ANSWER_S: Final = 10.0  # after so long without an answer, the outcome counts as unknown


class Signal(Protocol):
    """Something to wait for."""

    def set(self) -> None: ...

    def wait(self, timeout_s: float | None = None) -> bool: ...


_Answer = TypeVar("_Answer")


class Answers:
    """Asks, and waits if it must: must not be called from the feed or the loop.

    Args:
        signal: makes something that a greenthread can wait for.
    """

    def __init__(self, signal: Callable[[], Signal]) -> None:
        self._signal = signal

    def ask(self, question: Callable[[Callable[[_Answer | Refusal | None], None]], None]) -> _Answer:
        """The answer to a question.

        Raises:
            Refusal: it is the answer.
            Unavailable: the outcome is unknown.
        """
        outcome = self.outcome(question)
        if outcome is None:
            raise Unavailable
        if isinstance(outcome, Refusal):
            raise outcome.copy()  # not what this frame holds, since the traceback holds the frame
        return outcome

    def outcome(
        self, question: Callable[[Callable[[_Answer | Refusal | None], None]], None]
    ) -> _Answer | Refusal | None:
        """The answer to a question, perhaps a refusal; None: the outcome is unknown."""
        answers: list[_Answer | Refusal | None] = []
        answered: Signal | None = None

        def on_done(answer: _Answer | Refusal | None) -> None:
            answers.append(answer)
            if answered is not None:
                answered.set()

        question(on_done)
        if not answers:
            answered = self._signal()
            answered.wait(ANSWER_S)
        answer = answers[0] if answers else None
        if isinstance(answer, Refusal):
            answer.with_traceback(None)  # whose frames hold it: it would be kept until the collector comes
        return answer
