"""How a fault of ours is told in a log: on one line, and without a word of what people wrote."""

from __future__ import annotations

_PLACES = 6


def describe(problem: BaseException) -> str:
    """An exception's type and where it came from, innermost place first; never its text, which may quote a peer."""
    places = []
    trace = problem.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        places.append(f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(problem).__name__} at {' < '.join(reversed(places[-_PLACES:]))}"
