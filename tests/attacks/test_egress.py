"""The way out: what a URL may be, what a name may lead to, and that nothing on the way changes where a request goes."""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from gnomon_server.egress.addresses import Address, Allowed, EgressRefused, is_reachable, parse_allowed, parse_target
from gnomon_server.egress.client import Egress, Undelivered
from tests.support.receiver import OK, Receiver

OPEN = Allowed()
REFUSED_URLS = [
    # Other spellings of 127.0.0.1 and of the metadata service.
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/",
    "https://127.0.1/", "https://017700000001/", "https://127.0.0.1/", "https://127.0.0.1./", "https://0/",
    "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a00:1]/", "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/", "https://[2001:0:7f00:1::]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/",
    "https://[100::1]/", "https://[3fff::1]/", "https://[5f00::1]/",
    "https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://0xa9fea9fe/", "https://[fd00:ec2::254]/",
    # Networks that are nobody's public address.
    "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/", "https://100.64.0.1/",
    "https://100.127.255.255/", "https://198.18.0.1/", "https://192.0.0.8/", "https://192.0.2.1/", "https://198.51.100.1/",
    "https://203.0.113.1/", "https://192.88.99.1/", "https://224.0.0.1/", "https://239.255.255.250/", "https://240.0.0.1/",
    "https://255.255.255.255/",
    # What two parsers would read differently.
    "https://hooks.example.com@127.0.0.1/", "https://127.0.0.1@hooks.example.com/", "https://user:secret@example.com/",
    "https://example.com#@127.0.0.1/", "https://example.com\\@127.0.0.1/", "https:\\\\127.0.0.1/", "https:///127.0.0.1/",
    "https:127.0.0.1/", "//127.0.0.1/", "https://example.com:443@127.0.0.1/", "https://exa mple.com/",
    "https://example.com/\r\nHost: 127.0.0.1", "https://example.com/\tx", "https://example.com/\nx", " https://example.com/",
    "https://example.com/\x00", "https://example.com/é", "https://ⓔxample.com/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/",
    "https://example.com/#fragment", "https://example.com:0/", "https://example.com:65536/", "https://example.com:99999/",
    "https://example.com:0443/", "https://example.com:/", "https://example.com:22/", "https://example.com:25/",
    "https://[::1/", "https://::1/", "https://.example.com/", "https://example..com/", "https://-a.example.com/",
    "https://example.com./", "https://example.0x1/", "https://" + "a" * 64 + ".com/",
    "https://example.com/" + "a" * 2_048,
    "https://%31%32%37.0.0.1/", "https://example.com%2f@127.0.0.1/",
    # Other schemes, and http where nobody allowed it.
    "http://example.com/", "http://93.184.215.14/", "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x",
    "javascript:alert(1)", "unix:/var/run/docker.sock", "", "https://", "https",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(EgressRefused):
        parse_target(url, OPEN)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "hooks.slack.com", "/services/T0/B0/x"),
        ("HTTPS://Hooks.Example.COM:8443/a?b=c&d=%20", "hooks.example.com:8443", "/a?b=c&d=%20"),
        ("https://example.com?x=1", "example.com", "/?x=1"),
        ("https://93.184.215.14", "93.184.215.14", "/"),
        ("https://[2606:2800:21f:cb07::1]:2443/x", "[2606:2800:21f:cb07::1]:2443", "/x"),
        ("https://a_b.example.com/", "a_b.example.com", "/"),
    ],
)
def test_a_public_url_is_read_as_it_stands(url: str, authority: str, path: str) -> None:
    target = parse_target(url, OPEN)
    assert (target.authority, target.path) == (authority, path)


def test_what_an_operator_lists_is_reachable_and_nothing_beside_it() -> None:
    allowed = parse_allowed(["10.1.0.0/16", "127.0.0.1", "hooks.internal", "fd00::/8"])
    for url in ("http://10.1.2.3:9000/x", "https://10.1.2.3/", "http://127.0.0.1:80/", "http://hooks.internal/x"):
        parse_target(url, allowed)
    for url in ("http://10.2.0.1/", "https://127.0.0.2/", "http://other.internal/", "https://[::ffff:10.1.2.3]/"):
        with pytest.raises(EgressRefused):
            parse_target(url, allowed)
    private, metadata = ip_address("10.9.9.9"), ip_address("169.254.169.254")
    assert is_reachable(private, "hooks.internal", allowed)
    assert not is_reachable(private, "other.internal", allowed)
    assert not is_reachable(metadata, "hooks.internal", allowed)
    assert is_reachable(metadata, "x", parse_allowed(["169.254.169.254/32"]))


def test_the_public_internet_can_be_closed() -> None:
    closed = parse_allowed(["10.1.0.0/16", "hooks.internal"], has_public=False)
    with pytest.raises(EgressRefused):
        parse_target("https://93.184.215.14/", closed)
    assert not is_reachable(ip_address("93.184.215.14"), "example.com", closed)
    assert is_reachable(ip_address("10.1.0.1"), "example.com", closed)
    assert is_reachable(ip_address("93.184.215.14"), "hooks.internal", closed)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "http://a", "a b", "*.example.com", "10.0.0.0/33", "1.2.3", "", "a/b"])
