"""Tiny bases whose language model can write: what the authors' heads look like, with random weights."""

import json
from pathlib import Path

import torch
from diffusers.pipelines.ideogram4.prompt_enhancer import Ideogram4PromptEnhancerHead
from safetensors.torch import load_file, save_file
from tests.engine.tiny_bases import ideogram4_base

from linocut.bases.types import HEAD_PART


def writing_ideogram4(folder: Path, words: int = 259, width: int = 8) -> Path:
    """Ideogram 4 with the part that its authors' library calls prompt_enhancer_head."""
    ideogram4_base(folder)
    head_at(folder / HEAD_PART, words, width)
    return folder


def head_at(folder: Path, words: int = 259, width: int = 8, seed: int = 5) -> Path:
    """A head by the library's class."""
    torch.manual_seed(seed)
    Ideogram4PromptEnhancerHead(hidden_size=width, vocab_size=words).save_pretrained(folder)
    return folder


def tied(folder: Path) -> Path:
    """The base in ``folder``, whose table of words is its head."""
    path = folder / "text_encoder" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tie_word_embeddings": True}))
    return folder


def without_head(folder: Path) -> Path:
    """The base in ``folder``, the head taken out of its text tower's file."""
    path = folder / "text_encoder" / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if "lm_head" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    return folder


def with_head(folder: Path, words: int = 259, width: int = 16) -> Path:
    """The base in ``folder``, whose text tower's file holds the head of a whole language model."""
    path = folder / "text_encoder" / "model.safetensors"
    torch.manual_seed(6)
    save_file({**load_file(path), "lm_head.weight": torch.randn(words, width)}, path, metadata={"format": "pt"})
    return folder
