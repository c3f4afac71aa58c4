"""Recognises clients that are no terminals, such as browsers and scanners, by their first line.

A web page can make its reader's browser connect to any port, also to this one, and send HTTP or TLS.
"""

from __future__ import annotations

import re
from typing import Final

from chatroom.gateways.line.codec import Overlong

_METHOD: Final = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FOREIGN: Final = re.compile(
    # HTTP and its relatives, by any method
    rf"{_METHOD} (?:/|\*|[A-Za-z][A-Za-z0-9+.-]*:).* (?:HTTP|RTSP|SIP)/\d(?:\.\d)?"
    rf"|{_METHOD} \S+ HTTP/\d(?:\.\d)?"
    r"|(?-i:CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|TRACE) /\S*"
    r"|SSH-\d\.\d+-\S.*"
    r"|(?-i:EHLO|HELO) \S+\.\S+"
    # A load balancer's line, which has its client's address
    r"|(?-i:PROXY (?:TCP4|TCP6|UNKNOWN)(?: .*)?)",
    re.DOTALL | re.IGNORECASE,
)
_LONG_REQUEST: Final = re.compile(f"{_METHOD} [!-~]+")


def is_foreign(line: str | Overlong) -> bool:
    """Whether a line, which is a client's first, is another protocol's."""
    if isinstance(line, Overlong):
        return _LONG_REQUEST.fullmatch(line.head) is not None
    return _FOREIGN.fullmatch(line.strip()) is not None
