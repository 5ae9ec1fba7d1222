"""A request travels once; its answer is bounded in time and size; a lost one is told from one never sent."""

from __future__ import annotations

import gzip
import socket
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flask_ecscart.ecs.transport import Reply, RequestsTransport
from flask_ecscart.ecs.xml import MAX_BYTES
from flask_ecscart.errors import MalformedReply, NotSent, OutcomeUnknown, TransportError

SECRET_QUERY = "HMAC=canary%2Bhmac%3D&AWSAccessKeyId=CANARYKEY&Signature=canarysignature"
# What the loopback's buffers hold beyond what the client has read.
BUFFERS = 8 * MAX_BYTES

Http = Callable[..., bytes]


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport(connect_timeout=2, read_timeout=0.3, deadline=1.0)
    yield made
    made.close()


def send(transport: RequestsTransport, endpoint: Any, *, method: str = "GET") -> Reply:
    return transport.send(method, f"{endpoint.url}?{SECRET_QUERY}", headers={"Host": f"127.0.0.1:{endpoint.port}"})


def assert_quiet(error: BaseException) -> None:
    assert "canary" not in f"{error!r} {error}".lower()
    assert (error.__cause__, error.__context__) == (None, None)


# --- What travels --------------------------------------------------------------------------------------------


def test_a_get_arrives_with_its_query_to_the_byte_and_without_the_private_header(
    endpoint: Any, transport: RequestsTransport, answer_with: Http
) -> None:
    endpoint.says(answer_with(b"<a/>"))
    reply = send(transport, endpoint)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"<a/>", "text/xml;charset=UTF-8")
    (request,) = endpoint.requests
    head = request.decode("ascii").split("\r\n")
    assert head[0] == f"GET /onca/xml?{SECRET_QUERY} HTTP/1.1"
    assert sorted(line.partition(":")[0].lower() for line in head[1:] if line) == [
        "accept-encoding",
        "host",
        "user-agent",
    ]
    assert request.count(b"canarysignature") == 1


def test_a_post_carries_the_query_as_its_form(endpoint: Any, transport: RequestsTransport, answer_with: Http) -> None:
    endpoint.says(answer_with(b"<a/>"))
    send(transport, endpoint, method="POST")
    head, _, body = endpoint.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /onca/xml HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert body.decode() == SECRET_QUERY


def test_cookies_are_neither_kept_nor_sent(endpoint: Any, transport: RequestsTransport, answer_with: Http) -> None:
    endpoint.says(answer_with(b"<a/>", headers=("Set-Cookie: session=canary; Path=/",)))
    send(transport, endpoint)
    send(transport, endpoint)
    assert len(endpoint.requests) == 2
    assert b"cookie" not in endpoint.requests[1].lower()


def test_nothing_is_taken_from_the_environment(
    endpoint: Any,
    transport: RequestsTransport,
    answer_with: Http,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        endpoint.says(answer_with(b"<a/>"))
        assert send(transport, endpoint).status == 200
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert b"authorization" not in endpoint.requests[0].lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_comes_back_as_it_is_and_its_target_stays_silent(
    endpoint: Any, transport: RequestsTransport, answer_with: Http, status: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0)
        target = f"Location: http://127.0.0.1:{elsewhere.getsockname()[1]}/onca/xml"
        endpoint.says(answer_with(b"", status=status, headers=(target,)))
        assert send(transport, endpoint).status == int(status[:3])
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert endpoint.connections == 1


@pytest.mark.parametrize("status", ["400 Bad", "403 No", "410 Gone", "429 Slow", "500 Error", "503 Busy"])
def test_any_status_is_an_answer_and_none_is_tried_again(
    endpoint: Any, transport: RequestsTransport, answer_with: Http, status: str
) -> None:
    endpoint.says(answer_with(b"<a/>", status=status, headers=("Retry-After: 0",)))
    assert send(transport, endpoint).status == int(status[:3])
    assert len(endpoint.requests) == 1


def test_a_connection_is_used_again(endpoint: Any, transport: RequestsTransport) -> None:
    endpoint.keep_alive = True
    endpoint.says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>")
    assert [send(transport, endpoint).body for _ in range(3)] == [b"<a/>"] * 3
    assert (endpoint.connections, len(endpoint.requests)) == (1, 3)
    transport.close()
    send(transport, endpoint)
    assert endpoint.connections == 2


def test_threads_share_a_transport_and_each_gets_its_own_answer(endpoint: Any, answer_with: Http) -> None:
    def echo(conn: socket.socket) -> None:
        conn.sendall(answer_with(b"ok"))

    endpoint.answer = echo
    transport = RequestsTransport()
    numbers = range(60)

    def ask(number: int) -> bytes:
        return transport.send("POST", f"{endpoint.url}?n={number}", headers={}).body

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, numbers)) == [b"ok"] * 60
    transport.close()
    asked = sorted(int(request.rpartition(b"n=")[2]) for request in endpoint.requests)
    assert asked == list(numbers)


