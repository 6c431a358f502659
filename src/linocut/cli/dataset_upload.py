"""``linocut datasets upload``: files, folders and ZIPs into a dataset, in requests that the server takes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import EXIT_FAILED, JsonFlag, answer, note, upload_progress
from linocut.cli.sending import requests_of, send


def upload(
    dataset_id: Annotated[str, typer.Argument(help="The dataset's id: see linocut datasets list.")],
    places: Annotated[
        list[Path], typer.Argument(metavar="FILE|FOLDER|ZIP...", help="JPEG, PNG, WebP, .txt and .json captions, ZIPs.")
    ],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Upload pictures and captions; what was there already is not stored twice. Exit code 1 if a file was refused."""
    requests = requests_of(places)
    reports: list[dict[str, Any]] = []
    with connect(url, key_file) as client:
        client.dataset(dataset_id)  # a wrong id is told before anything is sent
        with upload_progress(sum(map(len, requests)), quiet=as_json) as sent:
            for files in requests:
                report = send(client, dataset_id, files)
                for refused in report["failed_assets"]:
                    why = refused.get("message") or refused["failure_reason"]
                    note(f"not taken: {refused['file_name']}: {why}")
                reports.append(report)
                sent(len(files))
    counts = ("total_count", "success_count", "failure_count")
    lists = ("successful_assets", "failed_assets")
    whole = {name: sum(report[name] for report in reports) for name in counts}
    told = {**whole, **{name: [one for report in reports for one in report[name]] for name in lists}}
    text = f"{whole['success_count']} pictures taken, {whole['failure_count']} files refused"
    answer({"dataset_id": dataset_id, **told}, text, as_json=as_json)
    if whole["failure_count"]:
        raise typer.Exit(EXIT_FAILED)
