"""From checkpoints to the folder that ships: a stock diffusers pipeline in half precision, and linocut.json."""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Ideogram4Pipeline
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import load_file, save
from transformers import Qwen3VLConfig, Qwen3VLModel

from linocut.prompting.lexicon import OBJECTS
from pretrain import tokenizer
from pretrain.config import SIZES, TransformerConfig, VaeConfig
from pretrain.net import TAPS, stock
from pretrain.train import averaged, load_vae, read_header

FACTS: dict[str, Any] = {
    "name": "mini", "version": 8, "family": "ideogram4", "native_pixels": SIZES[0][0], "size_multiple": 16,
    "max_text_tokens": 280,
    "knows": f"{len(OBJECTS)} objects ({', '.join(OBJECTS)}), simple shapes, colours, patterns and short words",
    "sampling": {
        "FLASH": {"steps": 6, "guidance": 1.5, "mu": 2.6, "std": 1.4},
        "TURBO": {"steps": 10, "guidance": 1.5, "mu": 2.6, "std": 1.4},
        "DEFAULT": {"steps": 24, "guidance": 1.5, "mu": 2.6, "std": 1.4},
        "QUALITY": {"steps": 40, "guidance": 1.5, "mu": 2.6, "std": 1.4},
    },
    "training": {
        "lora_rank": 16, "learning_rate": 0.004, "training_steps": 400, "batch_size": 2, "ema": 0.99,
        "caption_dropout": 0.1, "warmup_steps": 10, "weight_decay": 0.0001, "sigma_mean": 2.0, "sigma_std": 1.2,
        "kinds": {},
    },
}  # fmt: skip


def text_tower(table_vd: torch.Tensor, im_start: int, im_end: int) -> Qwen3VLModel:
    """The stock class with 36 layers that change nothing: every tap is the token's embedding."""
    vocab, width = table_vd.shape
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": vocab, "hidden_size": width, "intermediate_size": 8, "num_hidden_layers": 36,
            "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 2048,
            "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2],
                                "mrope_interleaved": True},
            "bos_token_id": im_start, "eos_token_id": im_end, "pad_token_id": 0,
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 1, "patch_size": 16,
            "out_hidden_size": width, "num_position_embeddings": 16, "deepstack_visual_indexes": [],
            "temporal_patch_size": 2, "spatial_merge_size": 2,
        },
    )  # fmt: skip
    tower = Qwen3VLModel(config)
    with torch.no_grad():
        tower.language_model.embed_tokens.weight.copy_(table_vd)
        for layer in tower.language_model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    return tower


