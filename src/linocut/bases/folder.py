"""What a folder that holds a base says: its facts from the catalogue, and from its ``linocut.json`` over them."""

import difflib
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from linocut.bases.identity import Memory
from linocut.bases.known import Known, catalogue, known_in, pipelines
from linocut.bases.reading import COPY_AGAIN, check_header, json_in, json_or_nothing, parts_of, weights_of
from linocut.bases.types import (
    DATASET_KINDS,
    FAMILIES,
    SPEEDS,
    Base,
    KindRecipe,
    Licence,
    Sampling,
    TrainingDefaults,
)
from linocut.errors import InvalidRequest

MINI = Path(__file__).parents[1] / "mini"
"""The embedded base, shipped in the package."""

_BRING = "docs/bases.md says which bases there are and how one's own is brought in."
_NAME = re.compile(r"\w([^,]{0,98}[^,\s])?")
"""Of a base: it may stand in a list with commas, and looks like no path."""
_LAYOUT = (
    "A base is a folder in the layout of the library's pipelines: a model_index.json, and a folder for each part "
    f"(transformer, text_encoder, vae ...). {_BRING}"
)


def load_base(folder: Path, memory: Memory | None = None) -> Base:
    """Read a base's facts and find its identity. ``InvalidRequest`` when the folder is not a base that can be run.

    ``memory``: what is remembered of files that were read before; else every file is read, once a process.
    """
    facts = facts_of(folder)
    if facts.get("family") not in FAMILIES:
        raise InvalidRequest(_no_code(folder, str(facts.get("family"))))
    identity = f"{facts['family']}@{(memory or Memory()).content_hash(folder)}"
    try:
        index = json_or_nothing(folder, "model_index.json")
        told = {"identity": identity, "is_distilled": index.get("is_distilled") is True}
        base = msgspec.convert({**facts, **told}, Base)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(_wrong(folder, str(wrong))) from wrong
    if missing := [speed for speed in SPEEDS if speed not in base.sampling]:
        raise InvalidRequest(_wrong(folder, f"Object `sampling` has no `{missing[0]}`"))
    if base.known_as and base.known_as != "mini" and base.known_as not in catalogue():
        raise InvalidRequest(
            _wrong(folder, f"`known_as` is {base.known_as!r}, which `linocut bases list` does not have")
        )
    if not _NAME.fullmatch(base.name) or not base.name.isprintable():
        raise InvalidRequest(
            _wrong(
                folder,
                f"`name` is {base.name!r:.60}; it takes 1 to 100 characters, a letter or digit first, and no comma",
            )
        )
    if base.native_pixels < base.size_multiple:
        raise InvalidRequest(_wrong(folder, "`native_pixels` is less than `size_multiple`"))
    return base


def facts_of(folder: Path) -> dict[str, Any]:
    """Everything but the identity, as ``Base`` has it: the catalogue's facts by class and config, and over them what
    the folder's own ``linocut.json`` says. ``InvalidRequest`` when neither says anything."""
    check_is_folder(folder)
    own = _own(folder)
    if not (folder / "model_index.json").exists():
        if own:
            return own
        raise InvalidRequest(f"{folder} is not a base: {_holds(folder)} {_LAYOUT}")
    pipeline = str(json_in(folder, "model_index.json").get("_class_name"))
    known = known_in(pipeline, partial(json_or_nothing, folder))
    if known is None and not own:
        raise InvalidRequest(
            f"{folder} is not a base that linocut can run: it holds a {pipeline}, and known are "
            f"{', '.join(pipelines())}. {_BRING}"
        )
    if known is None or own.get("family", known.family) != known.family:
        return own
    return merged({**known.facts, **_from_configs(folder, known)}, own)


