"""LoRAs from elsewhere, over HTTP: taken in, drawn with, shared, taken home again; or refused with a sentence."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.api.live import Account, Live, running
from tests.lora_files.lora_support import by_hand, framed
from tests.walks.steps import V3_GENERATE, model, ok

from linocut.accounts import organizations
from linocut.bases import MINI
from linocut.client import Client
from linocut.errors import Unavailable
from linocut.lora_files.foreign import Foreign
from linocut.lora_files.layouts import Factors
from linocut.lora_files.names import authors_names
from linocut.lora_files.stored import AdapterMetadata
from linocut.lora_files.targets import targets_in

TARGETS = targets_in(MINI, "ideogram4")
RANK = 2
LAYER = "layers.0.attention.to_q"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server of the embedded base, whose own files tell its linears; the engine is the fake one."""
    with running(tmp_path_factory.mktemp("imports"), base=str(MINI), max_lora_mib=2) as server, server.working():
        yield server


def factors(base: str, alpha: float = 3.0, seed: int = 1) -> Factors:
    draw = np.random.default_rng(seed)
    down = {name: draw.standard_normal((RANK, i), "f4") for name, (i, _) in TARGETS.items()}
    up = {name: draw.standard_normal((o, RANK), "f4") for name, (_, o) in TARGETS.items()}
    return Factors(down, up, AdapterMetadata(base, RANK, alpha))


def named(made: Factors, key: str) -> dict[str, Any]:
    """All factors under a pattern with {name} and {half}."""
    return {key.format(name=n, half="A"): v for n, v in made.down.items()} | {
        key.format(name=n, half="B"): v for n, v in made.up.items()
    }


def send(account: Account, data: bytes, name: str = "From elsewhere", **fields: str) -> Any:
    texts = {"name": name, **fields}
    files = [("file", ("lora.safetensors", data, "application/octet-stream"))]
    return account.http.post("/models/import", data=texts, files=files)


def test_a_lora_of_each_program_becomes_the_same_model(live: Live, account: Account) -> None:
    """Four layouts of the same factors: the same stored weights, byte for byte, and versions of one name."""
    made = factors(live.runtime.base.identity)
    alphas = {f"lora_unet_{name.replace('.', '_')}.alpha": np.float32(3.0) for name in TARGETS}
    kohya = {f"lora_unet_{name.replace('.', '_')}.lora_down.weight": v for name, v in made.down.items()} | {
        f"lora_unet_{name.replace('.', '_')}.lora_up.weight": v for name, v in made.up.items()
    }
    fused = authors_names("ideogram4", TARGETS)["layers.0.attention.qkv"]
    assert fused == tuple(f"layers.0.attention.to_{one}" for one in "qkv")
    sent = {
        "diffusers": (by_hand(named(made, "transformer.{name}.lora_{half}.weight")), {"alpha": "3"}),
        "comfyui": (by_hand(named(made, "diffusion_model.{name}.lora_{half}.weight")), {"alpha": "3"}),
        "kohya": (by_hand(kohya | alphas), {}),
        "peft": (by_hand(named(made, "base_model.model.{name}.lora_{half}.default.weight")), {"alpha": "3"}),
    }
    tags = set()
    for version, (layout, (data, fields)) in enumerate(sent.items(), start=1):
        told = ok(send(account, data, **fields))["model"]
        assert told["status"] == "COMPLETED"
        assert told["custom_model_uri"] == f"model/from-elsewhere/version/{version}"
        assert told["x_linocut"]["imported"] == {"layout": layout, "rank": RANK, "alpha": 3.0}
        assert "notes" not in told["x_linocut"]
        assert (told["dataset_id"], told["training_runs"], told["is_owned"]) == (None, [], True)
        assert told == model(account, told["model_id"])
        weights = account.http.get(f"/models/{told['model_id']}/weights")
        assert weights.content == Foreign(made, "", ()).stored_bytes()
        tags.add(weights.headers["etag"])
    assert len(tags) == 1


def test_what_goes_out_and_comes_back_is_the_same_weights(live: Live, account: Account) -> None:
    stored = Foreign(factors(live.runtime.base.identity), "", ()).stored_bytes()
    with Client(account.api_key, live.url) as client:
        first = client.import_model(stored, "There and back")
        for layout in ("diffusers", "comfyui", "kohya"):
            again = client.import_model(client.weights(first["model_id"], layout), "There and back")
            assert again["x_linocut"]["imported"] == {"layout": layout, "rank": RANK, "alpha": 3.0}
            assert client.weights(again["model_id"]) == stored
        drawn = client.generate("tea", custom_model_uri=again["custom_model_uri"], seed=1)
        assert drawn["data"][0]["url"]


def test_an_imported_model_is_shared_archived_and_followed_like_any_other(live: Live, account: Account) -> None:
    told = ok(send(account, by_hand(named(factors("x"), "transformer.{name}.lora_{half}.weight"))))["model"]
    path = f"/models/{told['model_id']}"
    assert told["x_linocut"]["notes"][0].startswith("The LoRA file does not say its alpha")
    colleague = live.account()
    with live.runtime.db.transaction() as tx:
        organizations.add_member(tx, colleague.organization_id, account.user_id)
    draw = {"prompt": "tea", "custom_model_uri": told["custom_model_uri"]}
    assert colleague.http.post(V3_GENERATE, json=draw).status_code == 404
    ok(account.http.put(f"{path}/share", json={"organization_id": colleague.organization_id}))
    assert colleague.http.post(V3_GENERATE, json=draw).status_code == 200
    assert set(model(colleague, told["model_id"])["x_linocut"]) == {"base", "licence"}
    assert account.http.get(f"{path}/events").text.count("COMPLETED") == 1
    assert account.http.post(f"{path}/cancel").status_code == 409
    assert account.http.delete(path).status_code == 204
    for one in (account, colleague):
        assert one.http.post(V3_GENERATE, json=draw).status_code == 404


