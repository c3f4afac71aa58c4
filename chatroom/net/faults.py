"""How an exception is logged: on one line, and without any of what people wrote."""

from __future__ import annotations

_LINES = 6


def describe(problem: BaseException) -> str:
    """An exception's type and traceback, innermost line first; never its text, which may quote a peer."""
    positions = []
    trace = problem.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        positions.append(f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(problem).__name__} at {' < '.join(reversed(positions[-_LINES:]))}"
