"""Cards over HTTP: who gets one, and that nothing of the dataset is in it."""

import tempfile
from pathlib import Path

import pytest
import yaml
from tests.api.live import Account, Live
from tests.walks.steps import trained

from linocut.accounts import organizations, people
from linocut.cli.main import main
from linocut.client import Client


def test_a_card_tells_of_the_model_and_of_nobody(live: Live, account: Account) -> None:
    with live.runtime.db.transaction() as tx:
        people.change(tx, account.user_id, email=f"{account.user_id.lower()}@example.org")
    done = trained(account, "Night posters")
    told = account.http.get(f"/models/{done['model_id']}/card")
    assert (told.status_code, told.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
    head = yaml.safe_load(told.text.split("---\n")[1])
    assert (head["license"], head["tags"][2]) == ("apache-2.0", "lora")
    run = done["training_runs"][0]
    assert f"| steps | {run['training_steps']} |" in told.text
    assert f"| seed | {run['x_linocut']['seed']} |" in told.text
    for secret in ("a tea poster", "Tea posters", ".png", "example.org", account.api_key, account.user_id,
                   account.organization_id, done["dataset_id"], str(live.settings.data),
                   tempfile.gettempdir(), "lino_"):  # fmt: skip
        assert secret not in told.text


def test_only_the_owner_gets_it_and_only_once_there_are_weights(live: Live, account: Account) -> None:
    done = trained(account)
    colleague = live.account()
    with live.runtime.db.transaction() as tx:
        organizations.add_member(tx, colleague.organization_id, account.user_id)
    path = f"/models/{done['model_id']}"
    assert colleague.http.get(f"{path}/card").status_code == 404
    account.http.put(f"{path}/share", json={"organization_id": colleague.organization_id})
    assert colleague.http.get(f"{path}/card").status_code == 403


def test_it_lies_beside_the_weights_in_a_folder(
    live: Live, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = trained(account, "Folder style")
    monkeypatch.setenv("LINOCUT_API_KEY", account.api_key)

    def run(*words: str) -> None:
        with pytest.raises(SystemExit) as left:
            main(["models", *words, "--url", live.url])
        assert left.value.code == 0

    with Client(account.api_key, live.url) as client:
        text = client.card(done["model_id"])
    folder = tmp_path / "to-the-hub"
    run("weights", done["model_id"], "--out", str(folder))
    slug, _, version = done["custom_model_uri"].removeprefix("model/").partition("/version/")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", f"{slug}-{version}.safetensors"]
    assert (folder / "README.md").read_text() == text
    (folder / "README.md").write_text("my own words")
    capsys.readouterr()
    run("weights", done["model_id"], "--out", str(folder), "--format", "comfyui")
    assert "is there already and was left as it is" in capsys.readouterr().err
    assert (folder / "README.md").read_text() == "my own words"
    run("card", done["model_id"])
    assert capsys.readouterr().out.rstrip("\n") == text.rstrip("\n")
    run("card", done["model_id"], "--out", str(tmp_path / "card.md"))
    assert (tmp_path / "card.md").read_text() == text
