"""Each fault that the doctor knows, made on purpose: it is found, and the line beside it mends it."""

import os
import shutil
import socket
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from tests.cli.shell import typed
from tests.engine.test_onnx_matting import reddish

from linocut.cli import checks
from linocut.db.checkup import Stamp
from linocut.db.database import Database
from linocut.settings import Settings
from linocut.storage import remote


def settings(folder: Path, **given: object) -> Settings:
    return Settings.model_validate({"data": folder, **given})


def test_too_many_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert checks.threads(settings(tmp_path, workers=2)).ok
    assert checks.threads(settings(tmp_path, workers=2, threads=2)).ok
    found = checks.threads(settings(tmp_path, workers=2, threads=4))
    assert (found.ok, found.mend) == (False, "export LINOCUT_THREADS=2")


def test_a_full_disk_and_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.disk(settings(tmp_path / "not yet")).ok
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 100, 0))
    assert "linocut serve --data" in checks.disk(settings(tmp_path)).mend
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert f"chown -R $(id -u) {tmp_path}" in checks.disk(settings(tmp_path)).mend
    assert not checks.storage(settings(tmp_path)).ok


def test_a_port_that_somebody_else_has(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = checks.port(settings(tmp_path, port=port), "http://127.0.0.1:1")
        assert (found.ok, found.found) == (False, f"Another program listens on 127.0.0.1:{port}")
        assert f"linocut serve --port {port + 1}" in found.mend


def test_a_database_of_another_version_is_told_and_not_touched(tmp_path: Path) -> None:
    place = settings(tmp_path)
    assert checks.database(place).ok
    assert checks.keys(place).mend == f"linocut keys create --data {tmp_path}"
    Database.open(place.resolved_database_url).close()
    assert checks.database(place).ok
    assert (checks.keys(place).ok, checks.keys(place).found) == (False, "0 active")
    with sqlite3.connect(tmp_path / "linocut.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0000'")
    found = checks.database(place)
    assert (found.ok, found.found.startswith("is at version 0000")) == (False, True)
    with sqlite3.connect(tmp_path / "linocut.db") as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)


def test_a_database_of_a_newer_version_asks_for_a_newer_linocut(tmp_path: Path) -> None:
    place = settings(tmp_path)
    Database.open(place.resolved_database_url).close()
    with sqlite3.connect(tmp_path / "linocut.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    found = checks.database(place)
    assert found.found == "is at version 9999, which this linocut does not know"
    assert (found.ok, found.mend) == (False, "Upgrade linocut.")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"describer_url": "http://127.0.0.1:9/v1"}, "DESCRIBER_URL is set, and LINOCUT_DESCRIBER is not endpoint"),
        ({"writer_key": "hush"}, "WRITER_KEY is set, and LINOCUT_WRITER is not endpoint"),
        ({"writer_head": "head"}, "WRITER_HEAD is set, and LINOCUT_WRITER is not base"),
        ({"oidc_client_id": "us"}, "OIDC_CLIENT_ID is set, and LINOCUT_OIDC_ISSUER is not"),
        ({"smtp_from": "a@example.org"}, "SMTP_FROM is set, and LINOCUT_SMTP_HOST is not"),
        ({"max_file_mib": 100}, "MAX_FILE_MIB is 100, and LINOCUT_MAX_REQUEST_MIB 50: no larger file arrives"),
        ({}, ""),
        ({"writer": "base", "writer_head": "head"}, ""),
        ({"smtp_from": "a@example.org", "smtp_host": "mail.example.org"}, ""),
        ({"oidc_issuer": "https://login.example.org", "oidc_client_id": "us"}, ""),
        ({"max_request_mib": 10}, ""),
    ],
)
def test_a_setting_that_makes_no_difference_is_told(tmp_path: Path, given: dict[str, object], sentence: str) -> None:
    said = checks.unused(settings(tmp_path, **given))
    assert [one.startswith(f"LINOCUT_{sentence}") for one in said] == [True] * bool(sentence)
    assert "hush" not in str(said)


def test_a_damaged_database(tmp_path: Path) -> None:
    place = settings(tmp_path)
    Database.open(place.resolved_database_url).close()
    file = tmp_path / "linocut.db"
    sound = file.read_bytes()
    for at, kind in ((0, "does not begin"), (4096, ""), (20, "header")):
        file.write_bytes(sound[:at] + bytes([sound[at] ^ 2]) + sound[at + 1 :])
        found = checks.database(place)
        assert (found.ok, str(file) in found.found, kind in found.found) == (False, True, True)
        assert "docs/backups.md" in found.mend
    file.write_bytes(sound)
    assert checks.database(place).ok
    assert not checks.keys(place).ok


