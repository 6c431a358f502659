"""The card of a model: a README for the hub, with what its readers and programs look for. Pure.

What is in it: the name, the base, its licence, how to use it, prompts to try, the training's numbers. What is never in
it: captions, file names, folders, people, keys. The prompts are ours, not the dataset's.

Front matter: https://huggingface.co/docs/hub/model-cards-metadata. Each value is written as JSON, which YAML contains.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from linocut.bases import Base, Licence
from linocut.custom_models.types import ModelView, RunView

HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "MIT": "mit",
    "CreativeML Open RAIL++-M": "openrail++",
}
"""Our names of licences -> the hub's. Any other is ``other`` there, with its name and link."""

PROMPTS = ("a lighthouse on a cliff at dusk", "a cup of tea on a wooden table", "a cat asleep on a windowsill")
SMALL_PROMPTS = ("a yellow star on a green ground", "a red cup", "a blue fish on a white ground")
"""For a base that was taught a small world."""


class OfBase(msgspec.Struct, frozen=True):
    """What is known of the model's base. ``repository``: on the hub, "" for one that is not there."""

    identity: str
    title: str = ""
    repository: str = ""
    licence: Licence | None = None
    is_small: bool = False

    @property
    def family(self) -> str:
        """The base's architecture."""
        return self.identity.partition("@")[0]


def of_base(base: Base, title: str, repository: str) -> OfBase:
    """The facts of a base that is served."""
    return OfBase(base.identity, title or base.name, repository, base.licence, is_small=bool(base.knows))


def card(model: ModelView, base: OfBase) -> str:
    """The README of a model that its owner sees whole."""
    trigger = "" if model.imported is None else model.imported.trigger
    prompts = [f"{trigger}, {one}" if trigger else one for one in (SMALL_PROMPTS if base.is_small else PROMPTS)]
    head = front_matter(model, base, trigger, prompts)
    parts = [
        f"# {model.name}",
        _about(model, base),
        _use(model, base),
        "## Prompts to try",
        "\n".join(f"- {one}" for one in prompts) + "\n\n" + _words_that_call(model, trigger),
        *_training(model),
        "## Licence",
        _licence(base),
    ]
    return "---\n" + "\n".join(_yaml(head)) + "\n---\n\n" + "\n\n".join(parts) + "\n"


def front_matter(model: ModelView, base: OfBase, trigger: str, prompts: Iterable[str]) -> dict[str, Any]:
    """What the hub reads."""
    made = "imported" if model.imported is not None else "trained"
    head: dict[str, Any] = {
        **_licence_on_the_hub(base.licence),
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
    }
    if base.repository:
        head |= {"base_model": base.repository, "base_model_relation": "adapter"}
    if trigger:
        head["instance_prompt"] = trigger
    head["tags"] = ["text-to-image", "diffusers", "lora", base.family.replace("_", "-"), "linocut", f"linocut-{made}"]
    head["widget"] = [{"text": one} for one in prompts]
    run = model.runs[-1] if model.runs else None
    if run is not None and (scores := _by_step(run.scores)):
        chosen = int(run.scores.get("chosen_step", max(scores)))
        metric = {"type": "loss", "name": "held-out loss", "value": scores.get(chosen, scores[max(scores)])}
        task = {"type": "text-to-image", "name": "Text to image"}
        dataset = {"type": "private", "name": "pictures held out of the training"}
        results = [{"task": task, "dataset": dataset, "metrics": [metric]}]
        head["model-index"] = [{"name": model.name, "results": results}]
    return head


def _licence_on_the_hub(licence: Licence | None) -> dict[str, str]:
    if licence is None or not licence.url:
        return {"license": "unknown"}
    if licence.name in HUB_LICENCES:
        return {"license": HUB_LICENCES[licence.name]}
    name = re.sub(r"[^a-z0-9]+", "-", licence.name.lower()).strip("-")
    return {"license": "other", "license_name": name, "license_link": licence.url}