def test_a_list_that_cannot_be_read_stops_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match="GNOMON_EGRESS_ALLOW"):
        parse_allowed([entry])


@pytest.mark.parametrize("inward", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_name_that_leads_inwards_is_refused(inward: str, is_first: bool) -> None:
    found = [ip_address(inward), ip_address("93.184.215.14")]

    def resolve(_host: str, _port: int) -> list[Address]:
        return found if is_first else found[::-1]

    with pytest.raises(EgressRefused) as refusal:
        Egress(OPEN, resolve=resolve).post("https://evil.example.com/", b"{}", {})
    assert inward not in refusal.value.detail


LISTED = parse_allowed(["127.0.0.1"])


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def start(
        reply: bytes | Callable[[socket.socket], None] = OK, address: str = "127.0.0.1", port: int = 0
    ) -> Receiver:
        made.append(Receiver(address, reply, port))
        return made[-1]

    yield start
    for receiver in made:
        receiver.close()


def test_a_name_that_changes_its_mind_reaches_what_was_judged(receive: Callable[..., Receiver]) -> None:
    good = receive()
    trap = receive(address="127.0.0.2", port=good.port)
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "127.0.0.2")]

    allowed = parse_allowed(["127.0.0.1", "rebinding.test"])
    egress = Egress(Allowed(allowed.networks, frozenset()), resolve=resolve)
    with pytest.raises(EgressRefused):  # http, and the name is not listed
        egress.post(f"http://rebinding.test:{good.port}/", b"{}", {})
    assert asked == []
    assert (
        Egress(allowed, resolve=resolve).post(f"http://rebinding.test:{good.port}/x", b"{}", {"A": "b"}).status == 204
    )
    assert asked == ["rebinding.test"]
    (request,) = good.requests
    assert request.startswith(f"POST /x HTTP/1.1\r\nHost: rebinding.test:{good.port}\r\nA: b\r\n".encode())
    assert trap.requests == []


def test_a_redirect_is_not_followed(receive: Callable[..., Receiver]) -> None:
    trap = receive()
    location = f"http://127.0.0.1:{trap.port}/latest/meta-data/"
    for status in (301, 302, 303, 307, 308):
        good = receive(f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        assert Egress(LISTED).post(f"http://127.0.0.1:{good.port}/", b"{}", {}).status == status
    assert trap.requests == []


def test_no_proxy_of_the_environment_is_asked(
    receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, proxy = receive(), receive()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert Egress(LISTED).post(f"http://127.0.0.1:{good.port}/", b"{}", {}).status == 204
    assert proxy.requests == []


@pytest.mark.parametrize("value", ["a\r\nX-Evil: b", "a\nb", "a\x00b", "é"])
def test_a_header_holds_no_other(receive: Callable[..., Receiver], value: str) -> None:
    good = receive()
    with pytest.raises(EgressRefused):
        Egress(LISTED).post(f"http://127.0.0.1:{good.port}/", b"{}", {"A": value})
    assert good.requests == []


def _drip(connection: socket.socket) -> None:
    for _ in range(600):
        connection.sendall(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (_drip, "no answer within"),
        (lambda _connection: time.sleep(60), "no answer within"),
        (b"", "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000, "too long"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, "closed without an answer"),
    ],
)
def test_a_bad_answer_ends_in_time(receive: Callable[..., Receiver], reply: object, sentence: str) -> None:
    good = receive(reply)
    with pytest.raises(Undelivered, match=sentence):
        Egress(LISTED, timeout_secs=1.0).post(f"http://127.0.0.1:{good.port}/", b"{}", {})


def test_an_answer_is_its_status_and_when_to_come_again(receive: Callable[..., Receiver]) -> None:
    good = receive(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After: 30\r\n\r\nsecret")
    answer = Egress(LISTED).post(f"http://127.0.0.1:{good.port}/", b"{}", {})
    assert (answer.status, answer.retry_after_secs) == (429, 30)


def test_a_certificate_must_be_the_name_s(receive: Callable[..., Receiver], tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hooks.test"]
    command += ["-addext", "subjectAltName=DNS:hooks.test", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    good = receive()
    good.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    good.tls.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    allowed = parse_allowed(["hooks.test", "other.test"])

    def egress(tls: ssl.SSLContext | None) -> Egress:
        return Egress(allowed, resolve=lambda _host, _port: [ip_address("127.0.0.1")], tls=tls)

    assert egress(trusting).post(f"https://hooks.test:{good.port}/", b"{}", {}).status == 204
    for url, tls in ((f"https://other.test:{good.port}/", trusting), (f"https://hooks.test:{good.port}/", None)):
        with pytest.raises(Undelivered, match="certificate is not good"):
            egress(tls).post(url, b"{}", {})
    assert len(good.requests) == 1
