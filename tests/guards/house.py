"""The guards of the house itself: which way imports go, what a process may load."""

from tests.guards.guard import Guard

GUARDS = (
    Guard(
        "imports go down only",
        "jobs/reaper.py",
        "from linocut.db.database import Database\n",
        "from linocut.accounts import keys  # noqa\nfrom linocut.db.database import Database\n",
        ("house/test_floors.py::test_imports_go_down_only",),
    ),
    Guard(
        "the engine knows no settings",
        "engine/memory.py",
        "from linocut.errors import TooLarge\n",
        "from linocut.errors import TooLarge\nfrom linocut.settings import Settings  # noqa\n",
        ("house/test_floors.py::test_imports_go_down_only",),
    ),
    Guard(
        "the API process never imports torch",
        "api/app.py",
        "from linocut.api.edge import Edge\n",
        "import torch  # noqa\nfrom linocut.api.edge import Edge\n",
        ("house/test_light_imports.py::test_it_never_imports_torch_before_it_must[linocut.api.app]",),
    ),
    Guard(
        "the command line imports only the verb that is asked for",
        "cli/main.py",
        "command_line((asked[0],) if asked and asked[0] in VERBS else VERBS)",
        "command_line(VERBS)",
        ("cli/test_completion.py::test_only_the_verb_on_the_line_is_imported",),
    ),
)