def widen(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights trained on one tap -> the same function of thirteen equal taps, laid hidden-major."""
    out = dict(tensors)
    out["llm_cond_norm.weight"] = tensors["llm_cond_norm.weight"].repeat_interleave(TAPS)
    out["llm_cond_proj.weight"] = tensors["llm_cond_proj.weight"].repeat_interleave(TAPS, dim=1) / TAPS
    return out


def assemble(work: Path, config: TransformerConfig) -> tuple[Ideogram4Pipeline, dict[str, str]]:
    """The pipeline in fp32 from the averaged weights, and where the run stood."""
    model = averaged(work, config)
    weights = dict(model.transformer.state_dict())
    nets = []
    for _ in range(2):
        net = stock(config, config.text_dim * TAPS)
        net.load_state_dict(widen(weights))
        nets.append(net.train(False))
    words = tokenizer.build()
    ids = words.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    vae = load_vae(work)
    assert isinstance(vae, AutoencoderKLFlux2)
    pipe = Ideogram4Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae.train(False).to(memory_format=torch.contiguous_format),
        text_encoder=text_tower(model.embedding.table().detach(), *ids),
        tokenizer=words,
        transformer=nets[0],
        unconditional_transformer=nets[1],
    )
    return pipe, read_header(work / "transformer.safetensors")


def record(work: Path, header: dict[str, str], config: TransformerConfig) -> dict[str, Any]:
    """How the weights came to be, for training.json and for the weights' own headers.

    Seeds, sizes and counts are this run's; ``curve`` holds its running means, ten points of them; ``measures`` what
    ``sheet`` found on held-out captions, when it was run on this work folder before.
    """
    log, measures = work / "transformer.jsonl", work / "measures.json"
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
    told = next((row for row in reversed(rows) if "device" in row), _unsaid(config))
    steps = [row for row in rows if "flow" in row]
    return {
        "name": FACTS["name"],
        "version": FACTS["version"],
        "data_seeds": {"autoencoder": VaeConfig().seed, "mend": VaeConfig().drawn_seed, "transformer": config.seed},
        "images": int(header["seen"]),
        "steps": int(header["step"]),
        "machine": f"{platform.machine()}, {told['cores']} cores, {told['device']}",
        "hours_since_import": round(wall_seconds(rows) / 3600, 2),
        "curve": steps[:: max(1, len(steps) // 10)] + steps[-1:],
        "measures": json.loads(measures.read_text("utf-8")) if measures.exists() else None,
        "config": {"autoencoder": asdict(VaeConfig()), "transformer": told["config"]},
    }


def _unsaid(config: TransformerConfig) -> dict[str, Any]:
    """What a trainer writes at its start, of one that wrote nothing."""
    return {"device": "cpu", "cores": os.cpu_count(), "config": asdict(config)}


def wall_seconds(rows: list[dict[str, Any]]) -> float:
    """How long the trainers that wrote a log ran, one after the other: each counts from zero."""
    last = [row["seconds"] for row, after in pairwise([*rows, {"seconds": 0.0}]) if after["seconds"] < row["seconds"]]
    return float(sum(last))


def _put_in_headers(folder: Path, told: dict[str, Any]) -> None:
    """Write the record into the metadata of every file of weights, under the name ``linocut``.

    Headers are written in order here: the library's own order changes from call to call, and bytes decide identity.
    """
    for path in folder.rglob("*.safetensors"):
        whole = save(load_file(path), metadata={"format": "pt", "linocut": json.dumps(told)})
        end = 8 + int.from_bytes(whole[:8], "little")
        header = json.dumps(json.loads(whole[8:end]), sort_keys=True, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        path.write_bytes(len(header).to_bytes(8, "little") + header + whole[end:])


def _name_tokenizer(folder: Path) -> None:
    """Call the tokenizer's class by the name that all supported versions of transformers know."""
    for path in (folder / "model_index.json", folder / "tokenizer" / "tokenizer_config.json"):
        path.write_text(
            path.read_text("utf-8").replace("TokenizersBackend", "PreTrainedTokenizerFast"), encoding="utf-8"
        )


def export(work: Path, out: Path, config: TransformerConfig) -> None:
    """Write everything to a folder beside `out`, then swap file by file, so that a reader never sees half a file."""
    diffusers_logging.disable_progress_bar()
    torch.manual_seed(config.seed)  # for the tower's weights that no output sees: same run, same bytes
    pipe, header = assemble(work, config)
    fresh = out.parent / f".{out.name}-new"
    shutil.rmtree(fresh, ignore_errors=True)
    for name in ("vae", "text_encoder", "transformer", "unconditional_transformer"):
        getattr(pipe, name).half()
    pipe.save_pretrained(fresh, safe_serialization=True)
    _name_tokenizer(fresh)
    (fresh / "linocut.json").write_text(json.dumps(FACTS, indent=2) + "\n", encoding="utf-8")
    told = record(work, header, config)
    _put_in_headers(fresh, told)
    (fresh / "training.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(p for p in fresh.rglob("*") if p.is_file()):
        target = out / path.relative_to(fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o644)
        os.replace(path, target)
    shutil.rmtree(fresh)
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    print(f"{out}: {size / 2**20:.1f} MiB after {header['seen']} pictures")
