"""An https server of the tests, with certificates of an authority of theirs, that writes down what comes."""

import datetime
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

_NOW = datetime.datetime.now(datetime.UTC)


def _certificate(subject: str, key: Any, issuer: str, signer: Any, *extensions: tuple[Any, bool]) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (subject, issuer)]
    builder = x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(_NOW - datetime.timedelta(days=1))
    builder = builder.not_valid_after(_NOW + datetime.timedelta(days=2))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, SHA256())


def make_certificates(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """(authority, certificate with its key) for these hosts, as PEM files."""
    folder.mkdir(parents=True, exist_ok=True)
    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _certificate("Tests", root, "Tests", root, (x509.BasicConstraints(ca=True, path_length=0), True))
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    own = _certificate(hosts[0], leaf, "Tests", root, (x509.SubjectAlternativeName(names), False))
    authority, certificate = folder / "authority.pem", folder / "certificate.pem"
    pem = serialization.Encoding.PEM
    authority.write_bytes(ca.public_bytes(pem))
    secret = leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate.write_bytes(own.public_bytes(pem) + secret)
    return authority, certificate


@dataclass
class Got:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """``answer`` says what each request gets: a status, or headers with it; it may take its time."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answer: Callable[[Got], int | tuple[int, dict[str, str]]] = lambda got: 200
    came: threading.Event = field(default_factory=threading.Event)

    def url(self, host: str = "localhost", path: str = "/hook") -> str:
        """The address under one of its names."""
        return f"https://{host}:{self.port}{path}"


@contextmanager
def receiving(certificate: Path) -> Iterator[Receiver]:
    """A receiver as long as the block lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.got.append(got)
            receiver.came.set()
            told = receiver.answer(got)
            status, headers = told if isinstance(told, tuple) else (told, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that went away is no fault."""

        def finish_request(self, request: Any, client: Any) -> None:
            with context.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client)

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