def test_a_write_ahead_file_that_is_gone(tmp_path: Path) -> None:
    place = settings(tmp_path)
    Database.open(place.resolved_database_url).close()
    stamp = Stamp(tmp_path / "linocut.db")
    stamp.opened(lost=False)  # and killed, and linocut.db-wal removed
    assert not checks.database(place).ok
    Database.open(place.resolved_database_url).close()
    found = checks.database(place)
    assert (found.ok, "linocut.db-wal was gone" in found.found) == (False, True)
    assert f"rm {stamp.path}" in found.mend
    stamp.path.unlink()
    assert checks.database(place).ok


def test_a_database_that_does_not_answer_keeps_its_password_to_itself(tmp_path: Path) -> None:
    found = checks.database(settings(tmp_path, database_url="postgresql://ada:secret@127.0.0.1:1/linocut"))
    assert not found.ok
    assert found.mend.startswith("pg_isready -d 'postgresql://ada@127.0.0.1:1/linocut'")
    assert "secret" not in str(found)
    assert not checks.database(settings(tmp_path, database_url="mysql://x/y")).ok


BUCKET = "s3://letters/prefix"


class Counter(BaseHTTPRequestHandler):
    """What an S3 service says, as far as the doctor asks it. ``refused``: methods that the key is not allowed;
    ``answers``: what is said to a method whatever it asks; ``damages``: other bytes come back than were kept."""

    kept: ClassVar[dict[str, bytes]] = {}
    refused: ClassVar[set[str]] = set()
    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}
    damages = False

    def log_message(self, *_: object) -> None:
        pass

    def _say(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(body)),
            "ETag": '"x"',
            "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command in self.answers:
            self._say(*self.answers[self.command])
        elif self.command == "POST":  # the way in which the library deletes
            key = sent.partition(b"<Key>")[2].partition(b"</Key>")[0].decode()
            told = b"<Error><Key>%s</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
            if "POST" not in self.refused:
                told = b"<Deleted><Key>%s</Key></Deleted>"
                del self.kept[f"/letters/{key}"]
            self._say(200, b"<DeleteResult>" + told % key.encode() + b"</DeleteResult>")
        elif self.command in self.refused:
            self._say(403, b"<Error><Code>AccessDenied</Code></Error>")
        elif self.command == "PUT":
            self.kept[self.path] = sent
            self._say(200)
        elif self.path not in self.kept:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._say(200, self.kept[self.path][:: -1 if self.damages else 1])

    do_GET = do_PUT = do_POST = _answer


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Counter]]:
    """A service of this test's own."""

    class Own(Counter):
        kept: ClassVar[dict[str, bytes]] = {}
        refused: ClassVar[set[str]] = set()
        answers: ClassVar[dict[str, tuple[int, bytes]]] = {}

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        point_at(monkeypatch, server.server_address[1])
        monkeypatch.setattr(remote, "HASTY_SECONDS", 60.0)
        yield Own
        server.shutdown()


def point_at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
        monkeypatch.setenv(name, value)


def looked_at(folder: Path) -> checks.Finding:
    found = checks.storage(settings(folder, storage_url=BUCKET))
    assert "hush" not in str(found)
    return found


def test_a_bucket_is_tried_out_and_left_as_it_was(tmp_path: Path, counter: type[Counter]) -> None:
    found = looked_at(tmp_path)
    assert found.ok, found
    assert "an object was written, read and deleted" in found.found
    assert counter.kept == {}


def test_a_store_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, 1)
    monkeypatch.setattr(remote, "HASTY_SECONDS", 0.5)
    found = looked_at(tmp_path)
    assert (found.ok, found.found) == (False, f"{BUCKET} does not answer")
    assert found.mend.startswith("curl -sS http://127.0.0.1:1 ")


def test_a_store_without_the_bucket(tmp_path: Path, counter: type[Counter]) -> None:
    counter.answers["GET"] = 404, b"<Error><Code>NoSuchBucket</Code></Error>"
    found = looked_at(tmp_path)
    assert not found.ok
    assert "has no bucket letters" in found.found
    assert found.mend.startswith("aws s3 mb s3://letters ")


def test_a_store_that_refuses_the_credentials(tmp_path: Path, counter: type[Counter]) -> None:
    counter.refused.add("GET")
    found = looked_at(tmp_path)
    assert not found.ok
    assert "refuses the credentials" in found.found
    assert found.mend.startswith("aws s3 ls s3://letters ")


@pytest.mark.parametrize(("method", "done"), [("PUT", "written"), ("POST", "deleted")])
def test_a_key_that_may_not_do_all(tmp_path: Path, counter: type[Counter], method: str, done: str) -> None:
    counter.refused.add(method)
    found = looked_at(tmp_path)
    assert (found.ok, found.found) == (False, f"{BUCKET}: an object could not be {done} there")
    assert "s3:PutObject" in found.mend


