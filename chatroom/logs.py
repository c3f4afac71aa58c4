"""How log lines look: readable on a terminal, JSON objects for a collector.

What is logged is up to each module. An exception is logged without its text, whoever logs it: it may quote a client.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)

_MOST_FAULTS = 5  # that led to one another


class _Formatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 (the base class's name)
        """An exception's traceback and type, and before it those of the exceptions that led to it."""
        faults: list[str] = []
        problem: BaseException | None = ei[1]
        while problem is not None and len(faults) < _MOST_FAULTS:
            trace = "".join(traceback.format_tb(problem.__traceback__))
            faults.append(f"Traceback (most recent call last):\n{trace}{type(problem).__name__}")
            problem = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
        return "\n\n".join(reversed(faults))


class _Lines(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        line = f"{moment} {level}{record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Objects(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def set_up(*, as_json: bool) -> None:
    """Send log lines to standard error, and those of libraries only from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Objects() if as_json else _Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("chatroom").setLevel(logging.INFO)
    # Below that, it logs single connections.
    logging.getLogger("chatroom.engine").setLevel(logging.WARNING)
    sys.excepthook = lambda *fault: log.error("the program failed", exc_info=fault)
    sys.unraisablehook = lambda fault: log.error("a clean-up failed", exc_info=_parts(fault))
    threading.excepthook = lambda fault: log.error("a thread failed", exc_info=_parts(fault))


def _parts(fault: Any) -> Any:
    return fault.exc_type, fault.exc_value, fault.exc_traceback
