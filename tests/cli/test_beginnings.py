"""What is wrong before anything has begun: settings, folders, databases, bases. One sentence, exit code 1, in the
doctor's words, and never a traceback."""

import json
import os
import socket
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest
from tests.cli.conftest import Typed

from linocut import folders
from linocut.cli import checks
from linocut.db import checkup, engines
from linocut.db.database import Database
from linocut.environment import settings_where_right, settings_with, unknown_variables
from linocut.errors import InvalidRequest
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.storage.store import Store, folder_of
from linocut.workers import supervise


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "LINOCUT_PORT is 'abc'; it takes a whole number from 0 to 65535."),
        ("PORT", "70000", "LINOCUT_PORT is '70000'; it takes a whole number from 0 to 65535."),
        ("PORT", "-1", "LINOCUT_PORT is '-1'; it takes a whole number from 0 to 65535."),
        ("PORT", "80.5", "LINOCUT_PORT is '80.5'; it takes a whole number from 0 to 65535."),
        ("WORKERS", "many", "LINOCUT_WORKERS is 'many'; it takes a whole number from 0 to 64."),
        ("THREADS", "-2", "LINOCUT_THREADS is '-2'; it takes a whole number of at least 0."),
        ("LINK_HOURS", "0", "LINOCUT_LINK_HOURS is '0'; it takes a number above 0, at most 876000."),
        ("STOP_SECONDS", "soon", "LINOCUT_STOP_SECONDS is 'soon'; it takes a number from 0 to 1000000000."),
        ("LOG_JSON", "perhaps", "LINOCUT_LOG_JSON is 'perhaps'; it takes true or false."),
        ("ENGINE", "steam", "LINOCUT_ENGINE is 'steam'; it takes one of torch, fake."),
        ("LOG_LEVEL", "loud", "LINOCUT_LOG_LEVEL is 'loud'; it takes one of DEBUG, INFO, WARNING, ERROR."),
    ],
)
def test_a_wrong_setting_is_one_sentence(typing: Typed, tmp_path: Path, name: str, value: str, sentence: str) -> None:
    for verb in (("serve", "--data", tmp_path / "d"), ("worker",), ("keys", "list", "--data", tmp_path / "d")):
        assert typing(*verb, **{name: value}) == (1, "", f"linocut: {sentence}\n"), verb
    assert not (tmp_path / "d").exists()
    code, out, _ = typing("doctor", "--no-server", "--data", tmp_path / "d", **{name: value})
    assert code == 1
    assert f"FAIL  settings: {sentence}" in out
    assert "ok    python" in out  # it goes on with the rest


def test_several_wrong_settings_are_told_at_once_and_an_option_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_WORKERS", "many")
    with pytest.raises(InvalidRequest) as told:
        settings_with(port="abc")
    assert "--port is 'abc'" in told.value.message
    assert "LINOCUT_WORKERS is 'many'" in told.value.message
    settings, wrong = settings_where_right(port="abc", host="::1")
    assert (settings.port, settings.workers, settings.host) == (8731, 1, "::1")
    assert wrong == told.value.message


def test_a_long_value_is_cut_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_PORT", "9" * 500)
    with pytest.raises(InvalidRequest, match="9…'; it takes"):
        settings_with()
    monkeypatch.setenv("LINOCUT_PORT", "")
    monkeypatch.setenv("LINOCUT_DATA", "")
    assert (settings_with().port, settings_with().data) == (8731, Path("linocut-data"))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("LINOCUT_WORKRES", "did you mean LINOCUT_WORKERS?"),
        ("LINOCUT_DATABASE", "did you mean LINOCUT_DATABASE_URL?"),
        ("LINOCUT_APIKEY", "did you mean LINOCUT_API_KEY?"),
        ("LINOCUT_MAX_FILE_MB", "did you mean LINOCUT_MAX_FILE_MIB?"),
        ("LINOCUT_GRAVITY", "docs/settings.md lists the variables"),  # the prefix alone is no likeness
        ("LINOCUT_XYZZY_PLUGH_FROTZ", "docs/settings.md lists the variables"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_known(
    typing: Typed, tmp_path: Path, name: str, near: str
) -> None:
    assert [
        sentence.startswith(f"linocut reads no variable {name}; {near}") for sentence in unknown_variables({name: "2"})
    ] == [True]
    code, _, err = typing("keys", "list", "--data", tmp_path, **{name.removeprefix("LINOCUT_"): "2"})
    assert code == 0
    assert err.startswith(f"linocut: linocut reads no variable {name}; {near}")


def test_known_variables_go_unmentioned() -> None:
    known = [f"LINOCUT_{name.upper()}" for name in Settings.model_fields]
    others = ["LINOCUT_URL", "LINOCUT_API_KEY", "LINOCUT_API_KEY_FILE", "LINOCUT_SOAK", "PATH", "_LINOCUT_COMPLETE"]
    assert unknown_variables(dict.fromkeys([*known, *others], "x")) == []


def file(path: Path) -> Path:
    path.write_text("x")
    return path


def test_a_data_folder_that_is_a_file(typing: Typed, tmp_path: Path) -> None:
    place = file(tmp_path / "taken")
    for data in (place, place / "below", place / "far" / "below"):
        found = f"{place} is a file, not a folder"
        for verb in ("serve", "worker", "keys list", "keys create"):
            code, out, err = typing(*verb.split(), "--data", data)
            assert (code, out) == (1, ""), verb
            assert found in err
            assert "Traceback" not in err
        code, out, _ = typing("doctor", "--no-server", "--data", data)
        assert (code, f"FAIL  disk: {found}" in out) == (1, True)


@pytest.mark.parametrize("locked", ["", "linocut.db", "server.lock", "store", "runs"])
def test_a_data_folder_of_somebody_else_s(
    typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str
) -> None:
    data = tmp_path / "theirs"
    data.mkdir()
    place = data / locked
    place.touch() if "." in locked else place.mkdir(exist_ok=True)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place and allowed(path, mode))
    for verb in ("serve", "worker", "keys list"):
        code, out, err = typing(*verb.split(), "--data", data)
        assert (code, out) == (1, "")
        assert f"{place} is not writable. sudo chown -R" in err, verb
    code, out, _ = typing("doctor", "--no-server", "--data", data)
    assert (code, f"FAIL  disk: {place} is not writable" in out) == (1, True)


