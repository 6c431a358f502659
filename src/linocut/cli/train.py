"""``linocut train``: a folder of pictures in, a custom model out."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.dataset_report import as_text
from linocut.cli.gathering import Gathered, gather
from linocut.cli.say import JsonFlag, answer, note, note_remarks, number_of, training_progress, upload_progress
from linocut.cli.sending import patiently, requests_of, upload_all
from linocut.cli.train_numbers import (
    BatchOption,
    EmaOption,
    RankOption,
    RateOption,
    SeedOption,
    StepsOption,
    given,
)
from linocut.client import Client
from linocut.custom_models.slugs import check_name
from linocut.errors import InvalidRequest, LinocutError, RunFailed
from linocut.ids import new_id

Kind = Literal["style", "subject", "character"]


def train(
    folder: Annotated[
        Path,
        typer.Argument(
            readable=False, help="Pictures (JPEG, PNG, WebP), captions (.txt, .json, .caption), ZIPs, more folders."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="The model's name: 5 to 30 letters, digits, spaces, hyphens.")],
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what the training would be; start none, and keep nothing.")
    ] = False,
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="What the pictures are of; else it is guessed from the captions.")
    ] = None,
    steps: StepsOption = None,
    rank: RankOption = None,
    learning_rate: RateOption = None,
    ema: EmaOption = None,
    batch_size: BatchOption = None,
    seed: SeedOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the training to end.")] = False,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Make a dataset of a folder, train a custom model on it, and show it train.

    What is left out, what is refused and what the dataset's report finds is named before the training starts.

    Ctrl-C does not end a training: it says how to watch it on, and how to cancel it."""
    check_name(name, "--name")
    numbers = given(
        training_steps=steps, lora_rank=rank, learning_rate=learning_rate, ema=ema, batch_size=batch_size, seed=seed
    )
    gathered = _with_pictures(folder)
    requests = requests_of(gathered)
    for sentence in gathered.sentences():
        note(sentence)
    with connect(url, key_file) as client:
        with _dataset(client, name) as dataset_id:
            _check_count(gathered.count(), client.report(dataset_id)["summary"])
            with upload_progress(sum(map(len, requests)), quiet=as_json) as sent:
                uploads = upload_all(client, dataset_id, requests, sent)
                for upload in uploads:
                    note_remarks(upload, *upload["successful_assets"], *upload["failed_assets"])
            report = client.report(dataset_id)
            note(as_text(report, with_files=False))
            if not report["summary"]["is_ready"]:
                raise InvalidRequest(report["summary"]["message"] + _of_copies(uploads, report["summary"]))
            if plan:
                told = client.plan(dataset_id, name, dataset_kind=kind, **numbers)
                client.delete_dataset(dataset_id)
                return _tell_plan(told, as_json=as_json)
            started = _start(client, dataset_id, name, kind, numbers)
        model_id = str(started["model_id"])
        note(f"model {model_id} trains on dataset {dataset_id}")
        model = client.model(model_id) if detach else watch(client, model_id, quiet=as_json)
    note_remarks(model, *(model.get("training_runs") or ()))
    text = f"{model['status']}  model_id {model['model_id']}  {model.get('custom_model_uri') or ''}".rstrip()
    answer(model, text, as_json=as_json)


def watch(client: Client, model_id: str, *, quiet: bool) -> dict[str, Any]:
    """Show the model until it is final, and return it. ``RunFailed`` with its sentence when it ended ERRORED."""
    try:
        with training_progress(quiet=quiet) as bar:
            for model in client.watch(model_id):
                bar.show(model)
    except KeyboardInterrupt:
        note(f"The training goes on without you. To watch it:   linocut models watch {model_id}")
        note(f"To end it, and keep the best it has so far:   linocut models cancel {model_id}")
        raise
    if model["status"] == "ERRORED":
        sentence = (model.get("x_linocut") or {}).get("error")
        raise RunFailed(str(sentence or "The training run failed."))
    return model


@contextmanager
def _dataset(client: Client, name: str) -> Iterator[str]:
    """A dataset that is there afterwards only if the block came to its end: no upload without a training is left."""
    dataset_id = str(client.create_dataset(name)["dataset_id"])
    try:
        yield dataset_id
    except _MayHaveStarted:
        note("Whether the training has started is not known: linocut models list tells.")
        raise KeyboardInterrupt from None
    except (LinocutError, OSError, KeyboardInterrupt):
        try:
            client.delete_dataset(dataset_id)
            note("No training was started, and nothing of the upload was kept.")
        except LinocutError as left:
            note(f"{left.message} Its dataset is left over: linocut datasets delete {dataset_id}")
        raise


class _MayHaveStarted(BaseException):
    """Interrupted after the server was asked to train and before it answered."""


def _start(client: Client, dataset_id: str, name: str, kind: Kind | None, numbers: dict[str, Any]) -> dict[str, Any]:
    begin = partial(client.train_advanced if numbers else client.train, dataset_id, name, dataset_kind=kind, **numbers)
    key = new_id()
    try:
        return patiently(lambda: begin(idempotency_key=key))
    except KeyboardInterrupt:
        raise _MayHaveStarted from None


def _tell_plan(told: dict[str, Any], *, as_json: bool) -> None:
    note_remarks(told)
    answer(told, _plan_text(told), as_json=as_json)


def _plan_text(plan: dict[str, Any]) -> str:
    held = ", ".join(one["file_name"] for one in plan["held_out"]) or "none"
    minutes = "not known" if plan["minutes"] is None else f"about {max(1, round(plan['minutes']))}"
    memory = "not known" if plan["memory_mib"] is None else f"{plan['memory_mib']:g} MiB beside the base"
    rows = {
        "pictures": f"{plan['pictures']}, each learned from about {plan['passes']:g} times",
        "held out": held,
        "steps": f"{plan['training_steps']}, a checkpoint every {plan['checkpoint_every']}",
        "batch": f"{number_of(plan['batch_size'], 'picture')} a step",
        "rank": plan["lora_rank"],
        "kind": (plan.get("x_linocut") or {}).get("dataset_kind", "not known"),
        "minutes": minutes,
        "memory": memory,
    }
    if plan["cost"] is not None:
        rows["cost"] = f"{plan['cost']['amount']} {plan['cost']['currency_code']}, in minor units"
    return "\n".join(f"{name:<9} {value}" for name, value in rows.items())


def _check_count(count: int | None, limits: dict[str, Any]) -> None:
    """``InvalidRequest`` when the server would refuse so many pictures (None: not known), before any is sent."""
    fewest, most = limits["min_training_images"], limits["max_training_images"]
    if count is None or fewest <= count <= most:
        return
    out = f"add {fewest - count} more" if count < fewest else f"leave {count - most} out"
    raise InvalidRequest(
        f"The folder holds {number_of(count, 'picture')} and a training takes {fewest} to {most}: {out}."
    )


def _of_copies(uploads: list[dict[str, Any]], summary: dict[str, Any]) -> str:
    """Why the dataset has fewer pictures than were sent; "" where it has them all."""
    copies = sum(upload["success_count"] for upload in uploads) - summary["image_count"]
    return f" Not counted: {number_of(copies, 'file')} with a picture that was sent already." if copies else ""


def _with_pictures(folder: Path) -> Gathered:
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder; give one that holds your pictures.")
    gathered = gather([folder])
    if all(part.is_caption for part in gathered.parts()):
        held = " ".join(["", *gathered.sentences()])
        raise InvalidRequest(f"{folder} holds no JPEG, PNG, WebP or ZIP file to train on.{held}")
    return gathered


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("train")(train)
