"""How every verb speaks: answers to stdout (text, or one JSON value with ``--json``), all else to stderr.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no valid key, 4 not found, 130 interrupted.
"""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linocut.errors import LinocutError, NotFound, Unauthenticated

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EXIT_FAILED, EXIT_KEY, EXIT_NOT_FOUND, EXIT_INTERRUPTED = 1, 3, 4, 130

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]


def speak_whatever_the_terminal_knows() -> None:
    """Print a replacement character for each that the terminal's encoding lacks: no file name ends a verb."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def answer(value: Any, text: str, *, as_json: bool) -> None:
    """Print a verb's answer: ``value`` as JSON, or ``text``. Nothing of the JSON is lost to the terminal's encoding:
    what it lacks is escaped."""
    sys.stdout.write((_json(value) if as_json else text) + "\n")
    sys.stdout.flush()


def _json(value: Any) -> str:
    plain = json.dumps(value, ensure_ascii=False)
    try:
        plain.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return plain


def note(text: str) -> None:
    """A remark for a person, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def note_remarks(*answers: Any) -> None:
    """On stderr, what the server remarks in ``x_linocut.notes`` of these parts of its answer; each sentence once."""
    told: dict[str, None] = {}
    for answered in answers:
        extras = answered.get("x_linocut") if isinstance(answered, dict) else None
        notes = extras.get("notes") if isinstance(extras, dict) else None
        told |= dict.fromkeys(str(sentence) for sentence in notes or ())
    for sentence in told:
        note(f"note: {sentence}")


def number_of(count: int, thing: str) -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def short(caption: str | dict[str, Any] | None, most: int = 72) -> str:
    """A caption on one line."""
    text = json.dumps(caption, ensure_ascii=False) if isinstance(caption, dict) else caption or "(no caption)"
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def exit_code(error: LinocutError) -> int:
    """The exit code that tells a script what kind of failure this was."""
    if isinstance(error, Unauthenticated):
        return EXIT_KEY
    return EXIT_NOT_FOUND if isinstance(error, NotFound) else EXIT_FAILED


@contextmanager
def training_progress(*, quiet: bool) -> Iterator["TrainingBar"]:
    """A progress bar on stderr when a person watches a terminal; otherwise a line now and then."""
    from rich.console import Console  # only the verbs that wait need it
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<14}"), BarColumn(bar_width=32), TextColumn("{task.fields[facts]}"))
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        yield TrainingBar(
            bar, bar.add_task("waiting", total=None, facts=""), plain=not quiet and not console.is_terminal
        )


@contextmanager
def upload_progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with how many files were sent; a bar in a terminal, a line a request elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("uploading"), BarColumn(bar_width=32), MofNCompleteColumn(), TextColumn("files"))
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task, done = bar.add_task("", total=total), 0

        def sent(files: int) -> None:
            nonlocal done
            done += files
            bar.update(task, completed=done)
            if not quiet and not console.is_terminal:
                note(f"sent {done} of {total} files")

        yield sent


class TrainingBar:
    """Shows a model as it trains; ``show`` takes the object that GET /models/{id} holds under ``model``."""

    def __init__(self, bar: "Progress", task: "TaskID", *, plain: bool) -> None:
        self._bar, self._task, self._plain, self._last = bar, task, plain, ""

    def show(self, model: dict[str, Any]) -> None:
        """Draw the model's state; on a plain stream print a line for each status and each tenth of the way."""
        run = model.get("x_linocut") or {}
        step, total, loss, eta = (run.get(k) for k in ("step", "total_steps", "loss", "eta_seconds"))
        facts = f"step {step}/{total}" if total else ""
        facts += f"  loss {loss:.4f}" if loss is not None else ""
        facts += f"  about {eta} s left" if eta is not None else ""
        self._bar.update(self._task, description=model["status"].lower(), completed=step or 0, total=total, facts=facts)
        tenth = f"{model['status']} {10 * (step or 0) // total if total else ''}"
        if self._plain and tenth != self._last:
            note(f"{model['status']}: {facts}" if facts else str(model["status"]))
            self._last = tenth
