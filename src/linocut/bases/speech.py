"""Whether a base's own language model can write, from configs and headers. No weight is read.

A text tower reads with the body of a language model. To write it needs the head too, which turns features into words:
the table of words itself where both are tied, ``lm_head.weight`` in the text tower's own files, or a part of its own
(Ideogram 4's ``prompt_enhancer_head``, which its authors' library takes from a repository apart).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linocut.bases.reading import TensorFacts, check_header, json_or_nothing, weights_of
from linocut.bases.types import HEAD_PART, Base
from linocut.errors import InvalidRequest

TOWER, TENSOR = "text_encoder", "lm_head.weight"
HEAD_REPOSITORY = "diffusers/qwen3-vl-8b-instruct-lm-head"
"""Where the library's Ideogram4Pipeline tells its users to take the head from."""

LANGUAGE_MODELS = ("qwen3", "qwen2_5_vl", "mistral")
"""How the ``model_type`` of a text tower begins whose body is that of a language model."""

CACHE_COPIES, CACHE_VALUE_BYTES = 2, 2
MOST_PROMPT_TOKENS = 2048
"""Of what the writer is told: our instructions are about 700, the rest is what somebody wants drawn."""


@dataclass(frozen=True)
class Head:
    """``shard`` and ``tensor``: the file of the head and its name in it; None: the table of words is the head.
    ``beside_bytes``: what it takes beside the base, 0 where the base holds it. ``cache_bytes``: of one token, in bf16.
    """

    shard: Path | None
    tensor: str
    beside_bytes: int
    cache_bytes: int

    def bytes(self, tokens: int) -> int:
        """What writing takes of the device: the head, and the cache of a text of so many tokens and its prompt."""
        return self.beside_bytes + self.cache_bytes * (MOST_PROMPT_TOKENS + tokens)


def head_of(base: Base, folder: Path, own: Path | None) -> Head:
    """The head of the base in ``folder``; ``own``: a folder that the operator names. ``InvalidRequest`` with the ways
    out where the base cannot write."""
    config = json_or_nothing(folder, f"{TOWER}/config.json")
    text = config.get("text_config", config)
    if base.knows or not str(config.get("model_type")).startswith(LANGUAGE_MODELS):
        raise InvalidRequest(
            f"LINOCUT_WRITER is 'base', and the text tower of {base.name} only reads: it is no language model. "
            f"{_WAYS_OUT}"
        )
    width, words = int(text["hidden_size"]), int(text["vocab_size"])
    if own is not None or (folder / HEAD_PART).is_dir():
        where, part = (folder, HEAD_PART) if own is None else (own.parent, own.name)
        if not (where / part).is_dir():
            raise InvalidRequest(f"LINOCUT_WRITER_HEAD is {own}, and there is no such folder (docs/writers.md).")
        shard, found = _named(where, part) or _missing(where / part)
        return Head(shard, found.name, _fitting(found, width, words), _cache_bytes(text))
    if config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)):
        return Head(None, "", 0, _cache_bytes(text))
    inside = _named(folder, TOWER)
    if inside is None:
        raise InvalidRequest(
            f"LINOCUT_WRITER is 'base', and {folder.name} holds its language model without the head that turns "
            f"features into words. Lay that part beside the others as {HEAD_PART}, or name its folder in "
            f"LINOCUT_WRITER_HEAD; for Ideogram 4 it is the repository {HEAD_REPOSITORY}. Or set LINOCUT_WRITER to "
            "grammar or endpoint (docs/writers.md)."
        )
    shard, found = inside
    _fitting(found, width, words)
    return Head(shard, found.name, 0, _cache_bytes(text))


def _named(folder: Path, part: str) -> tuple[Path, TensorFacts] | None:
    """The file and the facts of the head among a part's tensors."""
    for shard in weights_of(folder, part).files:
        for name, facts in check_header(folder, shard).items():
            if name == TENSOR or name.endswith(f".{TENSOR}"):
                begin, end = facts["data_offsets"]
                return shard, TensorFacts(name, str(facts["dtype"]), tuple(facts["shape"]), end - begin)
    return None


def _missing(folder: Path) -> Any:
    raise InvalidRequest(f"{folder} is no head of a language model: it holds no {TENSOR} (docs/writers.md).")


def _fitting(head: TensorFacts, width: int, words: int) -> int:
    """The bytes of the head in bf16. ``InvalidRequest`` where it is that of another model."""
    if len(head.shape) != 2 or head.shape[1] != width or head.shape[0] > words:
        raise InvalidRequest(
            f"The writer's head is {' x '.join(map(str, head.shape))}, and the base's language model has {words} words "
            f"of {width} values: it is the head of another model. Name the right one in LINOCUT_WRITER_HEAD."
        )
    return 2 * head.shape[0] * head.shape[1]


def _cache_bytes(text: dict[str, Any]) -> int:
    """Keys and values of one token in all layers."""
    heads = int(text.get("num_key_value_heads") or text["num_attention_heads"])
    side = int(text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"])
    return CACHE_COPIES * CACHE_VALUE_BYTES * int(text["num_hidden_layers"]) * heads * side


_WAYS_OUT = (
    "Those that can write are Ideogram 4 (with its prompt head), Qwen-Image and Qwen-Image-Edit, FLUX.2 klein and dev, "
    "and Z-Image. Serve one of them, or set LINOCUT_WRITER to grammar or endpoint (docs/writers.md)."
)
