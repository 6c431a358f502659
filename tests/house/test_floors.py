"""Imports go down only: import-linter holds the floors that pyproject.toml draws."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_imports_go_down_only() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_room_has_a_floor() -> None:
    """A new top-level room must be put on a floor, or nothing holds it."""
    drawn = (ROOT / "pyproject.toml").read_text()
    rooms = {
        p.stem
        for p in (ROOT / "src" / "linocut").iterdir()
        if (p.suffix == ".py" or (p / "__init__.py").exists()) and not p.name.startswith("__")
    }
    assert [room for room in sorted(rooms) if f"linocut.{room}" not in drawn] == []