def merged(facts: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """``facts`` with ``own`` over them: one speed of ``sampling`` and one number of ``training`` at a time, all
    else whole."""
    found = {**facts, **own}
    for name in ("sampling", "training"):
        if isinstance(facts.get(name), dict) and isinstance(own.get(name), dict):
            found[name] = {**facts[name], **own[name]}
    return found


def check_parts(folder: Path) -> None:
    """``InvalidRequest`` when a part that the base's pipeline names is missing or damaged, as far as headers tell.

    No weight is read: this takes a fraction of a second also for a base of many gigabytes.
    """
    family = facts_of(folder).get("family")
    if family not in FAMILIES:
        raise InvalidRequest(_no_code(folder, str(family)))
    weighty, tokenizers = parts_of(folder)
    for name in ("scheduler/scheduler_config.json", *(f"{one}/tokenizer_config.json" for one in tokenizers)):
        json_in(folder, name)
    for one in tokenizers:
        json_or_nothing(folder, f"{one}/tokenizer.json")
    if family == "qwen_image_edit" and not (folder / "processor").is_dir():
        raise InvalidRequest(f"{folder} cannot be loaded: its folder processor is missing. {COPY_AGAIN}")
    for part in weighty:
        json_in(folder, f"{part}/config.json")
        for shard in weights_of(folder, part).files:
            check_header(folder, shard)


def check_is_folder(folder: Path) -> None:
    """``InvalidRequest`` for what is no folder."""
    if folder.is_file():
        raise InvalidRequest(
            f"{folder} is a file: a base is a folder, for one file holds the denoising network alone, without text "
            f"tower and tokenizer. {_LAYOUT}"
        )
    if not folder.is_dir():
        raise InvalidRequest(
            f"There is no folder {folder}. Give --base the word mini, a name of `linocut bases list`, or a folder."
        )


def _own(folder: Path) -> dict[str, Any]:
    """What the folder's linocut.json says; a word in it that nothing reads is no mere remark."""
    own = json_or_nothing(folder, "linocut.json")
    sampling, training = _object_in(own, "sampling"), _object_in(own, "training")
    kinds = _object_in(training, "kinds")
    _check_words(folder, "", {name: value for name, value in own.items() if name != "version"}, _types_in(Base))
    _check_words(folder, "licence.", _object_in(own, "licence"), _types_in(Licence))
    _check_words(folder, "training.", training, _types_in(TrainingDefaults))
    _check_words(folder, "sampling.", sampling, dict.fromkeys(SPEEDS, Sampling))
    _check_words(folder, "training.kinds.", kinds, dict.fromkeys(DATASET_KINDS, KindRecipe))
    for name in sampling:
        _check_words(folder, f"sampling.{name}.", _object_in(sampling, name), _types_in(Sampling))
    for name in kinds:
        _check_words(folder, f"training.kinds.{name}.", _object_in(kinds, name), _types_in(KindRecipe))
    return own


def _object_in(said: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of that name; empty where it is none."""
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _types_in(kind: type) -> dict[str, Any]:
    """What may be written of a struct: its fields and their types."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return {name: type_ for name, type_ in types.items() if name not in ("identity", "is_distilled")}


def _check_words(folder: Path, where: str, said: dict[str, Any], types: dict[str, Any]) -> None:
    """``InvalidRequest`` for a word that nothing reads, and for a value that is not of its type."""
    for name, value in said.items():
        if name not in types:
            like = difflib.get_close_matches(name, types, 1)
            meant = f"; is `{where}{like[0]}` meant?" if like else ""
            raise InvalidRequest(_wrong(folder, f"nothing reads its `{where}{name}`{meant}"))
        if isinstance(value, dict):
            continue  # its own words are looked at one by one
        try:
            msgspec.convert(value, types[name])
        except msgspec.ValidationError as wrong:
            what = str(wrong).partition(" - at ")[0]
            raise InvalidRequest(_wrong(folder, f"`{where}{name}` is {value!r:.60}. {what}")) from wrong


def _wrong(folder: Path, what: str) -> str:
    return f"The linocut.json of the base {folder.name} is wrong: {what} (docs/bases.md)."


def _no_code(folder: Path, family: str) -> str:
    known = next((one for one in catalogue().values() if one.family == family), None)
    if known is None:
        return (
            f"The base in {folder.name} is of the family {family!r}; known are {', '.join(FAMILIES)} (docs/bases.md)."
        )
    return (
        f"{folder.name} holds {known.title} (a {known.pipeline}), which this version of linocut knows and cannot run "
        f"yet; it runs {', '.join(FAMILIES)} (docs/bases.md)."
    )


def _from_configs(folder: Path, known: Known) -> dict[str, Any]:
    """What the configs say more exactly than the catalogue: an SDXL UNet's own side; how many places Z-Image has for
    words, rows and columns."""
    if known.family == "sdxl":
        side = json_or_nothing(folder, "unet/config.json").get("sample_size")
        return {"native_pixels": side * 8} if isinstance(side, int) and 0 < side <= 256 else {}
    places = json_or_nothing(folder, "transformer/config.json").get("axes_lens") if known.family == "z_image" else None
    if not (isinstance(places, list) and len(places) == 3 and all(isinstance(one, int) for one in places)):
        return {}
    words, side = (places[0] - 2) // 32 * 32, min(places[1:]) * known.size_multiple
    return {
        "native_pixels": max(known.size_multiple, min(known.native_pixels, side)),
        "max_text_tokens": max(1, min(known.max_text_tokens, words)),
    }


def _holds(folder: Path) -> str:
    """What a folder without model_index.json seems to be."""
    for path in [folder.parent, *sorted(folder.glob("*/")), *sorted(folder.glob("snapshots/*/"))]:
        if (path / "model_index.json").exists():
            return f"it has no model_index.json, but {path} has one: give that folder."
    weights = sorted(path.name for path in folder.glob("*.safetensors"))
    if weights:
        return f"it has single files of weights ({weights[0]}) and no model_index.json."
    return "it has neither a model_index.json nor a linocut.json."
