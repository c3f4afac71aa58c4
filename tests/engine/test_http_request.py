"""The gate: what is ambiguous is refused, wherever the bytes are cut."""

import gc

import h11
import pytest

from chatroom.engine.http_request import Refusal, Request, RequestReader, Stage
from chatroom.engine.http_response import response
from tests.support.ambiguous import AMBIGUOUS, PLAIN

GET = b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a.example:5000\r\nX-One: 1\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
)


def reader() -> RequestReader:
    return RequestReader(max_head_bytes=1000, max_body_bytes=100)


def read(data: bytes) -> Request | None:
    return reader().feed(data)


def head(*lines: bytes, target: bytes = b"/") -> bytes:
    return b"\r\n".join((b"GET " + target + b" HTTP/1.1", *lines, b"", b""))


def test_a_request_is_read() -> None:
    request = read(GET)
    assert request is not None
    assert (request.method, request.path, request.query) == ("GET", "/socket.io/", "EIO=4")
    assert request.header(b"x-one") == "1"
    assert request.header(b"none") == ""
    assert request.keep_alive


@pytest.mark.parametrize("data", [GET, POST, CHUNKED])
def test_a_request_is_the_same_wherever_it_is_cut(data: bytes) -> None:
    whole = read(data)
    assert whole is not None
    for cut in range(1, len(data)):
        gate = reader()
        assert gate.feed(data[:cut]) is None
        assert gate.feed(data[cut:]) == whole
    gate = reader()
    assert [gate.feed(data[i : i + 1]) for i in range(len(data))][-1] == whole


@pytest.mark.parametrize("data", [POST, CHUNKED])
def test_a_body_is_read_whole(data: bytes) -> None:
    request = read(data)
    assert request is not None
    assert request.body == b"hello"


def answers(gate: RequestReader, data: bytes, step: int) -> list[Request | str | None]:
    """What the reader makes of the bytes, fed so many at a time."""
    try:
        return [gate.feed(data[start : start + step]) for start in range(0, len(data), step)]
    except Refusal as refused:
        return [f"{refused.status} {refused.reason}"]


