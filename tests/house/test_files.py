"""The size of things, and the words that may not stand in this tree."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "mini" / "pretrain").rglob("*.py"))
TESTS = [path for folder in ("tests", "mini/tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
PYTHON = [path for path in SOURCES + TESTS if path != Path(__file__)]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

FORBIDDEN = {
    "pickle": re.compile(r"\bpickle\b"),
    "torch.load": re.compile(r"\btorch\.load\("),
    "eval()": re.compile(r"(?<![\w.])eval\(|\.eval\("),
    "trust_remote_code": re.compile(r"\btrust_remote_code\b"),
    "bare except": re.compile(r"^\s*except\s*:", re.MULTILINE),
}


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_too_long() -> None:
    lines = {_name(path): len(path.read_text().splitlines()) for path in PYTHON}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{_name(path)}:{f.name}": f.end_lineno - f.lineno + 1
        for path in SOURCES
        for f in _functions(ast.parse(path.read_text()))
        if f.end_lineno is not None and f.end_lineno - f.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_forbidden_words() -> None:
    guilty = []
    for path in PYTHON:
        text = path.read_text()
        if path.is_relative_to(ROOT / "tests"):
            text = text.replace("pickle.dumps", "").replace("pickle.loads", "").replace("import pickle", "")
        guilty += [f"{_name(path)}: {word}" for word, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert guilty == []


def test_every_module_says_what_it_is_for() -> None:
    assert [_name(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_nothing_committed_names_a_machine() -> None:
    """No absolute path of a developer's machine and no package registry's host."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    named = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/|pypi\.org/simple|files\.pythonhosted|registry\.npmjs")
    guilty = []
    for name in tracked:
        path = ROOT / name
        if path == Path(__file__) or path.suffix in {".png", ".safetensors", ".ttf", ".zip"} or not path.is_file():
            continue
        if named.search(path.read_text(errors="replace")):
            guilty.append(name)
    assert guilty == []
