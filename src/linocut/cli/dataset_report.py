"""``linocut datasets report``: what the dataset doctor found, for a person to read before training."""

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
    "caption_damaged": "Captions that are damaged in places",
    "caption_cut": "Captions longer than the base reads",
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
    for code in dict.fromkeys(str(finding["code"]) for finding in found["findings"]):
        lines += ["", f"{TITLES.get(code, code)} ({summary['finding_counts'][code]})"]
        lines += [f"  {sentence}" for sentence in findings_of(found, code)]
    if with_files and found["files"]:
        lines += ["", f"{'file':<32}  {'size':>11}  {'trains at':>11}  {'cut away':>8}  sharpness"]
        lines += [_file_line(file) for file in found["files"]]
    return "\n".join(lines)


def findings_of(found: dict[str, Any], *codes: str) -> list[str]:
    """The sentences of a report's findings of these codes."""
    return [str(finding["message"]) for finding in found["findings"] if finding["code"] in codes]


def _file_line(file: dict[str, Any]) -> str:
    size = f"{file['width']}x{file['height']}"
    sharpness = "-" if file["sharpness"] is None else f"{file['sharpness']:.2f}"
    return f"{file['file_name']:<32}  {size:>11}  {file['bucket']:>11}  {file['cut_away']:>8.0%}  {sharpness:>9}"
