"""``linocut train``: what it says before it trains, and that nothing is left of what does not come to a training."""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Typed

from linocut.cli import sending
from linocut.cli import train as verb
from linocut.errors import Busy, InvalidRequest
from linocut.samples import PICTURES

POSTERS = sorted(PICTURES.glob("*.png"))


def posters(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        shutil.copy(POSTERS[number % len(POSTERS)], folder / f"{number:03}.png")
    return folder


def datasets(client_typing: Typed) -> list[str]:
    return [one["dataset_id"] for one in json.loads(client_typing("datasets", "list", "--json")[1])]


def test_it_says_everything_before_it_trains(client_typing: Typed, tmp_path: Path) -> None:
    posters(tmp_path, 15)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    shutil.copy(POSTERS[16], tmp_path / "deep" / "er" / "cup.png")
    (tmp_path / "deep" / "er" / "cup.txt").write_text("a cup, deep down")
    (tmp_path / "16.HEIC").write_bytes(b"x")
    (tmp_path / "stray.txt").write_text("whose")
    (tmp_path / "broken.jpe").write_bytes(b"not a picture")
    code, out, err = client_typing("train", tmp_path, "--name", "Says it all")
    assert code == 0, err
    model_id = out.split()[2]
    assert out.startswith(f"COMPLETED  model_id {model_id}  model/says-it-all/version/1")
    told = [err.index(text) for text in (
        "left out: 16.HEIC: HEIC is not taken; save it as JPEG or PNG.",
        "not taken: broken.jpe: ",
        "sent 19 of 19 files",
        "16 pictures, 1 with a caption. Ready to train",
        "stray.txt waits for its picture",
        f"model {model_id} trains on dataset ",
        "COMPLETED",
    )]  # fmt: skip
    assert told == sorted(told)
    assert "Without a caption (15)" in err


def test_its_numbers_make_an_advanced_training(client_typing: Typed, tmp_path: Path) -> None:
    posters(tmp_path, 15)
    numbers = ("--steps", "100", "--rank", "64", "--batch-size", "3", "--seed", "5")
    code, out, err = client_typing("train", tmp_path, "--name", "By numbers", "--plan", *numbers)
    assert code == 0, err
    assert "steps     100, a checkpoint every 10" in out
    assert "batch     3 pictures a step" in out
    code, out, err = client_typing("train", tmp_path, "--name", "By numbers", "--json", *numbers)
    assert code == 0, err
    [run] = json.loads(out)["training_runs"]
    assert (run["training_steps"], run["lora_rank"]) == (100, 64)
    assert (run["x_linocut"]["batch_size"], run["x_linocut"]["seed"]) == (3, 5)
    code, _, err = client_typing("train", tmp_path, "--name", "By numbers", "--batch-size", "65")
    assert code == 2
    assert "65 is not in the range 1<=x<=64" in err


@pytest.mark.parametrize("wrong", [("--rank", "32"), ("--learning-rate", "0"), ("--steps", "150"), ("--ema", "1")])
def test_a_number_that_no_training_takes_is_told_before_anything_is_sent(
    client_typing: Typed, tmp_path: Path, wrong: tuple[str, str]
) -> None:
    before = datasets(client_typing)
    code, _, err = client_typing("train", tmp_path, "--name", "By numbers", *wrong)
    assert (code, f"{wrong[0]} must " in err) == (1, True)
    assert datasets(client_typing) == before


@pytest.mark.parametrize(
    ("count", "name", "sentence"),
    [
        (15, "no", "--name must be 5 to 30 letters, digits, spaces or hyphens"),
        (15, "x" * 31, "--name must be 5 to 30"),
        (15, "snake_case", "--name must be 5 to 30"),
        (1, "One alone", "holds 1 picture and a training takes 7 to 100: add 6 more."),
        (6, "Six of them", "holds 6 pictures and a training takes 7 to 100: add 1 more."),
        (101, "A hundred and one", "holds 101 pictures and a training takes 7 to 100: leave 1 out."),
    ],
)
def test_name_and_count_are_checked_before_anything_is_sent(
    client_typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, name: str, sentence: str
) -> None:
    before = datasets(client_typing)
    monkeypatch.setattr(verb, "upload_all", lambda *_: pytest.fail("nothing is to be sent"))
    code, out, err = client_typing("train", posters(tmp_path, count), "--name", name)
    assert (code, out) == (1, "")
    assert sentence in err
    assert datasets(client_typing) == before


def test_pictures_in_zips_count(client_typing: Typed, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in POSTERS[:6]:
            archive.write(path, f"in/{path.name}")
    code, _, err = client_typing("train", tmp_path, "--name", "From a ZIP")
    assert (code, "holds 6 pictures" in err) == (1, True)


def test_what_turns_out_to_be_too_few_leaves_no_dataset(client_typing: Typed, tmp_path: Path) -> None:
    """Fifteen files of the same bytes are one picture, which only the server can tell."""
    before = datasets(client_typing)
    for number in range(15):
        shutil.copy(POSTERS[0], tmp_path / f"{number}.png")
    code, out, err = client_typing("train", tmp_path, "--name", "All the same")
    assert (code, out) == (1, "")
    assert "Not ready to train." in err
    assert "Not counted: 14 files with a picture that was sent already." in err
    assert "the same picture as 0.png, which is here already; it was not stored twice." in err
    assert "No training was started, and nothing of the upload was kept." in err
    assert datasets(client_typing) == before


def test_an_empty_folder_and_one_of_captions_only(client_typing: Typed, tmp_path: Path) -> None:
    for files in ((), ("1.txt", "2.caption"), ("1.heic",)):
        for file in files:
            (tmp_path / file).write_text("x")
        code, out, err = client_typing("train", tmp_path, "--name", "Nothing there")
        assert (code, out) == (1, "")
        assert "holds no JPEG, PNG, WebP or ZIP file" in err
    assert "1.heic: HEIC is not taken" in err


class Server:
    """A client whose server does what a test tells it."""

    def __init__(self, fault: BaseException | None = None, at: str = "upload") -> None:
        self.fault, self.at, self.deleted, self.keys = fault, at, [], []
        self.url = "http://server"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _maybe(self, at: str) -> None:
        if self.fault is not None and self.at == at:
            raise self.fault

    def create_dataset(self, name: str) -> dict[str, Any]:
        return {"dataset_id": "d1"}

    def report(self, dataset_id: str) -> dict[str, Any]:
        summary = {"min_training_images": 1, "max_training_images": 9, "image_count": 2, "captioned_count": 2,
                   "message": "Ready.", "is_ready": True, "finding_counts": {}}  # fmt: skip
        return {"summary": summary, "findings": [], "files": []}

    def upload(self, *_: object, **__: object) -> dict[str, Any]:
        self._maybe("upload")
        notes = {"notes": ["The caption of 000.png was cut."]}
        return {"failed_assets": [], "successful_assets": [{"file_name": "000.png", "x_linocut": notes}]}

    def train(self, *_: object, idempotency_key: str, dataset_kind: str | None) -> dict[str, Any]:
        self.keys.append(idempotency_key)
        self._maybe("train")
        return {"model_id": "m1"}

    def delete_dataset(self, dataset_id: str) -> None:
        self.deleted.append(dataset_id)
        self._maybe("delete")

    def model(self, model_id: str) -> dict[str, Any]:
        run = {"x_linocut": {"notes": ["The run's own remark."]}}
        return {"model_id": model_id, "status": "COMPLETED", "training_runs": [run],
                "x_linocut": {"notes": ["The model's own remark."]}}  # fmt: skip

    def watch(self, model_id: str) -> Iterator[dict[str, Any]]:
        self._maybe("watch")
        yield self.model(model_id)


@pytest.fixture
def with_server(typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Types ``linocut train`` against such a server."""
    monkeypatch.setattr(sending.time, "sleep", lambda _: None)

    def train(server: Server) -> tuple[int, str, str]:
        monkeypatch.setattr(verb, "connect", lambda *_: server)
        return typing("train", posters(tmp_path, 2), "--name", "House style")

    return train


@pytest.mark.parametrize(
    ("fault", "at", "code"),
    [
        (KeyboardInterrupt(), "upload", 130),
        (OSError(5, "Input/output error", "x.png"), "upload", 1),
        (InvalidRequest("Refused."), "train", 1),
        (Busy("Not now."), "train", 1),
    ],
)
def test_nothing_is_left_of_what_does_not_come_to_a_training(
    with_server: Any, fault: Exception, at: str, code: int
) -> None:
    server = Server(fault, at)
    assert with_server(server)[0] == code
    assert server.deleted == ["d1"]
    assert len(set(server.keys)) <= 1  # a busy server is asked again with the same key


def test_a_dataset_that_cannot_be_deleted_is_named(with_server: Any) -> None:
    server = Server(InvalidRequest("Refused."), "train")
    server.delete_dataset = lambda _: (_ for _ in ()).throw(Busy("Gone."))  # type: ignore[method-assign]
    _, _, err = with_server(server)
    assert "Gone. Its dataset is left over: linocut datasets delete d1" in err
    assert err.endswith("linocut: Refused.\n")


def test_interrupted_while_it_asks_for_the_training_nothing_is_deleted(with_server: Any) -> None:
    server = Server(KeyboardInterrupt(), "train")
    code, _, err = with_server(server)
    assert (code, server.deleted) == (130, [])
    assert "linocut models list tells" in err


def test_interrupted_while_it_trains_the_way_on_is_told(with_server: Any) -> None:
    server = Server(KeyboardInterrupt(), "watch")
    code, out, err = with_server(server)
    assert (code, out, server.deleted) == (130, "", [])
    assert err.index("model m1 trains on dataset d1") < err.index("The training goes on without you.")
    assert "linocut models watch m1" in err
    assert "linocut models cancel m1" in err


def test_remarks_of_files_model_and_run_are_shown(with_server: Any) -> None:
    code, _, err = with_server(Server())
    assert code == 0
    for remark in ("The caption of 000.png was cut.", "The model's own remark.", "The run's own remark."):
        assert err.count(f"note: {remark}\n") == 1


def test_names_that_are_not_text_are_sent_as_western_ones(client_typing: Typed, tmp_path: Path) -> None:
    """Latin-1 names on the disk; two that differ in such a letter only stay two."""
    raw = os.fsencode(tmp_path)
    for letter, poster in ((b"\xe4", POSTERS[0]), (b"\xf6", POSTERS[1])):
        shutil.copy(poster, os.path.join(raw, b"b" + letter + b"r.png"))
        with open(os.path.join(raw, b"b" + letter + b"r.txt"), "w") as caption:
            caption.write(f"caption of {poster.stem}")
    with open(os.path.join(raw, b"n\xf6.heic"), "w") as other:
        other.write("x")
    dataset_id = client_typing("datasets", "create", "Latin")[1].strip()
    code, out, err = client_typing("datasets", "upload", dataset_id, tmp_path)
    assert (code, out) == (0, "2 pictures taken, 0 files refused, 1 file left out\n")
    assert "left out: n?.heic: HEIC is not taken" in err
    listed = json.loads(client_typing("datasets", "captions", "list", dataset_id, "--json")[1])
    assert {one["file_name"]: one["caption"] for one in listed} == {
        "bär.png": "caption of 01-cup",
        "bör.png": "caption of 02-leaf",
    }
