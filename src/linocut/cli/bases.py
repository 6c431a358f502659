"""``linocut bases``: which bases are known, what one is, what a folder holds; fetch one. No server is asked."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from linocut.bases import FAMILIES, MINI, TAKE_REFERENCES, Base, Memory, check_parts, facts_of, load_base
from linocut.bases.known import Known, catalogue, known_by
from linocut.bases.places import base_at, place_of
from linocut.bases.plan import GIB, Precision, Purpose, TowerPlace, Wishes, plan_for, told
from linocut.bases.published import published
from linocut.bases.pull import note_of, pull
from linocut.cli.say import JsonFlag, answer, note
from linocut.cli.serve import DataOption
from linocut.environment import settings_with
from linocut.errors import InvalidRequest, TooLarge
from linocut.files import write_durably
from linocut.settings import Settings

app = typer.Typer(help="Bases: the models that a server draws with and trains on.", no_args_is_help=True)

BESIDE = (512 + 256) << 20
"""What the settings leave for adapters and tools by default."""

NameArgument = Annotated[
    str, typer.Argument(help="A name of `linocut bases list`, a repository (owner/name) or a folder.")
]


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every base that is known by name, and whether it is on this machine."""
    settings = settings_with(data=data)
    mini = {"name": "mini", **_facts(load_base(MINI)), "state": "shipped", "repository": ""}
    rows = [mini, *(_known(one, settings) for one in catalogue().values())]
    wide = max(len(r["licence"]["name"]) for r in rows)
    lines = [f"{'name':<21} {'licence':<{wide}} {'to be hosted':<13} state"]
    lines += [f"{r['name']:<21} {r['licence']['name']:<{wide}} {_hosting(r):<13} {r['state']}" for r in rows]
    lines.append("To fetch one: linocut bases pull NAME. To serve it: linocut serve --base NAME.")
    answer(rows, "\n".join(lines), as_json=as_json)


