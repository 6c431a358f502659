"""Whether the language models that the settings name answer: for the doctor. Their keys are sent, and never shown."""

import httpx2

from linocut.bases import load_base
from linocut.bases.speech import head_of
from linocut.cli.checks import Finding, remembered
from linocut.errors import LinocutError
from linocut.runtime import base_folder
from linocut.settings import Settings

SECONDS = 5.0


def speakers(settings: Settings) -> Finding:
    """Who describes and who writes; an endpoint is asked which models it has."""
    told = []
    for role, chosen in (("describer", settings.describer), ("writer", settings.writer)):
        if chosen == "base":
            try:
                told.append(f"writer base ({_base(settings)})")
            except LinocutError as error:
                return Finding("language models", False, error.message, "export LINOCUT_WRITER=grammar   (asks nobody)")
            continue
        if chosen != "endpoint":
            told.append(f"{role} {chosen}")
            continue
        url, model = getattr(settings, f"{role}_url"), getattr(settings, f"{role}_model")
        key = getattr(settings, f"{role}_key").get_secret_value()
        wrong = _wrong(url, key)
        if wrong:
            name = f"LINOCUT_{role.upper()}"
            mend = f"Mend {name}_URL or {name}_KEY, or: export {name}={_embedded(role)}   (asks nobody)"
            return Finding("language models", False, f"the {role}'s endpoint {url} {wrong}", mend)
        told.append(f"{role} {model} at {url}{', with a key' if key else ''}")
    return Finding("language models", True, "; ".join(told))


def _base(settings: Settings) -> str:
    """The base that writes. ``LinocutError`` where it cannot."""
    folder = base_folder(settings)
    base = load_base(folder, remembered(settings))
    head_of(base, folder, settings.writer_head)
    return base.name


def _wrong(url: str, key: str) -> str:
    """What is wrong with an endpoint; "" for nothing."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    address = f"{url.rstrip('/').removesuffix('/chat/completions')}/models"
    try:
        answered = httpx2.get(address, headers=headers, timeout=SECONDS)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return "does not answer"
    if answered.status_code in (401, 403):
        return "refuses the key"
    return f"answers with status {answered.status_code}" if answered.status_code >= 500 else ""


def _embedded(role: str) -> str:
    return "embedded" if role == "describer" else "grammar"