def test_linears_that_are_left_out_are_said(account: Account, live: Live) -> None:
    part = by_hand(
        {f"{LAYER}.lora_A.weight": np.ones((2, 192), "f2"), f"{LAYER}.lora_B.weight": np.ones((192, 2), "f2")}
    )
    told = ok(send(account, part, alpha="1.5"))["model"]
    assert told["x_linocut"]["notes"] == ["The LoRA covers 1 of the base's 56 linears; the others stay as they are."]
    assert told["x_linocut"]["imported"] == {"layout": "plain", "rank": 2, "alpha": 1.5}


GOOD = {f"{LAYER}.lora_A.weight": np.ones((2, 192), "f4"), f"{LAYER}.lora_B.weight": np.ones((192, 2), "f4")}
NAN = GOOD | {f"{LAYER}.lora_B.weight": np.full((192, 2), np.nan, "f4")}
REFUSED: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "pickled, in a zip": (b"PK\x03\x04" + bytes(99), {}, 400, "a zip archive.*pickles"),
    "nothing": (b"", {}, 400, "shorter than"),
    "a header past the end": (b"\xff" * 64, {}, 400, "at most 8388608"),
    "overlapping": (
        framed({n: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for n in "ab"}, bytes(4)), {}, 400, "overlaps"
    ),
    "another base's": (
        by_hand({f"double_blocks.{n}.img_attn.qkv.lora_A.weight": np.ones((1, 1), "f4") for n in range(7)}), {}, 400,
        "7 of its 7 keys fit no linear of this base: double_blocks.0.* and 2 more",
    ),
    "another size's": (
        by_hand(GOOD | {f"{LAYER}.lora_A.weight": np.ones((2, 64), "f4")}), {}, 400,
        r"1 of its 1 linears have other sizes.*layers.0.attention.to_q \(64 to 192, not 192 to 192\)",
    ),
    "not a number": (by_hand(NAN), {}, 400, "no finite numbers"),
    "a rank that swells": (
        by_hand({n: np.ones((512, 192) if "_A" in n else (192, 512), "f2") for n in GOOD}), {}, 400,
        "rank 512 on all 56 linears .*at most 4 MiB",
    ),
    "too large": (bytes((2 << 20) + 1), {}, 413, "file: a LoRA file may have 2 MiB"),
    "far too large": (bytes(4 << 20), {}, 413, "larger than 3 MiB"),
    "a short name": (by_hand(GOOD), {"name": "abc"}, 400, "name must have 5 to 30"),
    "300 letters": (by_hand(GOOD), {"name": "a" * 300}, 400, "name must have 5 to 30"),
    "a path": (by_hand(GOOD), {"name": "../../etc/passwd"}, 400, "name must have 5 to 30"),
    "hyphens": (by_hand(GOOD), {"name": "- - - -"}, 400, "name must hold a letter"),
    "alpha 0": (by_hand(GOOD), {"alpha": "0"}, 400, "alpha must be a number above 0"),
    "alpha nan": (by_hand(GOOD), {"alpha": "nan"}, 400, "alpha must be a number above 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_be_taken_leaves_nothing(account: Account, live: Live, case: str) -> None:
    data, fields, status, sentence = REFUSED[case]
    told = send(account, data, **fields)
    assert told.status_code == status
    assert re.search(sentence, told.json()["error"]), told.text
    assert ok(account.http.get("/models"))["models"] == []
    spool = live.settings.data / "spool"
    assert not [path for folder in spool.iterdir() for path in folder.iterdir()]


def test_without_a_file_or_with_two_it_says_what_is_missing(account: Account) -> None:
    only_name = account.http.post("/models/import", files=[("name", (None, b"From elsewhere"))])
    assert (only_name.status_code, "file is required" in only_name.text) == (400, True)
    two = [("file", (f"{n}.safetensors", by_hand(GOOD))) for n in range(2)]
    told = account.http.post("/models/import", data={"name": "From elsewhere"}, files=two)
    assert (told.status_code, "file is one file, and 2 were sent" in told.text) == (400, True)


def test_the_same_import_under_one_key_is_one_model(account: Account, live: Live) -> None:
    with Client(account.api_key, live.url) as client:
        first = client.import_model(by_hand(GOOD), "Only once", idempotency_key="k1")
        again = client.import_model(by_hand(GOOD), "Only once", idempotency_key="k1")
        assert first == again
        assert len(client.models()) == 1
        assert client.import_model(by_hand(GOOD), "Only once")["custom_model_uri"].endswith("/version/2")


def test_the_blob_is_durable_before_the_row(live: Live, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is full: no row tells of weights that are not there."""

    def full(*_: object) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(live.runtime.store, "put", full)
    assert send(account, by_hand(GOOD)).status_code == 503
    assert ok(account.http.get("/models"))["models"] == []
