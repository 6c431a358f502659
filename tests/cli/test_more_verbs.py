"""Verbs that end, archive and delete; tables for people; what a server remarks; any file name on any terminal."""

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.cli.conftest import Typed
from tests.cli.shell import typed
from tests.faults.server import Server

from linocut import __version__
from linocut.cli import drawing
from linocut.cli.dataset_report import as_text, findings_of
from linocut.cli.model_table import model_text
from linocut.cli.say import note_remarks, number_of
from linocut.client import Client
from linocut.errors import InvalidRequest, Unauthenticated
from linocut.samples import PICTURES

POSTERS = sorted(PICTURES.glob("*.png"))


def test_version_three_ways(typing: Typed) -> None:
    for arguments in (("--version",), ("version",)):
        assert typing(*arguments) == (0, f"linocut {__version__}\n", "")


@pytest.mark.long
def test_a_training_is_cancelled_and_a_model_archived(client_typing: Typed) -> None:
    started = json.loads(client_typing("train", PICTURES, "--name", "To be ended", "--detach", "--json")[1])
    model_id = started["model_id"]
    code, out, err = client_typing("models", "cancel", model_id)
    if code == 0:
        assert f"linocut models watch {model_id}" in out
    else:  # the fake engine may have been quicker
        assert "no training to cancel" in err
    client_typing("models", "watch", model_id)
    model_id = json.loads(client_typing("train", PICTURES, "--name", "To be ended", "--json")[1])["model_id"]
    assert client_typing("models", "cancel", model_id)[0] == 1
    assert client_typing("models", "archive", model_id) == (0, f"Archived {model_id}.\n", "")
    assert json.loads(client_typing("models", "get", model_id, "--json")[1])["status"] == "ARCHIVED"
    for verb in ("cancel", "archive"):
        assert client_typing("models", verb, "none")[0] == 4


def test_a_dataset_is_deleted(client_typing: Typed) -> None:
    dataset_id = client_typing("datasets", "create", "Short-lived")[1].strip()
    assert client_typing("datasets", "delete", dataset_id, "--json") == (
        0,
        f'{{"dataset_id": "{dataset_id}", "deleted": true}}\n',
        "",
    )
    for verb in ("delete", "get", "report"):
        assert client_typing("datasets", verb, dataset_id)[0] == 4


def test_a_model_is_a_table_of_its_own_words(client_typing: Typed, model: dict[str, Any]) -> None:
    code, out, _ = client_typing("models", "get", model["model_id"])
    assert code == 0
    rows = dict(line.split(maxsplit=1) for line in out.splitlines() if line.strip() and not line.startswith(" "))
    assert rows["name"] == "From the shell"
    assert rows["uri"] == "model/from-the-shell/version/1"
    assert rows["run"] == model["training_runs"][0]["training_run_id"]
    assert "(by step; lower is better)" in out
    for sign in "{}[]'\"":
        assert sign not in out
    assert "None" not in out
    assert json.loads(client_typing("models", "get", model["model_id"], "--json")[1])["model_id"] == model["model_id"]


def test_a_model_that_is_shared_or_failed_is_a_table_too() -> None:
    bare = {"model_id": "m", "name": "Theirs", "status": "COMPLETED", "custom_model_uri": "model/theirs/version/1",
            "is_owned": False, "is_available_for_generation": True, "x_linocut": {"base": "b"}}  # fmt: skip
    assert "yours          no, shared with you" in model_text(bare)
    run = {"training_run_id": "r", "status": "FAILED", "x_linocut": {"step": 3, "total_steps": 9}}
    failed = {**bare, "status": "ERRORED", "custom_model_uri": None, "training_runs": [run]}
    failed["x_linocut"] = {"error": "Too dark."}
    text = model_text(failed)
    assert "uri            none yet" in text
    assert "error          Too dark." in text
    assert "  step           3 of 9" in text


