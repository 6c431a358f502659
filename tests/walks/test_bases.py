"""Which base a server has, under which licence, and that its custom models inherit it."""

from pathlib import Path

from tests.api.live import Account, Live
from tests.walks.in_process import Inside
from tests.walks.steps import model, ok, trained

from linocut.bases import Licence, Memory
from linocut.bases.known import catalogue
from linocut.client import Client
from linocut.runtime import loading_file
from linocut.settings import Settings
from linocut.workers.supervise import check_base


def test_the_served_base_comes_first_and_the_known_ones_follow(live: Live, account: Account) -> None:
    found = ok(account.http.get("/bases"))["bases"]
    assert [one["name"] for one in found] == ["mini", *catalogue()]
    served = found[0]
    assert (served["identity"], served["state"]) == (live.runtime.base.identity, "serving")
    assert served["licence"]["name"] == "Apache-2.0"
    assert served["can"] == {
        "negative_text": True, "references": False, "instructions": False, "editing": True, "transparent": False,
        "training": True,
    }  # fmt: skip
    others = {one["name"]: one for one in found[1:]}
    assert {one["state"] for one in others.values()} <= {"absent", "unsupported"}
    assert others["flux2-klein-4b"]["can"]["references"] is True
    assert others["flux2-klein-4b"]["can"]["negative_text"] is False, "its guidance is built in"
    assert others["flux2-klein-base-4b"]["can"]["negative_text"] is True
    assert others["ideogram-4"]["licence"]["hosting"] is False
    assert all(one["identity"] is None for one in others.values())
    assert account.http.get("/bases", headers={"Api-Key": "wrong"}).status_code == 401
    with Client(account.api_key, live.url) as client:
        again = client.bases()
    assert [one | {"workers": []} for one in again] == [one | {"workers": []} for one in found]  # they come and go


def test_a_custom_model_inherits_the_licence_of_its_base(live: Live, account: Account) -> None:
    done = trained(account)
    for seen in (done, model(account, done["model_id"]), ok(account.http.get("/models"))["models"][0]):
        assert seen["x_linocut"]["licence"]["name"] == "Apache-2.0"
        assert seen["x_linocut"]["licence"]["hosting"] is True


def test_a_base_that_is_loading_and_one_that_was_pulled(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    try:
        pulled = inside.runtime.settings.pulled_bases / "sdxl"
        pulled.mkdir(parents=True)
        (pulled / ".linocut-pull.json").write_text("{}")
        from linocut.api.translate.bases import bases_of

        states = {one.name: one.state for one in bases_of(inside.runtime).bases}
        assert (states["mini"], states["sdxl"], states["z-image"]) == ("loading", "stored", "absent")
    finally:
        inside.close()


def test_while_a_base_loads_readyz_says_how_far(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    try:
        assert inside.ask("", "GET", "/readyz").json["error"] == (
            "The engine is still loading its base; try again shortly."
        )
        told = loading_file(inside.runtime.settings, "worker-1")
        told.parent.mkdir()
        told.write_text("text_encoder: 18.6 of 53.6 GB")
        answer = inside.ask("", "GET", "/readyz")
        assert answer.status == 503
        assert "still loading its base (text_encoder: 18.6 of 53.6 GB)" in answer.json["error"]
    finally:
        inside.close()


def test_a_server_for_one_purpose_refuses_the_other(tmp_path: Path) -> None:
    for purpose, path, body in (
        ("serving", "/v1/ideogram-v3/train-model", {"dataset_id": "x", "model_name": "House style"}),
        ("training", "/v1/ideogram-v3/generate", {"prompt": "tea"}),
    ):
        inside = Inside(tmp_path / purpose, purpose=purpose)
        try:
            _, key = inside.key(*inside.person("somebody"))
            refused = inside.ask(key, "POST", path, body)
            assert (refused.status, f"LINOCUT_PURPOSE={purpose}" in refused.json["error"]) == (400, True)
        finally:
            inside.close()


def test_licences_of_bases_that_were_served_before_are_remembered(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, engine="fake")
    check_base(settings)
    memory = Memory(settings.bases_memory)
    [(identity, licence)] = memory.licences.items()
    assert (identity[:10], licence.name) == ("ideogram4@", "Apache-2.0")
    memory.keep_licence("flux2@0", Licence("Ours", hosting=False))
    check_base(settings)
    assert set(Memory(settings.bases_memory).licences) == {identity, "flux2@0"}