def test_a_store_that_gives_other_bytes_back(tmp_path: Path, counter: type[Counter]) -> None:
    counter.damages = True
    found = looked_at(tmp_path)
    assert not found.ok
    assert "other bytes back" in found.found
    assert "LINOCUT_STORAGE_URL" in found.mend


@pytest.mark.long
def test_looking_makes_nothing(tmp_path: Path) -> None:
    done = typed("doctor", "--data", str(tmp_path / "new"), "--no-server")
    assert done.returncode == 1
    assert f"-> linocut keys create --data {tmp_path}/new" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_tools_beside_the_base(tmp_path: Path) -> None:
    found = checks.tools(settings(tmp_path, tools="border-matting"))
    assert (found.ok, "border-matting (Apache-2.0" in found.found) == (True, True)
    found = checks.tools(settings(tmp_path, tools="border-matting, mating"))
    assert (found.ok, "no tool mating" in found.found) == (False, True)
    assert found.mend == "export LINOCUT_TOOLS=border-matting"
    found = checks.tools(settings(tmp_path, tools="border-matting", tools_memory_mib=64))
    assert (found.ok, found.mend) == (False, "export LINOCUT_TOOLS_MEMORY_MIB=128")


def test_who_cuts_out_is_told_and_a_network_that_does_not_fit_is_a_fault(tmp_path: Path) -> None:
    assert checks.tools(settings(tmp_path)).found.endswith("; border-matting cuts out")
    network = tmp_path / "isnet.onnx"
    network.write_bytes(reddish((1, 3, 64, 64), in_shares=True))
    assert checks.tools(settings(tmp_path, matting=str(network))).found.endswith("; onnx-matting (isnet.onnx) cuts out")
    found = checks.tools(settings(tmp_path, matting=str(network), tools_memory_mib=512))
    assert (found.ok, "needs 1024 MiB" in found.found) == (False, True)
    network.write_bytes(b"nothing")
    found = checks.tools(settings(tmp_path, matting=str(network)))
    assert (found.ok, "cannot be read as an ONNX network" in found.found) == (False, True)
    assert found.mend.startswith("export LINOCUT_MATTING=border")
    found = checks.tools(settings(tmp_path, matting="/nowhere/isnet.onnx"))
    assert (found.ok, "there is no /nowhere/isnet.onnx" in found.found) == (False, True)
    with pytest.raises(ValueError, match="it takes border, or a file that ends in"):
        settings(tmp_path, matting="isnet.pth")


def test_damage_that_a_server_has_met_is_told(tmp_path: Path) -> None:
    """Also where a look at the whole file sees none: SQLite does not read what stands in a text."""
    looked = settings(tmp_path)
    Database.open(looked.resolved_database_url).close()
    assert checks.database(looked).ok
    looked.damage_note.write_text("{}")
    told = checks.database(looked)
    assert (told.ok, "met damage" in told.found, "docs/backups.md" in told.mend) == (False, True, True)


def test_language_models_that_do_not_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from linocut.cli.speakers import speakers

    assert speakers(settings(tmp_path)).found == "describer embedded; writer grammar"
    silent = speakers(settings(tmp_path, writer="base"))
    assert not silent.ok
    assert "the text tower of mini only reads" in silent.found
    away = {
        "writer_url": "http://127.0.0.1:9/v1",
        "writer_model": "pen",
        "writer_key": "sk-secret",
        "writer": "endpoint",
    }
    found = speakers(settings(tmp_path, **away))
    assert (found.ok, found.found) == (False, "the writer's endpoint http://127.0.0.1:9/v1 does not answer")
    assert "LINOCUT_WRITER_URL" in found.mend
    assert "sk-secret" not in f"{found}" + capsys.readouterr().out


def test_weights_that_an_operator_brings_must_be_there(tmp_path: Path) -> None:
    assert "lettering (" in checks.tools(settings(tmp_path)).found
    folder = tmp_path / "ocr"
    found = checks.tools(settings(tmp_path, lettering=str(folder)))
    assert not found.ok
    assert "det.onnx" in found.found
    assert "LINOCUT_LETTERING" in found.mend
    folder.mkdir()
    for name in ("det.onnx", "rec.onnx"):
        (folder / name).write_bytes(b"")
    found = checks.tools(settings(tmp_path, lettering=str(folder), fonts=str(folder)))
    assert found.ok
    assert f"with {folder})" in found.found
    found = checks.tools(settings(tmp_path, fonts=str(tmp_path / "none")))
    assert (found.ok, "LINOCUT_FONTS" in found.mend) == (False, True)