def test_keys_are_listed_with_their_users_and_organisations(typing: Typed, tmp_path: Path) -> None:
    assert (
        typing("keys", "create", "--user", "ada", "--org", "letters", "--label", "laptop", "--data", tmp_path)[0] == 0
    )
    assert typing("keys", "create", "--data", tmp_path)[0] == 0
    out = typing("keys", "list", "--data", tmp_path)[1]
    assert sorted(line.split("active")[1].strip() for line in out.splitlines()) == [
        "ada of letters  laptop",
        "owner of home",
    ]
    rows = json.loads(typing("keys", "list", "--data", tmp_path, "--json")[1])
    assert {(row["user"], row["organization"]) for row in rows} == {("ada", "letters"), ("owner", "home")}


def test_magic_prompt_is_passed_on(client_typing: Typed, tmp_path: Path) -> None:
    for option in ("ON", "off"):
        assert client_typing("generate", "a cat", "--magic-prompt", option, "--out", tmp_path)[0] == 0
    code, _, err = client_typing("generate", "a cat", "--magic-prompt", "PERHAPS", "--out", tmp_path)
    assert (code, "magic_prompt" in err) == (1, True)


def test_what_the_server_remarks_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = "The base does not know: beach.", "It draws 128 pixels."
    note_remarks(
        {"x_linocut": {"notes": [a, b]}},
        {"x_linocut": {"notes": [b]}},
        {"x_linocut": {}},
        {"x_linocut": None},
        {},
        None,
        "x",
    )
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"note: {a}\nnote: {b}\n")


