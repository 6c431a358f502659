"""``linocut datasets report``: what the dataset doctor found, for a person to read before training."""

from itertools import groupby
from typing import Annotated, Any

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import EXIT_FAILED, JsonFlag, answer, note_remarks, number_of

TITLES = {
    "too_few_images": "Too few pictures",
    "too_many_images": "Too many pictures",
    "exact_duplicate": "Twice the same picture",
    "near_duplicate": "Nearly the same picture",
    "blurred": "Blurred",
    "tiny": "Smaller than the base draws",
    "extreme_aspect": "Cut down by its shape",
    "caption_missing": "Without a caption",
    "caption_identical": "Sharing a caption",
    "caption_unreadable": "Captions that could not be read",
    "caption_waiting": "Captions without their picture",
    "not_measured": "Not looked at yet",
}


def report(
    dataset_id: Annotated[str, typer.Argument(help="The dataset's id: see linocut datasets list.")],
    files: Annotated[bool, typer.Option("--files", help="Show each picture's bucket and crop as well.")] = False,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Look a dataset over before training: duplicates, blur, sizes, crops, captions. Exit code 1: not ready."""
    with connect(url, key_file) as client:
        found = client.report(dataset_id)
    note_remarks(found, *found["files"])
    answer(found, as_text(found, with_files=files), as_json=as_json)
    if not found["summary"]["is_ready"]:
        raise typer.Exit(EXIT_FAILED)


def as_text(found: dict[str, Any], *, with_files: bool) -> str:
    """The report as a page of text."""
    summary = found["summary"]
    pictures = number_of(summary["image_count"], "picture")
    captions = "captions" if summary["captioned_count"] != 1 else "a caption"
    lines = [f"{pictures}, {summary['captioned_count']} with {captions}. {summary['message']}"]
    for code, group in groupby(found["findings"], key=lambda finding: str(finding["code"])):
        findings = list(group)
        lines += ["", f"{TITLES.get(code, code)} ({len(findings)})"]
        lines += [f"  {sentence}" for sentence in _sentences(findings)]
    if with_files and found["files"]:
        lines += ["", f"{'file':<32}  {'size':>11}  {'trains at':>11}  {'cut away':>8}  sharpness"]
        lines += [_file_line(file) for file in found["files"]]
    return "\n".join(lines)


def findings_of(found: dict[str, Any], *codes: str) -> list[str]:
    """The sentences of a report's findings of these codes."""
    return _sentences([finding for finding in found["findings"] if finding["code"] in codes])


def _sentences(findings: list[dict[str, Any]]) -> list[str]:
    """What they say. A sentence that several say of different files stands there once, and names them all after it."""
    others: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for finding in findings:
        name, message = finding.get("file_name"), str(finding["message"])
        said = message.replace(name, "\0") if name else message
        if said in first and name:
            others[said].append(name)
        elif said not in first:
            first[said], others[said] = message, []
    return [
        f"{first[said]} (The same: {', '.join(names)}.)" if names else first[said] for said, names in others.items()
    ]


def _file_line(file: dict[str, Any]) -> str:
    size = f"{file['width']}x{file['height']}"
    sharpness = "-" if file["sharpness"] is None else f"{file['sharpness']:.2f}"
    return f"{file['file_name']:<32}  {size:>11}  {file['bucket']:>11}  {file['cut_away']:>8.0%}  {sharpness:>9}"