@app.command("show")
def show(
    name: NameArgument,
    memory: Annotated[
        float | None, typer.Option("--memory", min=1, help="GiB of a GPU: say how the base would fit on it.")
    ] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """What a base is: its licence, its sizes, its speeds, its recipe, and what it can do."""
    settings = settings_with(data=data)
    known = known_by(name)
    if known is not None and note_of(place_of(name, settings.pulled_bases)) is None:
        found = _known(known, settings)
    else:
        folder = base_at(name, settings.pulled_bases)
        check_parts(folder)
        found = {"name": name, **_facts(load_base(folder, _memory(settings))), "folder": str(folder), "state": "here"}
    lines = _lines(found)
    if memory is not None:
        found["fits"] = fits(found.get("known_as") or name, memory)
        lines += ["", *found["fits"].values()]
    answer(found, "\n".join(lines), as_json=as_json)


@app.command("pull")
def pull_(
    name: Annotated[str, typer.Argument(help="A name of `linocut bases list`, or a repository (owner/name).")],
    revision: Annotated[str, typer.Option("--revision", help="A commit, tag or branch; else main as it is now.")] = "",
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Fetch a base: safetensors and configs of one commit. Broken off, it goes on where it was when asked again.

    A token for one that asks for it is read from HF_TOKEN."""
    settings = settings_with(data=data)
    memory = _memory(settings)
    done = pull(name, settings.pulled_bases, _Progress(quiet=as_json), revision=revision, memory=memory)
    check_parts(Path(done.folder))
    base = load_base(Path(done.folder), memory)
    note_licence(base)
    found = {**msgspec.to_builtins(done), "identity": base.identity, "licence": msgspec.to_builtins(base.licence)}
    text = f"{done.folder} ({done.bytes_in_all / 1e9:.1f} GB, commit {done.revision})"
    text += f"\nTo serve it: linocut serve --base {name}"
    answer(found, text, as_json=as_json)


@app.command("describe")
def describe(
    folder: Annotated[Path, typer.Argument(readable=False, help="The folder of a base.")],
    write: Annotated[bool, typer.Option("--write", help="Write it into the folder as linocut.json.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The linocut.json of a folder: what linocut takes it for, to be changed and laid beside the weights."""
    facts = facts_of(folder)
    check_parts(folder)
    load_base(folder)
    text = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode()
    if not write:
        answer(facts, text, as_json=as_json)
        return
    place = folder / "linocut.json"
    if place.exists():
        raise InvalidRequest(f"{place} is there already; change it, or move it away first.")
    write_durably(place, f"{text}\n".encode())
    answer({"path": str(place), **facts}, f"Wrote {place}.", as_json=as_json)


def fits(name: str, gib: float) -> dict[str, str]:
    """How a base of the catalogue fits on a GPU of so many GiB, for each purpose: a plan in words, or why not."""
    sizes = published().get(name)
    if sizes is None:
        raise InvalidRequest(f"The sizes of {name} are not known; linocut doctor --base FOLDER looks at a folder.")
    said: dict[str, str] = {}
    purposes: tuple[Purpose, ...] = ("both", "serving", "training")
    for purpose in purposes:
        precisions: tuple[Precision, ...] = ("nf4",) if sizes.is_packed else ("bf16", "fp8", "nf4")
        tower: TowerPlace | None = "device" if sizes.is_packed else None  # as `engine/room.py` loads such a base
        wishes = Wishes(
            purpose, precisions, tower, BESIDE, sizes.lora_values, on_host=False, references=_references(name)
        )
        try:
            said[purpose] = told(plan_for(name, sizes.sizes, sizes.passes, round(gib * GIB), wishes), name)
        except TooLarge as refused:
            said[purpose] = refused.message
    return said


def _references(name: str) -> int:
    """How many pictures the base of that name looks at."""
    known = catalogue()[name]
    return known.max_references if known.family in TAKE_REFERENCES else 0


def note_licence(base: Base) -> None:
    """On stderr, what a base that may not be hosted freely asks for."""
    if not base.licence.hosting:
        note(
            f"note: It is under the {base.licence.name} ({base.licence.url}). To serve it, add --accept-licence "
            f"{base.known_as or base.name}."
        )


class _Progress:
    """A line for each twentieth of the way, on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._last = quiet, ""

    def __call__(self, name: str, here: int, total: int) -> None:
        share = f"{5 * (20 * here // max(1, total))} %"
        if not self._quiet and share != self._last:
            note(f"{share} of {total / 1e9:.2f} GB ({name})")
            self._last = share


def abilities(base: Base) -> dict[str, bool]:
    """What a base takes beside a text."""
    return {
        "negative_text": base.takes_negative_text,
        "references": base.takes_references,
        "instructions": base.takes_instructions,
    }


def _memory(settings: Settings) -> Memory:
    return Memory(settings.bases_memory if settings.data.is_dir() else None)


def _facts(base: Base) -> dict[str, Any]:
    return {**msgspec.to_builtins(base), "can": abilities(base)}


def _known(known: Known, settings: Settings) -> dict[str, Any]:
    """An entry of the catalogue that is not here, or is."""
    state = "here" if note_of(place_of(known.name, settings.pulled_bases)) else "not here"
    if known.family not in FAMILIES:
        state = "known, and not run by this version yet"
    base = msgspec.convert({**known.facts, "identity": ""}, Base)
    return {
        **known.facts,
        "can": abilities(base),
        "title": known.title,
        "pipeline": known.pipeline,
        "repository": known.repository,
        "billion_parameters": known.billions,
        "state": state,
    }


def _hosting(facts: dict[str, Any]) -> str:
    return "yes" if facts["licence"].get("hosting", True) else "ask first"


def _lines(facts: dict[str, Any]) -> list[str]:
    licence = facts["licence"]
    lines = [
        f"{name:<16} {facts[name]}"
        for name in ("name", "family", "identity", "repository", "folder", "state")
        if facts.get(name)
    ]
    lines += [f"{'licence':<16} {licence['name']} {licence.get('url', '')}", f"{'to be hosted':<16} {_hosting(facts)}"]
    lines += [f"{'':<16} {licence['note']}"] if licence.get("note") else []
    lines += [
        f"{name.replace('_', ' '):<16} {facts[name]}" for name in ("native_pixels", "size_multiple", "max_text_tokens")
    ]
    can = [name.replace("_", " ") for name, yes in facts["can"].items() if yes]
    lines.append(f"{'can take':<16} {', '.join(can) or 'a text'}")
    lines += [
        f"{speed:<16} {how['steps']} steps, guidance {how['guidance']}" for speed, how in facts["sampling"].items()
    ]
    training = {**facts["training"]}
    kinds = training.pop("kinds", {})
    lines.append(f"{'training':<16} " + ", ".join(f"{name} {value}" for name, value in training.items()))
    lines += [
        f"{'  of a ' + kind:<16} "
        + ", ".join(f"{name} {value}" for name, value in otherwise.items() if value not in (0, 1))
        for kind, otherwise in kinds.items()
    ]
    return lines


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="bases")
