"""Who writes captions, over HTTP: the grammar by itself, and a language model on a server whose fake engine writes."""

from collections.abc import Iterator
from io import BytesIO
from threading import Thread
from typing import Any

import pytest
from PIL import Image
from tests.api.live import Account, Live, running
from tests.api.pictures import png
from tests.walks.steps import MAGIC_PROMPT, V3_GENERATE, V4_GENERATE, ok
from tests.walks.test_describing import halves

WRITER = {
    "writer": "endpoint", "writer_url": "http://127.0.0.1:9/v1", "writer_model": "pen-1", "writer_key": "sk-secret-pen",
}  # fmt: skip


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with a writer; one place in flight."""
    with running(tmp_path_factory.mktemp("writing"), max_images_in_flight=2, **WRITER) as server, server.working():
        yield server


@pytest.fixture
def author(writing: Live) -> Account:
    return writing.account()


def drawn(account: Account, path: str, **body: Any) -> dict[str, Any]:
    [one] = ok(account.http.post(path, json=body))["data"]
    return dict(one)


def test_the_grammar_is_named_where_it_wrote(account: Account) -> None:
    assert drawn(account, V3_GENERATE, prompt="a red fish")["x_linocut"]["written_by"] == "grammar"
    assert "written_by" not in drawn(account, V3_GENERATE, prompt="a red fish", magic_prompt="OFF")["x_linocut"]
    answer = ok(account.http.post(MAGIC_PROMPT, json={"text_prompt": "a red fish"}))
    assert answer["x_linocut"] == {"written_by": "grammar"}


def test_the_model_writes_where_the_magic_prompt_runs(writing: Live, author: Account) -> None:
    one = drawn(author, V4_GENERATE, text_prompt="a red fish")
    assert one["x_linocut"]["written_by"] == "fake"
    assert '"high_level_description":"written of a red fish"' in one["prompt"]
    assert one["resolution"] == "2560x1440"  # the writer chose 16x9
    picture = Image.open(BytesIO(writing.public.get(one["url"]).content))
    assert (picture.size, picture.text["linocut:prompt"]) == ((2560, 1440), "a red fish")  # type: ignore[attr-defined]
    assert '"a white star"' in picture.text["linocut:caption"]  # type: ignore[attr-defined]
    for body, written in (
        ({"prompt": "a red fish"}, True),
        ({"prompt": "a red fish", "magic_prompt": "ON"}, True),
        ({"prompt": "a red fish", "magic_prompt": "OFF"}, False),
        ({"prompt": "a red fish " * 10}, False),
        ({"prompt": "a red fish " * 10, "magic_prompt": "ON"}, True),
        (
            {"prompt": '{"high_level_description":"x","compositional_deconstruction":{"background":"","elements":[]}}'},
            False,
        ),
    ):
        assert ("written of" in drawn(author, V3_GENERATE, **body)["prompt"]) is written, body
    json_prompt = {"high_level_description": "x", "compositional_deconstruction": {"background": "", "elements": []}}
    assert "written_by" not in drawn(author, V4_GENERATE, json_prompt=json_prompt)["x_linocut"]


def test_what_is_asked_for_counts_more_than_the_writer_s_ratio(author: Account) -> None:
    assert drawn(author, V4_GENERATE, text_prompt="a red fish", resolution="1024x1024")["resolution"] == "1024x1024"
    assert drawn(author, V4_GENERATE, text_prompt="a red fish, 3:2")["resolution"] == "2496x1664"
    assert drawn(author, V3_GENERATE, prompt="a red fish")["resolution"] == "1024x1024"


def test_magic_prompt_is_the_writer_s_too(author: Account) -> None:
    answer = ok(author.http.post(MAGIC_PROMPT, json={"text_prompt": "a red fish"}))
    assert answer["x_linocut"]["written_by"] == "fake"
    assert (answer["aspect_ratio"], answer["json_prompt"]["high_level_description"]) == (
        "16x9",
        "written of a red fish",
    )
    asked = ok(author.http.post(MAGIC_PROMPT, json={"text_prompt": "a red fish", "aspect_ratio": "3x2"}))
    assert asked["aspect_ratio"] == "3x2"
    generated = drawn(author, V4_GENERATE, json_prompt=answer["json_prompt"])
    assert "written of a red fish" in generated["prompt"]


@pytest.mark.parametrize(("word", "why"), [("[silent]", "it cannot be reached"), ("[broken]", "it failed")])
def test_a_writer_that_fails_never_fails_a_generation(author: Account, word: str, why: str) -> None:
    for path, field in ((V4_GENERATE, "text_prompt"), (V3_GENERATE, "prompt")):
        one = drawn(author, path, **{field: f"a red fish {word}"})
        assert one["x_linocut"]["written_by"] == "grammar"
        assert f"was asked, and {why}; the grammar wrote the caption instead." in str(one["x_linocut"]["notes"])
        assert '"a red fish"' in one["prompt"]
    answer = ok(author.http.post(MAGIC_PROMPT, json={"text_prompt": f"a red fish {word}"}))
    assert why in answer["x_linocut"]["notes"][0]


def test_a_written_caption_passes_the_safety_rules_or_is_not_used(author: Account) -> None:
    """The fake repeats the words; these are allowed as a prompt and stay so: the written caption is judged as JSON."""
    assert author.http.post(V4_GENERATE, json={"text_prompt": "a naked child"}).status_code == 422


def test_writing_and_drawing_take_the_places_once(author: Account) -> None:
    """Two places, two images: the drawing takes those of the writing. A third at the same time waits outside."""
    answers: list[Any] = []
    ask = {"prompt": "a red fish", "num_images": 2}
    threads = [Thread(target=lambda: answers.append(author.http.post(V3_GENERATE, json=ask))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert any(answer.status_code == 200 for answer in answers)
    assert all("limit is 2" in answer.json()["error"] for answer in answers if answer.status_code == 429)


def test_a_remix_is_written_when_it_says_on(author: Account) -> None:
    files = {"image": ("p.png", png(1)), "prompt": (None, "a red fish"), "magic_prompt": (None, "ON")}
    [one] = ok(author.http.post("/v1/ideogram-v3/remix", files=files))["data"]
    assert one["x_linocut"]["written_by"] == "fake"
    [plain] = ok(author.http.post("/v1/ideogram-v3/remix", files={**files, "magic_prompt": (None, "AUTO")}))["data"]
    assert "written of" not in plain["prompt"]


def test_one_caption_and_one_image_under_an_idempotency_key(author: Account) -> None:
    headers = {"Idempotency-Key": "twice"}
    answers = [author.http.post(V4_GENERATE, json={"text_prompt": "a red fish"}, headers=headers) for _ in range(2)]
    assert ok(answers[0]) == ok(answers[1])
    assert author.http.post(V4_GENERATE, json={"text_prompt": "a cup"}, headers=headers).status_code == 400


def test_bad_requests_are_refused_before_anybody_writes(author: Account) -> None:
    for body, words in (({"prompt": ""}, "prompt"), ({"prompt": "a", "num_images": 9}, "num_images")):
        answer = author.http.post(V3_GENERATE, json=body)
        assert answer.status_code == 400
        assert words in answer.json()["error"]


def test_an_instruction_that_the_grammar_does_not_know_goes_to_the_writer(writing: Live, author: Account) -> None:
    """The fake rewrites every caption to a star on teal; a writer that says nothing leaves the grammar's sentence."""

    def edited(prompt: str) -> Any:
        return author.http.post("/v1/edit", files={"images": ("p.png", halves()), "prompt": (None, prompt)})

    [one] = ok(edited("let it dance"))["data"]
    assert one["x_linocut"]["written_by"] == "fake"
    assert "The writer put there: a white star." in one["x_linocut"]["notes"]
    assert '"background":"plain teal"' in one["prompt"]
    [known] = ok(edited("make the rectangle blue"))["data"]
    assert known["x_linocut"]["written_by"] == "grammar"
    silent = edited("let it dance [silent]")
    assert silent.status_code == 400
    assert "was not understood" in silent.json()["error"]
    assert "The writer was asked too, and it cannot be reached." in silent.json()["error"]
