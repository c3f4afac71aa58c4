"""The built page: its files, which WhiteNoise finds, its document, its manifests, and the table of commands.

It knows the folder of the build and the headers for browsers, and of chat only its commands.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from wsgiref.headers import Headers
from wsgiref.types import WSGIApplication

from whitenoise import WhiteNoise

from chatroom.core.commands import COMMANDS
from chatroom.core.errors import Refusal
from chatroom.gateways.http.manifest import manifest, room_of

# Scripts come only from here, and only Svelte's own templates become markup. Styles may be inline: the page sets the
# colours of names and the heights of elements. `connect-src 'self'` covers WebSockets in every supported browser.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types svelte-trusted-html chatroom-worker",
    )
)
_HEADERS: Final = (("Content-Security-Policy", _POLICY),)
_SHORT_S: Final = 300  # how long browsers may cache files without a hash in their name
_ASKED_EACH_TIME: Final = ("/sw.js",)  # otherwise an old worker would stay for that long
_MANIFEST: Final = "/manifest.webmanifest"
# Where the page's files are, as seen from the document: a proxy may have put any path before both.
_BASE: Final = '<base href="./" />'  # as it is in web/index.html
_DOCUMENTS: Final = (
    (re.compile("/"), "./"),
    (re.compile("/r/[^/]+"), "../"),
    (re.compile("/r/[^/]+/"), "../../"),
)


class BuiltPage:
    """The files that a browser requests to show the chat.

    They are small, and are read once: an answer that waits for a slow reader holds neither an open file nor a copy.

    Args:
        folder: that of the build; without it, nothing is found.
    """

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Any] = {}
        self._contents: dict[str, bytes] = {}  # of each file, and of its compressed variants
        self._documents: list[tuple[re.Pattern[str], _Document]] = []
        self._commands: _Document | None = None
        source = folder / "index.html"
        if not source.is_file():
            return
        found = WhiteNoise(
            None,
            root=folder,
            prefix="/",
            max_age=_SHORT_S,
            allow_all_origins=False,
            immutable_file_test=r"^/assets/",
            add_headers_function=_add_headers,
        )
        self._files = {
            url: file
            for url, file in found.files.items()
            if url != "/index.html" and not url.startswith("/.")
        }
        for file in self._files.values():
            for _, path, _ in file.alternatives:
                self._contents[path] = Path(path).read_bytes()
        html = source.read_text(encoding="utf-8")
        for paths, base in _DOCUMENTS:
            body = html.replace(_BASE, f'<base href="{base}" />', 1).encode()
            self._documents.append((paths, _Document(body, "text/html; charset=utf-8")))
        self._commands = _Document(_commands(), "application/json")

    def find(self, path: str) -> WSGIApplication | None:
        """The application for a path without its base, or None."""
        for paths, document in self._documents:
            if paths.fullmatch(path):
                return document
        if path == "/commands.json":
            return self._commands
        if path == _MANIFEST and self._documents:
            return _answer_manifest
        file = self._files.get(path)
        return None if file is None else partial(_answer_file, file, self._contents)


class _Document:
    """A document that is made once; browsers ask for it each time, and receive it only if it has changed."""

    def __init__(self, body: bytes, kind: str) -> None:
        self._kind = kind
        self._bodies = {"identity": body, "gzip": gzip.compress(body, mtime=0)}
        digest = hashlib.sha256(body).hexdigest()[:20]
        self._tags = {coding: f'"{digest}-{coding}"' for coding in self._bodies}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response(
                "405 Method Not Allowed", [("Allow", "GET, HEAD"), ("Content-Length", "0"), *_HEADERS]
            )
            return []
        coding = "gzip" if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") else "identity"
        tag, body = self._tags[coding], self._bodies[coding]
        headers = [("ETag", tag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding"), *_HEADERS]
        if tag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", headers)
            return []
        headers += [("Content-Type", self._kind), ("Content-Length", str(len(body)))]
        if coding != "identity":
            headers.append(("Content-Encoding", coding))
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _answer_file(
    file: Any, contents: dict[str, bytes], environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer with a file whose headers WhiteNoise knows."""
    environ.pop("HTTP_RANGE", None)  # which a server may ignore
    method = environ["REQUEST_METHOD"]
    answer = file.get_response("HEAD" if method == "GET" else method, environ)  # which opens nothing
    start_response(f"{answer.status} {answer.status.phrase}", list(answer.headers))
    if method != "GET" or answer.status != HTTPStatus.OK:
        return []
    path, _ = file.get_path_and_headers(environ)
    return [contents[path]]


def _answer_manifest(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the manifest of the room in the query."""
    try:
        room = room_of(environ.get("QUERY_STRING", ""))
    except Refusal:
        body = b"that room name cannot be used\n"
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            *_HEADERS,
        ]
        start_response("400 Bad Request", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
    root = environ["PATH_INFO"].removesuffix(_MANIFEST) + "/"
    return _Document(manifest(room, root), "application/manifest+json")(environ, start_response)


def _commands() -> bytes:
    """The commands that work in a page, which completes them: `[{usage, help: {language: text}}]`."""
    table = [
        {"usage": record.usage, "help": dict(record.help)} for record in COMMANDS if not record.line_only
    ]
    return json.dumps(table, ensure_ascii=False).encode()


def _add_headers(headers: Headers, path: str, url: str) -> None:
    for name, value in _HEADERS:
        headers[name] = value
    if url in _ASKED_EACH_TIME:
        headers["Cache-Control"] = "no-cache"