@pytest.mark.parametrize("step", [1_000_000, 7], ids=["whole", "in sevens"])
def test_known_header_lines_change_no_answer(step: int) -> None:
    first_lines = [
        b"GET /socket.io/?EIO=4&t=a%20b+c HTTP/1.1",
        b"GET /? HTTP/1.1",
        b"GET /a??b HTTP/1.1",
        b"GET /%3f@!~ HTTP/1.1",
        b"\r\n\r\nGET / HTTP/1.1",
        b"\r\n\r\n\r\nGET / HTTP/1.1",
        b"GET /a#b HTTP/1.1",
        b"GET /?a#b HTTP/1.1",
        b"GET /a\xe9 HTTP/1.1",
        b"GET /a\x7f HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET  / HTTP/1.1",
        b"GET a HTTP/1.1",
        b"GET * HTTP/1.1",
        b"GET http://a.example:5000/x HTTP/1.1",
        b"GET http://b/x HTTP/1.1",
        b"GET /?" + b"&" * 40 + b" HTTP/1.1",
        b"GET /" + b"a" * 1000 + b" HTTP/1.1",
        b"GET / HTTP/1.0",
        b"GET / HTTP/3.7",
        b"GET / HTTP/1.1 ",
        b"GET / HTTP/1.1\r\nHost: b",
        b"GET / HTTP/1.1\r\n folded",
        b"GET / HTTP/1.1\r\nContent-Length: 5",
        b"GET / HTTP/1.1\r\nConnection: close",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\nX: y",
        b"GET / HTTP/1.1\r",
        b"HEAD / HTTP/1.1",
        b"get / HTTP/1.1",
        b"POST / HTTP/1.1",
        b"",
    ]
    lines = GET[GET.index(b"\r\n") :]
    requests = [*(first + lines for first in first_lines), GET + GET, GET + b"\r\n", GET[:-2]]
    requests += [data for data, _ in AMBIGUOUS.values()] + list(PLAIN.values())
    for data in requests:
        gate = reader()
        known = gate.feed(GET)
        assert known is not None
        gate.remember(known)
        fresh = reader()
        assert answers(gate, data, step) == answers(fresh, data, step), data
        assert gate.holds_bytes is fresh.holds_bytes


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Has one more item for each head that is checked in full."""
    done: list[None] = []

    class Counted(h11.Connection):
        def receive_data(self, data: bytes) -> None:
            done.append(None)
            super().receive_data(data)

    monkeypatch.setattr(h11, "Connection", Counted)
    return done


def test_known_header_lines_are_not_checked_again(checks: list[None]) -> None:
    gate = reader()
    known = gate.feed(GET)
    assert known is not None
    gate.remember(known)
    for target in (b"/socket.io/?EIO=4&t=1", b"/other"):
        same = gate.feed(b"GET " + target + GET[GET.index(b" HTTP") :])
        assert same is not None
        assert same.headers == known.headers
        gate.remember(same)
    assert len(checks) == 1
    other = gate.feed(GET.replace(b"X-One: 1", b"X-One: 2"))
    assert other is not None
    assert other.header(b"x-one") == "2"
    assert len(checks) == 2


def kept_by(one: object) -> str:
    """All bytes and strings that an object keeps, itself or through others."""
    found: list[str] = []
    seen, waiting = set[int](), [one]
    while waiting:
        each = waiting.pop()
        if isinstance(each, (bytes, bytearray, str)):
            found.append(repr(each))
        elif id(each) not in seen and not isinstance(each, type):
            seen.add(id(each))
            waiting += gc.get_referents(each)
    return " ".join(found)


def test_no_header_of_a_remembered_request_is_kept() -> None:
    gate = reader()
    data = head(b"Host: a", b"Cookie: my-cookie", b"User-Agent: my-browser", b"X-Forwarded-For: 192.0.2.7")
    for target in (b"/one ", b"/two "):
        request = gate.feed(data.replace(b"/ ", target, 1))
        assert request is not None
        assert "my-cookie" in kept_by(request)
        gate.remember(request)
        kept = kept_by(gate)
        assert not any(value in kept for value in ("my-cookie", "my-browser", "192.0.2.7"))
        request.forget_headers()
        assert "my-cookie" not in kept_by(request)


@pytest.mark.parametrize(
    "data",
    [
        POST,
        head(b"Host: a", b"Connection: close"),
        head(b"Host: a", b"Content-Length: 0"),
        b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        head(b"Host: a", b"Cookie: " + b"a" * 4096),
    ],
)
def test_only_a_short_plain_get_is_remembered(data: bytes, checks: list[None]) -> None:
    gate, fresh = (RequestReader(max_head_bytes=16_384, max_body_bytes=100) for _ in range(2))
    known = gate.feed(data)
    assert known is not None
    gate.remember(known)
    again = b"GET / HTTP/1.1" + data[data.index(b"\r\n") :]
    before = len(checks)
    got = answers(gate, again, 10_000)
    assert len(checks) == before + 1
    assert got == answers(fresh, again, 10_000)


def test_what_follows_a_request_waits() -> None:
    gate = reader()
    assert gate.feed(POST + GET + POST[:20]) is not None
    second = gate.proceed()
    assert second is not None
    assert second.path == "/socket.io/"
    assert gate.proceed() is None
    stages = [gate.stage]
    assert gate.feed(POST[20:]) is not None
    assert gate.proceed() is None
    assert [*stages, gate.stage] == [Stage.HEAD, Stage.EMPTY]


def outcome(data: bytes, step: int) -> int:
    """The status that refuses the bytes, fed so many at a time; 200 if they are read."""
    gate = RequestReader(max_head_bytes=16_384, max_body_bytes=100_000)
    try:
        for start in range(0, len(data), step):
            gate.feed(data[start : start + step])
    except Refusal as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("step", [1_000_000, 7, 1], ids=["whole", "in sevens", "by the byte"])
def test_what_two_servers_could_read_differently_is_refused(step: int) -> None:
    assert len(AMBIGUOUS) >= 104
    wrong = {
        name: got for name, (data, status) in AMBIGUOUS.items() if (got := outcome(data, step)) != status
    }
    assert wrong == {}
    assert {outcome(data, step) for data in PLAIN.values()} == {200}


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"a.example:5000",
        b"A-b_c.example.",
        b"127.0.0.1:0",
        b"[::1]",
        b"[2001:db8::1]:65535",
        b"[fe80::1%25eth0]",
    ],
)
def test_a_plain_host_is_read(host: bytes) -> None:
    request = read(head(b"Host: " + host))
    assert request is not None
    assert request.header(b"host") == host.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b'05;a;b=c;d="e f;"\r\nhello\r\n00\r\n\r\n',
        b"1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\nX-Sum: a b\r\nY:\r\n\r\n",
    ],
)
def test_chunks_are_read_up_to_their_end(body: bytes) -> None:
    gate = reader()
    request = gate.feed(head(b"Host: a", b"Transfer-Encoding: Chunked") + body + GET)
    assert request is not None
    assert request.body == b"hello"
    assert gate.proceed() == read(GET)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (head(b"Host: a", *[b"a:"] * 99), 200),
        (head(b"Host: a", *[b"a:"] * 100), 431),
        (head(b"Host: a", *[b"a:"] * 99, b"Content-Length: 1") + b"x", 431),
        (head(b"Host: a", target=b"/?" + b"&".join([b"a=1"] * 32)), 200),
        (head(b"Host: a", target=b"/?" + b"&".join([b"%61=1"] * 33)), 400),
        (head(b"Host: a", target=b"/?" + b"&" * 16_000), 400),
        (head(b"Host: a", b"Transfer-Encoding: chunked") + b"1\r\na\r\n" * 63 + b"0\r\n\r\n", 200),
        (head(b"Host: a", b"Transfer-Encoding: chunked") + b"1\r\na\r\n" * 64 + b"0\r\n\r\n", 400),
        (
            head(b"Host: a", b"Transfer-Encoding: chunked")
            + (b"200\r\n" + b"a" * 512 + b"\r\n") * 190
            + b"0\r\n\r\n",
            200,
        ),
    ],
    ids=[
        "100 header lines",
        "101 header lines",
        "101 header lines before a body",
        "32 parameters",
        "33 parameters",
        "16,000 empty parameters",
        "64 chunks of a byte",
        "65 chunks of a byte",
        "190 chunks of 512 bytes",
    ],
)
@pytest.mark.parametrize("step", [1_000_000, 7], ids=["whole", "in sevens"])
def test_a_request_has_a_bounded_number_of_parts(data: bytes, status: int, step: int) -> None:
    assert outcome(data, step) == status


def test_of_a_repeated_parameter_the_first_counts() -> None:
    request = read(head(b"Host: a", target=b"/?sid=a%20b+c&sid=d&x"))
    assert request is not None
    assert request.parameters == {"sid": "a b c", "x": ""}


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(Refusal):
        read(b"GET / HTTP/3.7\r\nHost: a\r\n\r\n")


def test_a_head_is_bounded_even_if_it_never_ends() -> None:
    gate = reader()
    for _ in range(62):
        assert gate.feed(b"GET / HTTP/1.1\r\n") is None
    with pytest.raises(Refusal) as refused:
        gate.feed(b"GET / HTTP/1.1\r\n")
    assert refused.value.status == 431


@pytest.mark.parametrize(
    "data",
    [
        head(b"Host: a", b"Content-Length: 101"),
        head(b"Host: a", b"Content-Length: " + b"9" * 20),
        head(b"Host: a", b"Transfer-Encoding: chunked") + b"65\r\n" + b"x" * 101,
    ],
)
def test_a_body_is_bounded_before_it_is_kept(data: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read(data)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("version", "connection", "keeps"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: x, Close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
    ],
)
def test_a_connection_lives_on_as_its_version_and_header_say(
    version: bytes, connection: bytes, keeps: bool
) -> None:
    request = read(b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + connection + b"\r\n")
    assert request is not None
    assert request.keep_alive is keeps


def test_an_absolute_target_names_its_path() -> None:
    request = read(head(b"Host: a.example", target=b"http://A.example/x?y"))
    assert request is not None
    assert (request.path, request.query) == ("/x", "y")


def test_a_client_that_waits_for_100_is_known() -> None:
    gate = reader()
    data = b"POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    assert gate.feed(data) is None
    assert gate.wants_continue
    assert gate.feed(b"hello") is not None
    assert not gate.wants_continue


def test_empty_lines_before_a_request_are_skipped() -> None:
    assert read(b"\r\n" + GET) is not None
    gate = reader()
    assert gate.feed(b"\r") is None
    assert gate.feed(b"\n" + GET) is not None


def test_the_lines_of_a_repeated_header_keep_their_order() -> None:
    request = read(head(b"Host: a", b"X-One: 1,  2", b"X_Two: 3", b"x-one:B\xe9 ", b"Content-Type: 4"))
    assert request is not None
    assert request.values(b"x-one") == ["1,  2", "B\xe9"]
    assert request.header(b"x-one") == "B\xe9"
    assert request.tokens(b"x-one") == ["1", "2", "b\xe9"]
    assert (request.values(b"none"), request.header(b"none"), request.tokens(b"none")) == ([], "", [])
    environ = request.environ("192.0.2.1")
    assert (environ["HTTP_X_ONE"], environ["CONTENT_TYPE"]) == ("1,  2,B\xe9", "4")
    assert "HTTP_X_TWO" not in environ


def test_a_response_to_head_has_a_length_and_no_body() -> None:
    whole = response(200, b"ok")
    assert b"\r\nContent-Length: 2\r\nConnection: keep-alive\r\n" in whole
    assert whole.endswith(b"\r\n\r\nok")
    head_only = response(400, b"no", keep_alive=False, without_body=True)
    assert b"\r\nContent-Length: 2\r\nConnection: close\r\n" in head_only
    assert head_only.endswith(b"\r\n\r\n")


def test_a_response_says_who_may_have_it() -> None:
    for cross_origin, site in ((False, b"same-origin"), (True, b"cross-origin")):
        lines = response(200, b"ok", cross_origin=cross_origin).split(b"\r\n")
        assert [line for line in lines if line.startswith(b"Cross-Origin")] == [
            b"Cross-Origin-Resource-Policy: " + site
        ]
