"""Requests that two servers in a row could read differently, and how each is answered.

Where it matters, the text of another request follows: a server that sees the end of the message elsewhere answers it.
"""

from __future__ import annotations

from typing import Final

HOST: Final = b"Host: a\r\n"  # to be replaced by the host of the server
HIDDEN_ROOM: Final = b"smuggled"
# Its own host has one length whatever the port, so that lengths stay right.
HIDDEN: Final = b"GET /manifest.webmanifest?room=" + HIDDEN_ROOM + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_SIZE: Final = b"%x" % len(HIDDEN)


def _get(*lines: bytes, first: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join((first, *lines, b"", b""))


def _post(*lines: bytes, body: bytes = HIDDEN, version: bytes = b"1.1") -> bytes:
    return _get(b"Host: a", *lines, first=b"POST / HTTP/" + version) + body


def _chunked(body: bytes) -> bytes:
    return _post(b"Transfer-Encoding: chunked", body=body)


def _sized(size: bytes) -> bytes:
    """A chunk with this line, which says that the hidden request is its data, or that it is not."""
    return _chunked(size + b"\r\n" + HIDDEN + b"\r\n0\r\n\r\n")


def _trailed(trailers: bytes) -> bytes:
    return _chunked(b"3\r\nabc\r\n0\r\n" + trailers + b"\r\n\r\n" + HIDDEN)


HOSTS: Final = {
    "no Host": _get(),
    "two Hosts": _get(b"Host: a", b"Host: a"),
    "two different Hosts": _get(b"Host: a", b"Host: b"),
    "a space in Host": _get(b"Host: a b"),
    "a tab in Host": _get(b"Host: a\tb"),
    "a comma in Host": _get(b"Host: a, b"),
    "a user in Host": _get(b"Host: a@b"),
    "a path in Host": _get(b"Host: a/b"),
    "a query in Host": _get(b"Host: a?b"),
    "a backslash in Host": _get(b"Host: a\\b"),
    "a scheme in Host": _get(b"Host: http://a"),
    "two ports": _get(b"Host: a:1:2"),
    "three names": _get(b"Host: a:b:c"),
    "a port that is a name": _get(b"Host: a:b"),
    "a port without digits": _get(b"Host: a:"),
    "a port out of range": _get(b"Host: a:65536"),
    "a signed port": _get(b"Host: a:+80"),
    "an IPv6 address without brackets": _get(b"Host: ::1"),
    "an IPv6 address without its end": _get(b"Host: [::1"),
    "something after an IPv6 address": _get(b"Host: [::1]a"),
    "a bad IPv6 address": _get(b"Host: [:::]"),
    "a name in brackets": _get(b"Host: [a]"),
    "a percent sign in Host": _get(b"Host: a%00"),
    "another letter in Host": _get(b"Host: \xe9"),
}
REQUEST_LINES: Final = {
    "two spaces": _get(b"Host: a", first=b"GET  / HTTP/1.1"),
    "a space at the end": _get(b"Host: a", first=b"GET / HTTP/1.1 "),
    "a space at the start": _get(b"Host: a", first=b" GET / HTTP/1.1"),
    "a tab between": _get(b"Host: a", first=b"GET\t/ HTTP/1.1"),
    "no version": _get(b"Host: a", first=b"GET /"),
    "a version in small letters": _get(b"Host: a", first=b"GET / http/1.1"),
    "a version with a third part": _get(b"Host: a", first=b"GET / HTTP/1.1.1"),
    "four words": _get(b"Host: a", first=b"GET / x HTTP/1.1"),
    "another letter in the target": _get(b"Host: a", first=b"GET /\x80 HTTP/1.1"),
    "NUL in the target": _get(b"Host: a", first=b"GET /\0 HTTP/1.1"),
    "a fragment": _get(b"Host: a", first=b"GET /#a HTTP/1.1"),
    "a target without a slash": _get(b"Host: a", first=b"GET nothing HTTP/1.1"),
    "a star that is not for OPTIONS": _get(b"Host: a", first=b"GET * HTTP/1.1"),
    "another host in the target": _get(b"Host: a", first=b"GET http://b/ HTTP/1.1"),
    "a user in the target": _get(b"Host: a", first=b"GET http://b@a/ HTTP/1.1"),
    "another scheme in the target": _get(b"Host: a", first=b"GET file://a/ HTTP/1.1"),
    "CONNECT": _get(b"Host: a", first=b"CONNECT a:80 HTTP/1.1"),
    "a bad method": _get(b"Host: a", first=b"G(T / HTTP/1.1"),
    "many empty lines before": b"\r\n\r\n\r\n\r\n" + _get(b"Host: a"),
    "bare LF before": b"\n\n" + _get(b"Host: a"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01",
}
HEADERS: Final = {
    "a folded header": _get(b"Host: a", b"X: a", b" folded"),
    "a header folded by a tab": _get(b"Host: a", b"X: a", b"\tfolded"),
    "a folded first header": _get(b" X: a", b"Host: a"),
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF after a header": _get(b"Host: a", b"X: a\nY: b"),
    "bare LF at the end": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n\r\n",
    "bare CR after a header": b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
    "CR twice": _get(b"Host: a", b"X: a\r"),
    "NUL in a value": _get(b"Host: a", b"X: a\0b"),
    "NUL in a name": _get(b"Host: a", b"X\0: a"),
    "a vertical tab in a value": _get(b"Host: a", b"X: a\x0bb"),
    "a form feed in a value": _get(b"Host: a", b"X: a\x0cb"),
    "a space before the colon": _get(b"Host: a", b"X : a"),
    "a tab before the colon": _get(b"Host: a", b"X\t: a"),
    "a space in a name": _get(b"Host: a", b"X Y: a"),
    "a bracket in a name": _get(b"Host: a", b"X(: a"),
    "another letter in a name": _get(b"Host: a", b"\xe9: a"),
    "no name": _get(b"Host: a", b": a"),
    "no colon": _get(b"Host: a", b"X"),
}
LENGTHS: Final = {
    "a signed length": _post(b"Content-Length: +5"),
    "a negative length": _post(b"Content-Length: -1"),
    "an underscore in a length": _post(b"Content-Length: 0_5"),
    "a hexadecimal length": _post(b"Content-Length: 0x5"),
    "a fraction": _post(b"Content-Length: 5.0"),
    "an exponent": _post(b"Content-Length: 1e1"),
    "an empty length": _post(b"Content-Length:"),
    "a quoted length": _post(b'Content-Length: "5"'),
    "a wide digit": _post(b"Content-Length: \xef\xbc\x95"),
    "a length of two words": _post(b"Content-Length: 5 5"),
    "a list of lengths": _post(b"Content-Length: 0, 5"),
    "a list of equal lengths": _post(b"Content-Length: 0, 0"),
    "two lengths": _post(b"Content-Length: 5", b"Content-Length: 0"),
    "two equal lengths": _post(b"Content-Length: 0", b"content-length: 0"),
    "a space before the colon of a length": _post(b"Content-Length : 5"),
    "NUL in a length": _post(b"Content-Length: 5\0"),
    "a vertical tab before a length": _post(b"Content-Length:\x0b5"),
    "more digits than a length has": _post(b"Content-Length: " + b"9" * 21),
    "a length and chunks": _post(
        b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks and a length": _post(
        b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks in HTTP/1.0": _post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN, version=b"1.0"),
    "bytes after an upgrade": _get(b"Host: a", b"Upgrade: websocket", b"Connection: Upgrade")
    + b"\x81"
    + HIDDEN,
    "a body in an upgrade": _post(b"Upgrade: websocket", b"Content-Length: 1", body=b"x" + HIDDEN),
    "chunks in an upgrade": _post(
        b"Upgrade: websocket", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
}
CODINGS: Final = {
    "chunked twice": _post(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunked twice in a list": _post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n" + HIDDEN),
    "no coding": _post(b"Transfer-Encoding:", body=b"0\r\n\r\n" + HIDDEN),
    "a list that ends in a comma": _post(b"Transfer-Encoding: chunked,", body=b"0\r\n\r\n" + HIDDEN),
    "a vertical tab before chunked": _post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n" + HIDDEN),
    "NUL after chunked": _post(b"Transfer-Encoding: chunked\0", body=b"0\r\n\r\n" + HIDDEN),
    "a space before the colon of a coding": _post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + HIDDEN),
    "a folded coding": _post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n" + HIDDEN),
}
UNKNOWN_CODINGS: Final = {
    "an unknown coding": _post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + HIDDEN),
    "gzip": _post(b"Transfer-Encoding: gzip", body=b"0\r\n\r\n" + HIDDEN),
    "gzip, then chunked": _post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n" + HIDDEN),
    "chunked, then identity": _post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + HIDDEN),
    "chunked, and identity": _post(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + HIDDEN
    ),
    "quoted chunked": _post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n" + HIDDEN),
    "chunked with a parameter": _post(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n" + HIDDEN),
}
CHUNKS: Final = {
    "a hexadecimal prefix": _sized(b"0x" + _SIZE),
    "a signed size": _sized(b"+" + _SIZE),
    "a negative size": _sized(b"-" + _SIZE),
    "a space after the size": _sized(_SIZE + b" "),
    "a tab after the size": _sized(_SIZE + b"\t"),
    "a space before the size": _sized(b" " + _SIZE),
    "a vertical tab after the size": _sized(_SIZE + b"\x0b"),
    "an underscore in the size": _sized(b"0_" + _SIZE),
    "an empty size": _sized(b""),
    "a size that is no number": _sized(b"g"),
    "a wide digit in a size": _sized(b"\xef\xbc\x95"),
    "more digits than a size has": _sized(b"0" * 16 + _SIZE),
    "a size of two words": _sized(_SIZE + b" 0"),
    "a space before an extension": _sized(_SIZE + b" ;x=y"),
    "an extension without a name": _sized(_SIZE + b";"),
    "an extension without a value": _sized(_SIZE + b";x="),
    "an open quote": _sized(_SIZE + b';x="y'),
    "LF in an extension": _sized(_SIZE + b";x\ny"),
    "CR in an extension": _sized(_SIZE + b";x\ry"),
    "NUL in an extension": _sized(_SIZE + b";x=\0"),
    "an extension of 20 KB": _sized(_SIZE + b";" + b"x" * 20_000),
    "bare LF after the size": _chunked(_SIZE + b"\n" + HIDDEN + b"\r\n0\r\n\r\n"),
    "CR twice after the size": _sized(_SIZE + b"\r"),
    "bare LF after the data": _chunked(b"3\r\nabc\n0\r\n\r\n" + HIDDEN),
    "nothing after the data": _chunked(b"3\r\nabc0\r\n\r\n" + HIDDEN),
    "more data than the size": _chunked(b"3\r\nabcd\r\n0\r\n\r\n" + HIDDEN),
    "20,000 chunks of one byte": _chunked(b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n" + HIDDEN),
}
TRAILERS: Final = {
    "a folded trailer": _trailed(b"X: a\r\n b"),
    "a folded first trailer": _trailed(b" X: a"),
    "bare LF after a trailer": _trailed(b"X: a\nY: b"),
    "bare LF before the end": _chunked(b"3\r\nabc\r\n0\r\nX: a\n\r\n" + HIDDEN),
    "bare LF at the end of the trailers": _chunked(b"3\r\nabc\r\n0\r\n\n" + HIDDEN),
    "CR in a trailer": _trailed(b"X: a\rb"),
    "NUL in a trailer": _trailed(b"X: a\0"),
    "a space before the colon of a trailer": _trailed(b"X : a"),
    "a trailer without a colon": _trailed(b"X"),
    "a trailer without a name": _trailed(b": a"),
    "a length as a trailer": _trailed(b"Content-Length: 5"),
    "a coding as a trailer": _trailed(b"Transfer-Encoding: chunked"),
    "a host as a trailer": _trailed(b"Host: b"),
    "20 KB of trailers": _trailed(b"\r\n".join([b"X: " + b"a" * 500] * 40)),
}
# Nothing is wrong with these: what looks like a request is their body.
PLAIN: Final = {
    "a body": _post(b"Content-Length: %d" % len(HIDDEN)),
    "a body in chunks": _sized(_SIZE),
    "a body in chunks with an extension": _sized(_SIZE + b';x="y z"'),
}
_GROUPS: Final = (HOSTS, REQUEST_LINES, HEADERS, LENGTHS, CODINGS, CHUNKS, TRAILERS)

# By name, the request and the status that refuses it.
AMBIGUOUS: Final = {
    **{name: (data, 400) for group in _GROUPS for name, data in group.items()},
    **{name: (data, 501) for name, data in UNKNOWN_CODINGS.items()},
}
