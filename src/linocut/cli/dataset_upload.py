"""``linocut datasets upload``: files, folders and ZIPs into a dataset, in requests that the server takes."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.dataset_report import findings_of
from linocut.cli.gathering import gather
from linocut.cli.say import EXIT_FAILED, JsonFlag, answer, note, note_remarks, number_of, upload_progress
from linocut.cli.sending import requests_of, upload_all


def upload(
    dataset_id: Annotated[str, typer.Argument(help="The dataset's id: see linocut datasets list.")],
    places: Annotated[
        list[Path],
        typer.Argument(
            readable=False,
            metavar="FILE|FOLDER|ZIP...",
            help="JPEG, PNG and WebP files, their captions (.txt, .json, .caption), ZIPs of both, and folders of all.",
        ),
    ],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Upload pictures and captions; what was there already is not stored twice.

    Folders are sent with all folders in them. What is left out, refused or waits for its picture is named.

    Exit code 1 if a file was refused."""
    gathered = gather(places)
    requests = requests_of(gathered)
    for sentence in gathered.sentences():
        note(sentence)
    with connect(url, key_file) as client:
        client.dataset(dataset_id)  # a wrong id is told before anything is sent
        with upload_progress(sum(map(len, requests)), quiet=as_json) as sent:
            reports = upload_all(client, dataset_id, requests, sent)
        for sentence in findings_of(client.report(dataset_id), "caption_waiting"):
            note(sentence)
    for report in reports:
        note_remarks(report, *report["successful_assets"], *report["failed_assets"])
    counts = ("total_count", "success_count", "failure_count")
    lists = ("successful_assets", "failed_assets")
    whole = {name: sum(report[name] for report in reports) for name in counts}
    told = {**whole, **{name: [one for report in reports for one in report[name]] for name in lists}}
    left_out = [{"file_name": name, "message": why} for name, why in gathered.left_out]
    text = f"{number_of(whole['success_count'], 'picture')} taken, {number_of(whole['failure_count'], 'file')} refused"
    text += f", {number_of(len(left_out), 'file')} left out" if left_out else ""
    answer({"dataset_id": dataset_id, **told, "left_out": left_out}, text, as_json=as_json)
    if whole["failure_count"]:
        raise typer.Exit(EXIT_FAILED)