def _about(model: ModelView, base: OfBase) -> str:
    what = _base_named(base)
    if model.imported is not None:
        return f"A LoRA on {what}, imported into linocut from a file of {model.imported.layout}."
    return f"A LoRA on {what}, trained with linocut."


def _base_named(base: OfBase) -> str:
    if base.repository:
        return f"[{base.title}](https://huggingface.co/{base.repository})"
    return base.title or f"a base of the family {base.family}"


def _use(model: ModelView, base: OfBase) -> str:
    load = ""
    if base.repository:
        load = (
            "With the diffusers library:\n\n```python\nfrom diffusers import DiffusionPipeline\n\n"
            f'pipeline = DiffusionPipeline.from_pretrained("{base.repository}")\n'
            f'pipeline.load_lora_weights(".", weight_name="{file_name(model)}")\n```\n\n'
        )
    return (
        f'## Use\n\n{load}On a linocut server: `linocut models import {file_name(model)} --name "{model.name}"`, then '
        "send the `custom_model_uri` that it answers with each generate."
    )


def file_name(model: ModelView) -> str:
    """What its weights are called beside the card."""
    uri = model.custom_model_uri or ""
    slug, _, version = uri.removeprefix("model/").partition("/version/")
    return f"{slug}-{version}.safetensors" if version else f"{model.model_id}.safetensors"


def _words_that_call(model: ModelView, trigger: str) -> str:
    if trigger:
        return f"Its trigger is `{trigger}`."
    return "There is no trigger word: it draws every prompt in what it has learned." if model.imported is None else (
        "The file that it came from names no trigger word."
    )  # fmt: skip


def _training(model: ModelView) -> list[str]:
    if model.imported is not None:
        facts: Mapping[str, Any] = {"rank": model.imported.rank, "alpha": f"{model.imported.alpha:g}"}
        return ["## LoRA", _table(facts)]
    if not model.runs:
        return []
    run = model.runs[-1]
    return ["## Training", _table(_numbers(run)), *_scores(run)]


def _numbers(run: RunView) -> dict[str, Any]:
    told = {
        "steps": run.training_steps,
        "stopped at step": run.stopped_at_step,
        "step of this checkpoint": _whole(run.scores.get("chosen_step")),
        "rank": run.lora_rank,
        "pictures of a step": run.batch_size,
        "learning rate": f"{run.learning_rate:g}",
        "EMA decay": f"{run.ema:g}",
        "seed": run.seed,
        "loss at the end": None if run.loss is None else f"{run.loss:.4g}",
    }
    return {name: value for name, value in told.items() if value is not None}


def _scores(run: RunView) -> list[str]:
    by_step = _by_step(run.scores)
    if not by_step:
        return []
    rows = {str(step): f"{score:.4g}" for step, score in sorted(by_step.items())}
    return ["Loss on pictures that were held out, by step; lower is better:", _table(rows, ("step", "loss"))]


def _by_step(scores: Mapping[str, float]) -> dict[int, float]:
    return {int(name): score for name, score in scores.items() if name.isdecimal()}


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _licence(base: OfBase) -> str:
    licence = base.licence
    if licence is None:
        return "It inherits the licence of its base, which this server does not know."
    named = f"[{licence.name}]({licence.url})" if licence.url else licence.name
    return f"It inherits the licence of its base: {named}. {licence.note}".strip()


def _table(rows: Mapping[str, Any], titles: tuple[str, str] = ("", "")) -> str:
    lines = [f"| {titles[0]} | {titles[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows.items())])


def _yaml(head: Mapping[str, Any]) -> Iterable[str]:
    for name, value in head.items():
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            yield f"{name}:"
            yield from (f"- {json.dumps(one, ensure_ascii=False)}" for one in value)
        else:
            yield f"{name}: {json.dumps(value, ensure_ascii=False)}"