def test_generate_shows_remarks_and_pictures_that_are_held_back(
    typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Server:
        def __enter__(self) -> "Server":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def generate(self, prompt: str, **_: object) -> dict[str, Any]:
            image = {"seed": 3, "url": "http://x", "x_linocut": {"notes": ["The base does not know: beach."]}}
            return {"x_linocut": {"notes": ["A note of the whole."]}, "data": [image, {"seed": 4, "url": None}]}

        def download(self, link: str) -> bytes:
            return b"png"

    monkeypatch.setattr(drawing, "connect", lambda *_: Server())
    code, out, err = typing("generate", "a dog on a beach", "--out", tmp_path)
    assert (code, out) == (0, f"{tmp_path}/linocut-3.png\n")
    assert err.splitlines() == [
        "note: A note of the whole.",
        "note: The base does not know: beach.",
        "One picture is not given out: the safety check refused it.",
    ]


def test_one_is_one_and_two_are_two() -> None:
    assert [number_of(count, "picture") for count in (0, 1, 2, 1200)] == [
        "0 pictures",
        "1 picture",
        "2 pictures",
        "1,200 pictures",
    ]
    summary = {"image_count": 1, "captioned_count": 1, "message": "Not ready."}
    assert as_text({"summary": summary, "findings": [], "files": []}, with_files=False) == (
        "1 picture, 1 with a caption. Not ready."
    )


def test_findings_stand_under_their_title_with_the_number_of_pictures() -> None:
    """However many the server says something of in one sentence."""
    summary = {
        "image_count": 3,
        "captioned_count": 0,
        "message": "Ready.",
        "finding_counts": {"caption_missing": 3, "new": 1},
    }
    findings = [{"code": "caption_missing", "message": "All."}, {"code": "new", "message": "A code of a newer server."}]
    found = {"summary": summary, "findings": findings, "files": []}
    assert as_text(found, with_files=False).splitlines()[1:] == [
        "",
        "Without a caption (3)",
        "  All.",
        "",
        "new (1)",
        "  A code of a newer server.",
    ]
    assert findings_of(found, "new", "blurred") == ["A code of a newer server."]


NAMES = ("日本語.png", "naïve café.png", "smile 😀.png")


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["cp1252", "ascii:strict"])
def test_any_file_name_on_any_terminal(server: Server, key: str, typing: Typed, tmp_path: Path, encoding: str) -> None:
    client = {"LINOCUT_URL": server.url, "LINOCUT_API_KEY": key}
    made = typing("datasets", "create", "日本", "--json", URL=server.url, API_KEY=key)[1]
    dataset_id = json.loads(made)["dataset_id"]
    for number, name in enumerate(NAMES):
        shutil.copy(POSTERS[number], tmp_path / name)
    (tmp_path / "日本語.txt").write_text("赤い丸", encoding="utf-8")
    (tmp_path / "写真.heic").write_bytes(b"x")
    environment = {**client, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    charset = encoding.partition(":")[0]

    done = typed("datasets", "upload", dataset_id, str(tmp_path), environment=environment, encoding=charset)
    assert (done.returncode, done.stdout) == (0, "3 pictures taken, 0 files refused, 1 file left out\n"), done.stderr
    lost = "写真.heic".encode(charset, errors="replace").decode(charset)
    assert f"left out: {lost}: HEIC" in done.stderr

    done = typed("datasets", "captions", "list", dataset_id, environment=environment, encoding=charset)
    assert (done.returncode, done.stderr) == (0, "")
    for name in NAMES:
        assert name.encode(charset, errors="replace").decode(charset) in done.stdout

    done = typed("datasets", "captions", "list", dataset_id, "--json", environment=environment, encoding=charset)
    assert {one["file_name"] for one in json.loads(done.stdout)} == set(NAMES)  # the JSON is whole on every terminal
    assert "赤い丸" in [one["caption"] for one in json.loads(done.stdout)]


def test_a_path_that_is_not_text_is_printed_and_is_json(client_typing: Typed, tmp_path: Path) -> None:
    out = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    code, said, _ = client_typing("generate", "a cat", "--seed", "1", "--out", out)
    assert (code, said) == (0, f"{tmp_path}/caf?/linocut-1.png\n")
    code, said, _ = client_typing("generate", "a cat", "--seed", "2", "--out", out, "--json")
    assert Image.open(io.BytesIO(Path(json.loads(said)[0]["path"]).read_bytes())).format == "PNG"
    missing = os.fsdecode(os.fsencode(tmp_path) + b"/n\xf6")
    for verb in (
        ("train", missing, "--name", "Server style"),
        ("datasets", "upload", "x", missing),
        ("inspect", missing),
    ):
        code, _, err = client_typing(*verb)
        assert code in (1, 4)
        assert "n?" in err


@pytest.mark.parametrize("url", ["localhost:8731", "ftp://host", "http://", "", "http://host:port", "//host"])
def test_what_is_no_address_is_told_so(url: str) -> None:
    with pytest.raises(InvalidRequest, match="is not the address of a server"):
        Client("key", url)


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "tab\tbed", "\x7f"])
def test_what_can_be_no_key_is_told_so(typing: Typed, key: str) -> None:
    with pytest.raises(Unauthenticated, match="signs that no key has"):
        Client(key, "http://127.0.0.1:1")
    code, _, err = typing("models", "list", API_KEY=key)
    assert (code, key in err) == (3, False)