FORKS = """
import os, sys
from flask_ecscart.ecs.transport import RequestsTransport
transport = RequestsTransport()
def ask(): assert transport.send("GET", sys.argv[1], headers={}).status == 200
ask()
child = os.fork()
ask()
if child:
    assert os.waitpid(child, 0)[1] == 0
    ask()
os._exit(0)
"""


def test_a_forked_process_opens_a_connection_of_its_own(endpoint: Any) -> None:
    endpoint.keep_alive = True
    endpoint.says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>")
    ended = subprocess.run([sys.executable, "-c", FORKS, endpoint.url], check=False, timeout=30)
    assert ended.returncode == 0
    assert (endpoint.connections, len(endpoint.requests)) == (2, 4)


# --- Never sent ----------------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    "base",
    [
        pytest.param(lambda: f"http://127.0.0.1:{closed_port()}", id="nobody listens"),
        pytest.param(lambda: f"https://127.0.0.1:{closed_port()}", id="nobody listens, TLS"),
        pytest.param(lambda: "http://nowhere.invalid", id="no such name"),
        pytest.param(lambda: "https://nowhere.invalid", id="no such name, TLS"),
    ],
)
def test_without_a_connection_nothing_was_sent(transport: RequestsTransport, base: Callable[[], str]) -> None:
    with pytest.raises(NotSent) as caught:
        transport.send("GET", f"{base()}/onca/xml?{SECRET_QUERY}", headers={})
    assert_quiet(caught.value)


