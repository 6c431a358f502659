"""/v1/edit over HTTP, on the fake engine: it sees a ground and a rectangle in its lower half, and keeps what the real
one keeps."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.walks.steps import V3_GENERATE, ok
from tests.walks.test_describing import halves

from linocut.client import Client
from linocut.errors import InvalidRequest

EDIT = "/v1/edit"


def sent(account: Account, prompt: str, pictures: int = 1, headers: dict[str, str] | None = None, **fields: str) -> Any:
    parts: list[tuple[str, Any]] = [("images", ("blob", halves()))] * pictures
    parts += [(name, (None, text)) for name, text in {"prompt": prompt, **fields}.items()]
    return account.http.post(EDIT, files=parts, headers=headers or {})


def seen(live: Live, answer: Any) -> Any:
    return np.asarray(Image.open(BytesIO(live.public.get(answer["data"][0]["url"]).content)))


BEFORE = np.asarray(Image.open(BytesIO(halves())))


def test_only_what_changes_is_drawn_anew_and_it_is_said(live: Live, account: Account) -> None:
    answer = ok(sent(account, "make the rectangle blue", seed="3", num_images="2"))
    after = seen(live, answer)
    assert (after[:22] == BEFORE[:22]).all()
    assert not (after[26:] == BEFORE[26:]).all(axis=-1).any()
    one = answer["data"][0]
    assert [image["seed"] for image in answer["data"]] == [3, 4]
    assert one["resolution"] == "64x48"
    assert '"desc":"a blue rectangle"' in one["prompt"]
    assert one["x_linocut"]["described_by"] == "fake"
    assert "Understood: a red rectangle becomes blue." in one["x_linocut"]["notes"]


def test_another_ground_leaves_the_things_before_it(live: Live, account: Account) -> None:
    after = seen(live, ok(sent(account, "change the background to plain yellow")))
    assert (after[30:, 4:60] == BEFORE[30:, 4:60]).all()
    assert not (after[:20] == BEFORE[:20]).all(axis=-1).any()


def test_a_size_that_is_asked_for_is_drawn_on(live: Live, account: Account) -> None:
    answer = ok(sent(account, "make the rectangle blue", aspect_ratio="1x1"))
    assert answer["data"][0]["resolution"] == "1024x1024"
    assert seen(live, answer).shape == (1024, 1024, 3)
    assert "was scaled up to 1024x768 to fit into 1024x1024" in str(answer["data"][0]["x_linocut"]["notes"])
    assert '"bbox":[500,0,875,1000]' in answer["data"][0]["prompt"]


def test_a_transparent_ground(live: Live, account: Account) -> None:
    after = seen(live, ok(sent(account, "make the rectangle blue", transparent_background="true")))
    assert after.shape == (48, 64, 4)
    assert (after[0, 0, 3], after[24, 32, 3]) == (0, 255)


def test_with_magic_prompt_off_the_answer_says_the_instruction(account: Account) -> None:
    assert (
        ok(sent(account, "make the rectangle blue", magic_prompt="OFF"))["data"][0]["prompt"]
        == "make the rectangle blue"
    )


def test_a_link_of_this_server_is_a_picture(live: Live, account: Account) -> None:
    [drawn] = ok(account.http.post(V3_GENERATE, json={"prompt": "a red fish", "seed": 4}))["data"]
    parts = {"prompt": (None, "make the rectangle blue"), "image_urls": (None, drawn["url"])}
    answer = ok(account.http.post(EDIT, files=parts))
    before = np.asarray(Image.open(BytesIO(live.public.get(drawn["url"]).content)))
    after = seen(live, answer)
    assert (after[:400] == before[:400]).all()
    other = live.account()
    for link, words in (
        (drawn["url"][:-1] + ("0" if drawn["url"][-1] != "0" else "1"), "changed"),
        ("https://example.org/picture.png", "Only links"),
        (drawn["url"].replace("exp=", "exp=1"), "changed"),
        ("x" * 3000, "3000 characters"),
    ):
        answer = account.http.post(EDIT, files={**parts, "image_urls": (None, link)})
        assert answer.status_code == 400, link
        assert words in answer.json()["error"]
        assert answer.json()["error"].startswith("image_urls")
    assert "organisation" in other.http.post(EDIT, files=parts).json()["error"]


@pytest.mark.parametrize(("named", "field"), [(("images", "images"), "images"), (("image_urls",) * 2, "image_urls")])
def test_several_pictures_are_told_to_be_one(account: Account, named: tuple[str, ...], field: str) -> None:
    """The refusal names the field that they came in."""
    parts = [(name, (None, "http://x/a.png") if "urls" in name else ("a.png", halves())) for name in named]
    told = account.http.post(EDIT, files=[*parts, ("prompt", (None, "make it blue"))]).json()["error"]
    assert told.startswith(f"{field}: The base that is served edits one picture at a time, and 2 were sent.")
    assert told.endswith("can take more. Send one picture.")


@pytest.mark.parametrize(("prompt", "fields", "pictures", "words"), [
    ("make it blue", {}, 0, "Send images (files) or image_urls"),
    ("", {}, 1, "prompt must not be empty"),
    ("dance", {}, 1, "It shows a red rectangle on plain navy. Say it like these"),
    ("remove the cat", {}, 1, '"the cat" was not found in the picture'),
    ("make the rectangle red", {}, 1, "nothing would change"),
    ("make it blue", {"num_images": "9"}, 1, "num_images"),
    ("make it blue", {"resolution": "12x12"}, 1, "resolution"),
    ("make it blue", {"resolution": "1024x1024", "aspect_ratio": "1x1"}, 1, "resolution or aspect_ratio"),
    ("make it blue", {"transparent_background": "perhaps"}, 1, "transparent_background"),
    ("make it blue", {"magic_prompt": "NEVER"}, 1, "magic_prompt"),
    ("make it blue", {}, 2, "edits one picture at a time, and 2 were sent. A base of "),
    ("make it blue", {}, 11, "10"),
])  # fmt: skip
def test_what_cannot_be_done_is_told(
    account: Account, prompt: str, fields: dict[str, str], pictures: int, words: str
) -> None:
    answer = sent(account, prompt, pictures, **fields)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_part_that_is_not_understood_is_told_beside_the_picture(account: Account) -> None:
    [one] = ok(sent(account, "make the rectangle blue; add something nice"))["data"]
    assert 'Not understood, and left as it is: "add something nice".' in one["x_linocut"]["notes"]


def test_an_unsafe_instruction_is_refused_before_anything_is_looked_at(account: Account) -> None:
    assert sent(account, "make the rectangle a naked child").status_code == 422


def test_one_effect_under_an_idempotency_key(account: Account) -> None:
    key = {"Idempotency-Key": "once"}
    first = sent(account, "make the rectangle blue", headers=key)
    assert ok(sent(account, "make the rectangle blue", headers=key)) == ok(first)
    assert sent(account, "make the rectangle green", headers=key).status_code == 400


def test_the_client_edits(account: Account) -> None:
    with Client(account.api_key, str(account.http.base_url)) as client:
        answer = client.edit([halves()], "make the rectangle blue", seed=3)
        assert answer["data"][0]["seed"] == 3
        again = client.edit(prompt="make the rectangle green", image_urls=[answer["data"][0]["url"]])
        assert again["data"][0]["resolution"] == "64x48"
        with pytest.raises(InvalidRequest, match="at least one"):
            client.edit(prompt="make it blue")
