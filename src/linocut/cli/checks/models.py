"""What is loaded: the base, the tools beside it, who judges."""

from linocut.bases import Memory, check_parts, load_base
from linocut.bases.licences import check_licence
from linocut.bases.places import base_at
from linocut.cli.checks.finding import Finding
from linocut.engine.tools.catalogue import MIB, TOOLS
from linocut.engine.tools.toolbox import Toolbox
from linocut.errors import InvalidRequest, LinocutError, NotReady
from linocut.folders import trouble_with
from linocut.safety.rules import read_rules
from linocut.settings import Settings
from linocut.sight import check_rule, judges_with

_ANOTHER_BASE = "Take another, or mini: linocut serve --base mini   (linocut bases list shows those that are known)"
LETTERING_FILES = ("det.onnx", "rec.onnx")
"""What a folder of LINOCUT_LETTERING must hold."""
WEIGHTS_VARIABLES = {"lettering": "LINOCUT_LETTERING", "typefaces": "LINOCUT_FONTS"}


def remembered(settings: Settings) -> Memory:
    """What the data folder remembers of bases, where there is one that may be looked at."""
    may_look = not trouble_with(settings.data) and settings.data.is_dir()
    return Memory(settings.bases_memory if may_look else None)


def base(settings: Settings) -> Finding:
    """The bases that would be loaded: their facts, and that their parts are there (headers only)."""
    words = dict.fromkeys((settings.base, *settings.bases_beside))
    found = [_base(settings, word) for word in words]
    wrong = [one for one in found if not one.ok]
    return wrong[0] if wrong else Finding("base", True, "; ".join(one.found for one in found))


def _base(settings: Settings, word: str) -> Finding:
    try:
        folder = base_at(word, settings.pulled_bases)
        if settings.engine == "torch":
            check_parts(folder)
        found = load_base(folder, remembered(settings))
    except LinocutError as error:
        mend = error.message.rpartition("to fetch it: ")[2] if "to fetch it: " in error.message else _ANOTHER_BASE
        return Finding("base", False, error.message, mend)
    told = f"{found.name}, {found.identity}, {found.native_pixels} pixels native, licence {found.licence.name}"
    try:
        check_licence(found, settings.accepted_licences)
    except InvalidRequest as refused:
        return Finding("base", False, refused.message, f"linocut serve --accept-licence {found.known_as or found.name}")
    return Finding("base", True, told)


def tools(settings: Settings) -> Finding:
    """The tools beside the base that there are, whether those asked for at the start can be had, and whether the
    weights are there that the operator brings."""
    brought = settings.weights_of_tools
    for name, path in brought.items():
        wanted = [path / file for file in LETTERING_FILES] if name == "lettering" else [path]
        if missing := [one for one in wanted if not one.exists()]:
            mend = f"Mend {WEIGHTS_VARIABLES.get(name, 'the setting that names it')} (docs/tools.md)."
            return Finding("tools", False, f"of the tool {name} there is no {missing[0]}", mend)
    known = [
        f"{facts.name} ({facts.licence}; {facts.reserved_bytes // MIB} MiB"
        + (f"; with {brought[facts.name]})" if facts.name in brought else ")")
        for facts in TOOLS.values()
    ]
    strangers = [name for name in settings.tools_at_start if name not in TOOLS]
    if strangers:
        mend = f"export LINOCUT_TOOLS={','.join(name for name in settings.tools_at_start if name in TOOLS)}"
        return Finding("tools", False, f"there is no tool {strangers[0]}; there are: {', '.join(TOOLS)}", mend)
    asked = [TOOLS[name].reserved_bytes // MIB for name in settings.tools_at_start]
    most = max(asked, default=0)
    if most > settings.tools_memory_mib:
        mend = f"export LINOCUT_TOOLS_MEMORY_MIB={most}"
        return Finding("tools", False, f"a tool needs {most} MiB, tools have {settings.tools_memory_mib} MiB", mend)
    wrong = _unfit_matting(settings)
    if wrong:
        mend = "export LINOCUT_MATTING=border   (or name a file that fits: docs/tools.md)"
        return Finding("tools", False, wrong, mend)
    return Finding("tools", True, f"{', '.join(known)}; {_cut_by(settings)} cuts out")


def _cut_by(settings: Settings) -> str:
    file = settings.weights_of_tools.get(settings.matter)
    return settings.matter if file is None else f"{settings.matter} ({file.name})"


def _unfit_matting(settings: Settings) -> str:
    """What is wrong with the network that is to cut out; empty where there is none, or it fits."""
    file = settings.weights_of_tools.get(settings.matter)
    if file is None:
        return ""
    needed = TOOLS[settings.matter].reserved_bytes // MIB
    if needed > settings.tools_memory_mib:
        return (
            f"the tool {settings.matter} needs {needed} MiB, tools have {settings.tools_memory_mib} MiB "
            "(LINOCUT_TOOLS_MEMORY_MIB)"
        )
    try:
        Toolbox("cpu", needed * MIB, weights=settings.weights_of_tools).load(settings.matter)
    except NotReady as unfit:
        return unfit.message
    return ""


def safety(settings: Settings) -> Finding:
    """Who judges pictures, and whether the rules for prompts can be read."""
    mend = "Mend LINOCUT_SAFETY_PICTURES, LINOCUT_SAFETY_MODEL or LINOCUT_SAFETY_RULES (docs/safety.md)."
    try:
        check_rule(settings.safety)
        rules = read_rules(settings.safety_rules)
    except InvalidRequest as wrong:
        return Finding("safety", False, wrong.message, mend)
    judge = judges_with(settings.safety) or "nobody"
    how = f"{settings.safety_pictures}, from {settings.safety_threshold}"
    return Finding("safety", True, f"pictures are judged by {judge} ({how}), prompts by {len(rules.rules)} rules")