def test_a_key_file_that_cannot_be_read(typing: Typed, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xfa\x00")
    for path in (tmp_path / "binary", tmp_path, tmp_path / "none"):
        code, _, err = typing("models", "list", "--key-file", path)
        assert (code, str(path) in err) == (3, True)


def test_files_that_cannot_be_written_are_a_sentence(
    client_typing: Typed, model: dict[str, Any], tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("x")
    for verb in (
        ("generate", "a cat", "--out", taken / "below"),
        ("models", "download", model["model_id"], "--out", taken / "below" / "x"),
        ("datasets", "captions", "export", model["dataset_id"], taken / "below"),
    ):
        code, out, err = client_typing(*verb)
        assert (code, out) == (1, "")
        assert f"linocut: {taken}" in err.splitlines()[-1]


def test_weights_never_take_the_place_of_others(
    client_typing: Typed, model: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask = ("models", "weights", model["model_id"])
    (tmp_path / f"{model['model_id']}.safetensors").write_bytes(b"others")
    for more in ((), (), ("--format", "kohya"), ("--format", "comfyui")):
        assert client_typing(*ask, *more)[0] == 0
    stem = model["model_id"]
    names = [f"{stem}{ending}.safetensors" for ending in ("", "-2", "-comfyui", "-kohya")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert (tmp_path / names[0]).read_bytes() == b"others"
    assert client_typing(*ask, "--out", names[0])[0] == 0  # named exactly
    assert (tmp_path / names[0]).read_bytes() == (tmp_path / names[1]).read_bytes()
    for more in ((), ("--format", "kohya")):
        assert client_typing(*ask, "--out", "folder", *more)[0] == 0
    endings = sorted(path.name.rpartition("-")[2] for path in (tmp_path / "folder").iterdir())
    assert endings == ["1.safetensors", "README.md", "kohya.safetensors"]


def test_an_out_without_an_ending_is_a_folder(client_typing: Typed, model: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    code, _, err = client_typing("models", "weights", model["model_id"], "--out", tmp_path / "taken")
    assert code == 1
    assert "is a file, and --out without an ending is taken for a folder: write the ending .safetensors" in err


def test_a_picture_is_described(client_typing: Typed, tmp_path: Path) -> None:
    """The sentence on stdout, and with --json the caption that generate takes."""
    file = tmp_path / "halves.png"
    picture = Image.new("RGB", (64, 48), "#14235A")
    picture.paste("#DC2A2A", (0, 24, 64, 48))
    picture.save(file)
    assert client_typing("describe", file) == (0, "A red rectangle on plain navy\n", "")
    told = json.loads(client_typing("describe", file, "--json", "--style", "--tags", "--no-boxes")[1])
    assert {"style_description", "tags"} < told.keys()
    assert "bbox" not in str(told)
    assert client_typing("describe", tmp_path / "none.png")[0] == 2


def test_what_was_drawn_is_listed_and_deleted(client_typing: Typed, tmp_path: Path) -> None:
    for seed in ("7", "8"):
        client_typing("generate", f"a violet kettle {seed}", "--seed", seed, "--out", tmp_path)
    code, out, err = client_typing("images", "list", "--search", "VIOLET kettle")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert [line.split()[3:5] for line in (first, second)] == [["generate", "8"], ["generate", "7"]]
    assert client_typing("images", "list", "--search", "violet", "--limit", "1")[1] == f"{first}\n"
    told = json.loads(client_typing("images", "list", "--search", "violet", "--json")[1])
    assert told[1]["parameters"]["seed"] == 7
    image_id = first.split()[0]
    assert client_typing("images", "delete", image_id) == (0, "Deleted 1 image.\n", "")
    assert client_typing("images", "delete", image_id)[0] == 4
    assert client_typing("images", "list", "--search", "violet")[1] == f"{second}\n"
    assert client_typing("images", "list", "--search", "nothing is called that")[1] == "No images.\n"
    code, _, err = client_typing("images", "list", "--from", "yesterday")
    assert code != 0
    assert "from_day" in err


def test_a_checkpoint_is_promoted(client_typing: Typed, model: dict[str, Any]) -> None:
    code, _, err = client_typing("models", "promote", model["model_id"], "1")
    assert code == 4
    kept = err.rpartition("of step ")[2].strip(" .\n").split(", ")
    told = [client_typing("models", "promote", model["model_id"], step) for step in kept]
    assert sorted(code for code, _, _ in told) == [0, 0, 1]  # one of them draws already
    assert "/version/" in next(out for code, out, _ in told if code == 0)


def test_a_plan_starts_nothing_and_leaves_nothing(client_typing: Typed) -> None:
    before = [client_typing(verb, "list", "--json")[1] for verb in ("datasets", "models")]
    code, out, _ = client_typing("train", PICTURES, "--name", "Planned", "--plan")
    assert code == 0
    told = ["pictures", "held", "steps", "batch", "rank", "kind", "minutes", "memory"]
    assert [line.split()[0] for line in out.splitlines()] == told
    assert [client_typing(verb, "list", "--json")[1] for verb in ("datasets", "models")] == before
    told = json.loads(client_typing("train", PICTURES, "--name", "Planned", "--plan", "--json")[1])
    assert told["pictures"] == len(POSTERS)
