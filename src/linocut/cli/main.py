"""``linocut``: the verbs of the command line, and what their failures mean to a shell.

Each verb is a module of this folder with a ``register``. Only the one that is asked for is imported (help imports all):
a server that was killed must answer again within three seconds, and half a second of imports is a sixth of them.
"""

import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from linocut import __version__
from linocut.cli.say import EXIT_FAILED, EXIT_INTERRUPTED, exit_code, note, speak_whatever_the_terminal_knows
from linocut.errors import LinocutError
from linocut.observe import set_up_logs

PROGRAM = "linocut"
VERBS = (
    "serve",
    "worker",
    "workers",
    "lend",
    "demo",
    "doctor",
    "migrate",
    "keys",
    "users",
    "audit",
    "incidents",
    "orgs",
    "usage",
    "credits",
    "mails",
    "datasets",
    "train",
    "generate",
    "generate-transparent",
    "remove-background",
    "remix",
    "inpaint",
    "reframe",
    "replace-background",
    "upscale",
    "edit",
    "describe",
    "magic-prompt",
    "layerize",
    "images",
    "inspect",
    "models",
    "bases",
    "webhooks",
    "backup",
    "restore",
    "version",
)


def command_line(verbs: tuple[str, ...] = VERBS) -> typer.Typer:
    """The command line with these verbs."""
    app = typer.Typer(
        name="linocut",
        help="A self-hosted server that speaks the Ideogram HTTP API, with custom model training at its heart.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for verb in verbs:
        import_module(f"linocut.cli.{verb.replace('-', '_')}").register(app)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"linocut {__version__}\n")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """A self-hosted server that speaks the Ideogram HTTP API, with custom model training at its heart."""
    del version  # its callback has printed it


def main(arguments: list[str] | None = None) -> None:
    """Run one verb and leave with its exit code (typer itself leaves with 2 on wrong usage)."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = (_words_to_complete() or given)[:1]
    speak_whatever_the_terminal_knows()
    set_up_logs("WARNING")  # to stderr: what a verb prints is its answer
    try:
        _name_unknown_variables()
        command_line((asked[0],) if asked and asked[0] in VERBS else VERBS)(args=given, prog_name=PROGRAM)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(EXIT_FAILED)
    except LinocutError as error:
        note(f"linocut: {error.message}")
        sys.exit(exit_code(error))
    except UnicodeEncodeError as error:  # bytes of the command line that are not text; paths alone may hold them
        if not "\udc80" <= error.object[error.start] <= "\udcff":
            raise
        note("linocut: A word of this command, or a variable, is not UTF-8 text; write it in UTF-8.")
        sys.exit(EXIT_FAILED)
    except OSError as error:  # a file or folder that the verb was given: not there, not readable, a full disk
        note(f"linocut: {error.filename or 'A file'}: {error.strerror or error}.")
        sys.exit(EXIT_FAILED)


def _name_unknown_variables() -> None:
    """Say on stderr which variables of our prefix nothing reads. Most calls have none but these two."""
    told = [name for name in os.environ if name.startswith("LINOCUT_")]
    if set(told) <= {"LINOCUT_URL", "LINOCUT_API_KEY"} or f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        return
    from linocut.environment import unknown_variables

    for sentence in unknown_variables():
        note(f"linocut: {sentence}")


def _words_to_complete() -> list[str]:
    """After ``linocut --install-completion``, a shell asks for completions with the line so far in its environment:
    the words of it behind the program's name and before the one that is being typed."""
    if f"_{PROGRAM.upper()}_COMPLETE" not in os.environ:
        return []
    words = (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or "").split()[1:]
    is_typing_the_verb = len(words) < 2 and os.environ.get("COMP_CWORD", "1") == "1"
    return [] if is_typing_the_verb else words


if __name__ == "__main__":
    main()
