"""Whatever a text says, its caption fits into the embedded base's text."""

import pytest

from linocut.bases import MINI, load_base
from linocut.captions import caption_text
from linocut.prompting import expand, fitted, restate
from pretrain import tokenizer

WORDS = ("ABCDEFGHIJKL", "MNOPQRSTUVWX", "abcdefghijkl", "QWERTYUIOPAS", "ZXCVBNMASDFG", "POIUYTREWQLK")
QUOTED = " ".join(f'"{word}"' for word in WORDS)


@pytest.mark.parametrize("make", ["restated", "expanded"])
@pytest.mark.parametrize(
    "text",
    [
        "日本語の長い説明。" * 60,
        "привет мир " * 60,
        "xqzj kvbw " * 60,
        "🦊" * 200,
        f"tilted crimson and #ABCDEF stars on #123456 and #654321 vertical stripes, {QUOTED} in thin #FEDCBA " * 4,
        f"{QUOTED} " + "日本語" * 100,
        "cat " * 2000,
        "a red circle, " * 200,
        "lavender, " * 200,
        "#ABCDEF " * 200,
        '"a" ' * 100 + "{}[]\\" * 50,
        "qx" * 4000,
        "the word lavender in lavender " * 40,
    ],
)
def test_a_caption_fits(text: str, make: str) -> None:
    base = load_base(MINI)
    words = tokenizer.build()
    made = restate(text) if make == "restated" else expand(text, (1, 1), 0)
    caption = caption_text(fitted(made, base.max_text_tokens, is_small=True))
    framed = words.apply_chat_template(
        [{"role": "user", "content": [{"type": "text", "text": caption}]}], tokenize=False, add_generation_prompt=True
    )
    assert len(words(framed, add_special_tokens=False)["input_ids"]) <= base.max_text_tokens
