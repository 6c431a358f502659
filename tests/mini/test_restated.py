"""Whatever a plain caption says, its restatement fits into the embedded base's text."""

import pytest

from linocut.captions import caption_text
from linocut.catalogue import MINI, load_base
from linocut.prompting import restate
from pretrain import tokenizer

WORDS = ("ABCDEFGHIJKL", "MNOPQRSTUVWX", "abcdefghijkl", "QWERTYUIOPAS", "ZXCVBNMASDFG", "POIUYTREWQLK")
QUOTED = " ".join(f'"{word}"' for word in WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "日本語の長い説明。" * 60,
        "привет мир " * 60,
        "xqzj kvbw " * 60,
        "🦊" * 200,
        f"tilted crimson and #ABCDEF stars on #123456 and #654321 vertical stripes, {QUOTED} in thin #FEDCBA " * 4,
        f"{QUOTED} " + "日本語" * 100,
    ],
)
def test_a_restated_caption_fits(text: str) -> None:
    base = load_base(MINI)
    words = tokenizer.build()
    caption = caption_text(restate(text, base.max_text_tokens))
    framed = words.apply_chat_template(
        [{"role": "user", "content": [{"type": "text", "text": caption}]}], tokenize=False, add_generation_prompt=True
    )
    assert len(words(framed, add_special_tokens=False)["input_ids"]) <= base.max_text_tokens
