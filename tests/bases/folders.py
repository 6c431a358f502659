"""Folders as the authors of bases publish them, with next to nothing in them: real configs, tiny files of weights."""

import json
import struct
from pathlib import Path
from typing import Any

PARTS: dict[str, dict[str, list[str]]] = {
    "Ideogram4Pipeline": {
        "transformer": ["diffusers", "Ideogram4Transformer2DModel"],
        "unconditional_transformer": ["diffusers", "Ideogram4Transformer2DModel"],
        "text_encoder": ["transformers", "Qwen3VLModel"],
        "tokenizer": ["transformers", "Qwen2Tokenizer"],
        "vae": ["diffusers", "AutoencoderKLFlux2"],
    },
    "StableDiffusionXLPipeline": {
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "vae": ["diffusers", "AutoencoderKL"],
    },
}
OTHERS = {
    "transformer": ["diffusers", "SomeTransformer2DModel"],
    "text_encoder": ["transformers", "SomeModel"],
    "tokenizer": ["transformers", "Qwen2Tokenizer"],
    "vae": ["diffusers", "SomeAutoencoder"],
}


def published(folder: Path, pipeline: str, **configs: dict[str, Any]) -> Path:
    """A folder with a pipeline of this class and nothing of ours. ``configs``: what its parts' configs say
    (``scheduler`` too, and ``index`` for model_index.json)."""
    parts = PARTS.get(pipeline, OTHERS)
    index = {"_class_name": pipeline, "scheduler": ["diffusers", "SomeScheduler"], **parts, **configs.get("index", {})}
    write(folder / "model_index.json", index)
    write(folder / "scheduler" / "scheduler_config.json", configs.get("scheduler", {}))
    if pipeline.startswith("QwenImageEdit"):
        write(folder / "processor" / "preprocessor_config.json", {})
    for part in parts:
        if part.startswith("tokenizer"):
            write(folder / part / "tokenizer_config.json", {})
            continue
        write(folder / part / "config.json", configs.get(part, {}))
        stem = "model" if part.startswith("text") else "diffusion_pytorch_model"
        weights(folder / part / f"{stem}.safetensors", {f"{part}.weight": (4, 4)})
    return folder


def write(path: Path, value: object) -> None:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def weights(path: Path, shapes: dict[str, tuple[int, ...]], kind: str = "F32", fill: int = 0) -> None:
    """A safetensors file of tensors with these shapes."""
    size = {"F32": 4, "BF16": 2, "F8_E4M3": 1, "U8": 1}[kind]
    header: dict[str, Any] = {}
    end = 0
    for name, shape in shapes.items():
        count = size
        for side in shape:
            count *= side
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [end, end + count]}
        end += count
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes([fill]) * end)