def test_a_failed_tls_handshake_sent_nothing_and_is_tried_once_more(
    endpoint: Any, transport: RequestsTransport
) -> None:
    def never(conn: socket.socket) -> None:
        raise AssertionError("a handshake holds no HTTP request")

    endpoint.answer = never
    endpoint.close_at_once = True
    with pytest.raises(NotSent) as caught:
        transport.send("GET", f"https://127.0.0.1:{endpoint.port}/onca/xml?{SECRET_QUERY}", headers={})
    assert_quiet(caught.value)
    assert (endpoint.connections, endpoint.requests) == (2, [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that only itself vouches for, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-days", "1", "-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *written]
    made = subprocess.run(command, check=False, capture_output=True)
    assert made.returncode == 0, made.stderr
    return certificate, key


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(
    certificate: tuple[Path, Path], endpoint: Any, transport: RequestsTransport, answer_with: Http
) -> None:
    endpoint.serve_tls(*certificate)
    endpoint.says(answer_with(b"<a/>"))
    with pytest.raises(NotSent) as caught:
        transport.send("GET", f"https://127.0.0.1:{endpoint.port}/onca/xml?{SECRET_QUERY}", headers={})
    assert_quiet(caught.value)
    assert endpoint.requests == []


def test_over_tls_a_request_arrives_whole_and_the_deadline_holds(
    certificate: tuple[Path, Path], endpoint: Any, answer_with: Http
) -> None:
    endpoint.serve_tls(*certificate)
    transport = RequestsTransport(read_timeout=0.3, deadline=1.0, ca_bundle=str(certificate[0]))
    url = f"https://127.0.0.1:{endpoint.port}/onca/xml?{SECRET_QUERY}"
    endpoint.says(answer_with(b"<a/>" * 1000))
    assert transport.send("GET", url, headers={}).body == b"<a/>" * 1000
    assert endpoint.requests[0].startswith(f"GET /onca/xml?{SECRET_QUERY} HTTP/1.1".encode())
    endpoint.answer = lambda conn: DRIPS["headers"](endpoint, conn)
    with pytest.raises(OutcomeUnknown) as caught:
        transport.send("GET", url, headers={})
    assert_quiet(caught.value)
    assert len(endpoint.requests) == 2
    transport.close()


# --- Sent, and the answer lost -------------------------------------------------------------------------------


def silence(endpoint: Any, conn: socket.socket) -> None:
    endpoint.stopped.wait(5)


def close(endpoint: Any, conn: socket.socket) -> None:
    return


def reset(endpoint: Any, conn: socket.socket) -> None:
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_within_the_body(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<CartGet")
    reset(endpoint, conn)


def truncate(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<CartGet")


def truncate_a_chunk(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n<CartGet")


def break_the_chunks(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n<CartGet")


def stall_a_chunk(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n<CartGet")
    endpoint.stopped.wait(5)


def stall_the_headers(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    endpoint.stopped.wait(5)


def speak_no_http(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"220 mail.example ESMTP\r\n")


def too_many_headers(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n")


def one_header_without_end(endpoint: Any, conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000)


LOST = [
    silence,
    close,
    reset,
    reset_within_the_body,
    truncate,
    truncate_a_chunk,
    break_the_chunks,
    stall_a_chunk,
    stall_the_headers,
    speak_no_http,
    too_many_headers,
    one_header_without_end,
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault.__name__)
def test_a_lost_answer_leaves_the_outcome_unknown_and_the_request_is_sent_once(
    endpoint: Any, transport: RequestsTransport, fault: Callable[[Any, socket.socket], None]
) -> None:
    endpoint.answer = lambda conn: fault(endpoint, conn)
    with pytest.raises(OutcomeUnknown) as caught:
        send(transport, endpoint)
    assert_quiet(caught.value)
    assert len(endpoint.requests) == 1


def drip(start: bytes, piece: bytes) -> Callable[[Any, socket.socket], None]:
    def answer(endpoint: Any, conn: socket.socket) -> None:
        conn.sendall(start)
        # Far more often than the read timeout, so that only the deadline can end it.
        for _ in range(400):
            endpoint.stopped.wait(0.02)
            conn.sendall(piece)
        endpoint.requests.append(b"the client stayed to the end")

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status line": drip(b"HTTP/1.1 200 ", b"O"),
    "headers": drip(OK + b"X-A: ", b"b"),
    "body with a length": drip(OK + b"Content-Length: 100000\r\n\r\n", b"x"),
    "body without a length": drip(OK + b"\r\n", b"x"),
    "one chunk": drip(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFF\r\n", b"x"),
    "many chunks": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "size of a chunk": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "interim answers": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "empty gzip blocks": drip(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff"),
}


@pytest.mark.parametrize("where", DRIPS)
def test_an_answer_that_drips_ends_at_the_deadline(endpoint: Any, transport: RequestsTransport, where: str) -> None:
    endpoint.answer = lambda conn: DRIPS[where](endpoint, conn)
    with pytest.raises(OutcomeUnknown) as caught:
        send(transport, endpoint)
    assert_quiet(caught.value)
    assert len(endpoint.requests) == 1


# --- Answers that are too much, or not what was asked --------------------------------------------------------


def endless(head: bytes, piece: bytes) -> Callable[[Any, socket.socket], None]:
    def answer(endpoint: Any, conn: socket.socket) -> None:
        conn.sendall(head)
        while not endpoint.stopped.is_set():
            endpoint.write(conn, piece)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(endless(OK + b"\r\n", b"x" * 4096), id="plain"),
        pytest.param(endless(OK + b"Content-Length: 50000000\r\n\r\n", b"x" * 4096), id="50 MB announced"),
        pytest.param(
            endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"), id="chunked"
        ),
        pytest.param(
            endless(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff" * 800),
            id="gzip that yields nothing",
        ),
        pytest.param(
            endless(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"<a/>"), b"x" * 4096), id="behind a gzip"
        ),
    ],
)
def test_of_a_body_without_end_only_the_cap_is_read(
    endpoint: Any, answer_with: Http, answer: Callable[[Any, socket.socket], None]
) -> None:
    # No deadline to speak of: it is the cap that must stop it.
    transport = RequestsTransport(read_timeout=5, deadline=60)
    endpoint.answer = lambda conn: answer(endpoint, conn)
    with pytest.raises(MalformedReply) as caught:
        send(transport, endpoint)
    transport.close()
    assert_quiet(caught.value)
    assert endpoint.sent < BUFFERS


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_answer_is_read_up_to_the_cap_and_not_beyond(
    endpoint: Any,
    transport: RequestsTransport,
    answer_with: Http,
    encoding: str,
    compress: Callable[[bytes], bytes],
) -> None:
    header = f"Content-Encoding: {encoding}"
    endpoint.says(answer_with(compress(b"x" * MAX_BYTES), headers=(header,)))
    assert len(send(transport, endpoint).body) == MAX_BYTES
    endpoint.says(answer_with(compress(b"x" * (MAX_BYTES + 1)), headers=(header,)))
    with pytest.raises(MalformedReply, match="larger than"):
        send(transport, endpoint)


def test_a_gzip_bomb_is_not_inflated(endpoint: Any, transport: RequestsTransport, answer_with: Http) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)
    endpoint.says(answer_with(bomb, headers=("Content-Encoding: gzip",)))
    tracemalloc.start()
    try:
        with pytest.raises(MalformedReply, match="larger than"):
            send(transport, endpoint)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MAX_BYTES


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(b"<a/>")[:-3], id="cut off"),
        pytest.param("gzip", b"<a/>", id="no gzip"),
        pytest.param("gzip", b"", id="empty gzip"),
        pytest.param("br", b"<a/>", id="brotli"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(b"<a/>")), id="twice"),
        pytest.param("zstd", b"<a/>", id="zstd"),
    ],
)
def test_an_encoding_that_is_damaged_or_was_not_asked_for_is_malformed(
    endpoint: Any, transport: RequestsTransport, answer_with: Http, encoding: str, body: bytes
) -> None:
    endpoint.says(answer_with(body, headers=(f"Content-Encoding: {encoding}",)))
    with pytest.raises(MalformedReply) as caught:
        send(transport, endpoint)
    assert_quiet(caught.value)


def test_a_header_with_a_line_break_never_reaches_the_wire(endpoint: Any, transport: RequestsTransport) -> None:
    with pytest.raises(TransportError) as caught:
        transport.send("GET", f"{endpoint.url}?{SECRET_QUERY}", headers={"Host": "a\r\nX-Evil: b"})
    assert_quiet(caught.value)
    assert endpoint.connections == 0


def test_a_reply_shows_neither_body_nor_headers() -> None:
    shown = repr(Reply(200, {"x-echo": "canary"}, b"canary"))
    assert shown == "Reply(status=200, 6 bytes)"