def test_the_doctor_goes_on_where_it_may_not_look(
    typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data folder below a folder that this user may not enter."""
    closed, stat = tmp_path / "closed", Path.stat

    def refuse(path: Path, **named: bool) -> os.stat_result:
        if closed in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **named)

    closed.mkdir()
    allowed, look = os.access, os.path.lexists
    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(os.path, "lexists", lambda path: closed not in Path(path).parents and look(path))
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed and allowed(path, mode))
    code, out, err = typing("doctor", "--no-server", "--data", closed / "data")
    assert (code, err) == (1, "")
    for name in ("disk", "database", "storage"):
        assert f"FAIL  {name}: {closed} is not writable\n      -> sudo install -d -o $(id -u) {closed}/data " in out


def test_a_read_only_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = namedtuple("mounted", "f_flag")
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: mounted(os.ST_RDONLY))
    trouble = folders.trouble_with(tmp_path)
    assert trouble is not None
    assert trouble[0] == f"{tmp_path} is not writable: its file system is mounted read-only"
    assert "chown" not in trouble[1]


def test_a_folder_that_the_system_refuses_to_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InvalidRequest, match=r"cannot be made \(Read-only file system\)"):
        folders.make_folder(tmp_path / "new")


def test_a_port_that_is_taken(typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "PORT_WAIT_SECONDS", 0.1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = typing("serve", "--data", tmp_path, "--port", port, ENGINE="fake")
    assert code == 1
    assert f"Another program listens on 127.0.0.1:{port}. ss -ltnp" in err


@pytest.mark.parametrize("host", ["999.1.2.3", "no-such-host.invalid", "8.8.8.8"])
def test_an_address_that_is_not_this_machine_s(
    typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(supervise, "PORT_WAIT_SECONDS", 0.1)
    code, _, err = typing("serve", "--data", tmp_path, "--host", host, "--port", 0, ENGINE="fake")
    assert (
        code,
        f"{host} is not an address of this machine. Set LINOCUT_HOST (or serve --host) to 127.0.0.1" in err,
    ) == (1, True), err


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "LINOCUT_DATABASE_URL is not a URL; write postgresql://"),
        ("postgresql://ada:secret@host:port/x", "LINOCUT_DATABASE_URL is not a URL; write postgresql://"),
        (
            "mysql://ada:secret@host/x",
            "LINOCUT_DATABASE_URL starts with mysql:; linocut knows postgresql:// and sqlite:///.",
        ),
        ("postgres://ada:secret@host/x", "LINOCUT_DATABASE_URL starts with postgres:; linocut knows postgresql://"),
        ("sqlite://", "An in-memory SQLite database is not shared between processes"),
        ("sqlite:///{folder}", "The database {folder} cannot be opened: it is a folder."),
        ("sqlite:///{folder}/taken/x.db", "The database {folder}/taken/x.db cannot be made: "),
    ],
)
def test_a_wrong_database_is_one_sentence(typing: Typed, tmp_path: Path, url: str, sentence: str) -> None:
    (tmp_path / "taken").write_text("this is not a database, whatever its name says")
    url, sentence = (text.replace("{folder}", str(tmp_path)) for text in (url, sentence))
    code, out, err = typing("keys", "list", DATABASE_URL=url)
    assert (code, out) == (1, "")
    *logged, told = err.splitlines()
    assert told.startswith(f"linocut: {sentence}")
    assert len(logged) == ("is damaged" in sentence), "damage has its line in the log"
    assert "secret" not in err
    found = checks.database(Settings(data=tmp_path, database_url=url))
    assert not found.ok
    assert "secret" not in str(found)


def test_a_file_that_is_no_database_is_told_as_a_damaged_one(typing: Typed, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("this is not a database, whatever its name says")
    code, out, err = typing("keys", "list", DATABASE_URL=f"sqlite:///{place}")
    assert (code, out, str(place) in err) == (1, "", True)
    assert err.splitlines()[-1].startswith(f"linocut: The database {place} is damaged: the file has only 46 bytes.")
    assert place.read_text() == "this is not a database, whatever its name says"
    found = checks.database(Settings(data=tmp_path, database_url=f"sqlite:///{place}"))
    assert (found.ok, found.found) == (False, f"{place} is damaged: the file has only 46 bytes")


def test_postgresql_without_its_driver(typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url = "postgresql://ada:secret@127.0.0.1:1/x"
    assert typing("keys", "list", DATABASE_URL=url) == (1, "", f"linocut: {engines.NO_PSYCOPG}\n")
    assert "pip install 'linocut[postgres]'" in engines.NO_PSYCOPG
    found = checks.database(Settings(data=tmp_path, database_url=url))
    assert (found.ok, found.found, found.mend) == (False, engines.NO_PSYCOPG, "pip install 'linocut[postgres]'")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "ftp://host/x",
            "LINOCUT_STORAGE_URL starts with ftp://; linocut knows file:// and s3:// (",
        ),
        ("file://host/share", "LINOCUT_STORAGE_URL starts with file://"),
        ("file:///tmp/a?b", "holds a ? or a #"),
        ("file:///tmp/a#b", "holds a ? or a #"),
    ],
)
def test_a_wrong_store_is_one_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        Store.open(url)
    assert sentence in told.value.message
    found = checks.storage(Settings(data=tmp_path, storage_url=url))
    assert (found.ok, sentence in found.found) == (False, True)


def test_a_store_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be used"):
        Store.open(file(tmp_path / "taken"))
    assert not checks.storage(Settings(data=tmp_path, storage_url=f"file://{tmp_path}/taken")).ok


@pytest.mark.parametrize("name", ["a?b", "a#b", "50% off", "a b", "дом", "a%3Fb", "a&b=c", "a;b", "file:x", "[a]*"])
def test_any_path_may_be_a_data_folder(typing: Typed, tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    code, made, _ = typing("keys", "create", "--data", data, "--json")
    assert code == 0
    assert sorted(path.name for path in data.iterdir() if path.suffix == ".db") == ["linocut.db"]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    _, listed, _ = typing("keys", "list", "--data", data, "--json")
    assert [row["api_key_id"] for row in json.loads(listed)] == [json.loads(made)["api_key_id"]]
    assert typing("keys", "list", "--data", tmp_path / "another?one")[1].startswith("There are no keys yet")
    Store.open(data / "store").put(b"x")
    assert checks.database(Settings(data=data)).ok
    assert folder_of(f"file://{tmp_path}/a%3Fb%20c") == tmp_path / "a?b c"


def test_a_folder_whose_name_is_not_text(tmp_path: Path) -> None:
    """A Latin-1 name on the disk: bytes that are not UTF-8."""
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    settings = Settings(data=data)
    Database.open(settings.resolved_database_url).close()
    assert (data / "linocut.db").exists()
    assert len(set(supervise.worker_ids(settings))) == supervise.MOST_WORKERS


def test_temporary_files_go_into_the_data_folder_where_the_system_has_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    before = tempfile.gettempdir()
    folders.temporary_files_inside(tmp_path)
    assert tempfile.gettempdir() == before
    assert list(tmp_path.iterdir()) == []

    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [os.environ.get("TMPDIR", "/nowhere")])
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("old", "new"):
        (tmp_path / "tmp" / name).mkdir(parents=True)
    os.utime(tmp_path / "tmp" / "old", (0, 0))
    monkeypatch.chdir(tmp_path)
    folders.temporary_files_inside(Path())
    assert os.environ["TMPDIR"] == str(tmp_path / "tmp")
    assert tempfile.gettempdir() == str(tmp_path / "tmp")
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["new"]
    monkeypatch.setattr(tempfile, "tempdir", before)


@pytest.mark.parametrize("verb", ["serve", "worker", "keys list", "keys create", "doctor --no-server"])
def test_an_empty_name_is_not_the_folder_one_is_in(
    typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """What ``--data "$UNSET"`` gives: it would fill, and close to others, the folder that one happens to be in."""
    monkeypatch.chdir(tmp_path)
    mode = tmp_path.stat().st_mode
    for empty in ("", " "):
        code, out, err = typing(*verb.split(), "--data", empty)
        assert (code, out, "it is empty; give a folder" in err) == (2, "", True), verb
    assert (list(tmp_path.iterdir()), tmp_path.stat().st_mode) == ([], mode)


def test_a_start_that_fails_leaves_no_false_trace_of_lost_changes(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "d")
    with pytest.raises(InvalidRequest, match="write s3://bucket"):
        Runtime.open(settings.model_copy(update={"storage_url": "s3://"}))
    with pytest.raises(InvalidRequest, match="There is no folder"):
        Runtime.open(settings.model_copy(update={"base": str(tmp_path / "nowhere")}))
    assert settings.sqlite_file is not None
    assert checkup.Stamp(settings.sqlite_file).read() == {"state": "closed"}
    assert checks.database(settings).ok
