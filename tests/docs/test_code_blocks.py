"""Every code block of every document runs, in order, against a real server; or says why it does not."""

import json
import shutil
from pathlib import Path

import pytest
from tests.docs.blocks import DOCUMENTS, ROOT, RUN_BY_PYTHON, RUN_BY_SHELL, SHOWN, Block, Reader, blocks_of
from tests.faults.server import Server
from tests.marks import long_but

from linocut.samples import PICTURES

NOT_RUN = {
    (
        "README.md",
        "make demo    # dataset, training, a custom model and its pictures, in under five minutes on two cores",
    ),
    ("README.md", "make serve                                   # http://127.0.0.1:8731, data in ./linocut-data"),
    ("docs/backups.md", "linocut serve --data copied"),
    ("docs/backups.md", "linocut serve --data restored"),
    ("docs/bases.md", "make gpu-proof"),
    (
        "docs/writers.md",
        "linocut serve --base qwen-image                                  # with: export LINOCUT_WRITER=base",
    ),
    (
        "docs/bases.md",
        "linocut serve --base mini --base z-image-turbo --workers 1     # one engine process for each of the two",
    ),
    (
        "docs/cluster.md",
        "export LINOCUT_DATABASE_URL=postgresql://linocut:PASSWORD@db.example.org:5432/linocut",
    ),
    ("docs/cluster.md", "linocut workers list"),
    (
        "docs/cluster.md",
        "linocut serve --devices 2                  # or linocut worker --devices 2, or LINOCUT_TRAINING_DEVICES=2",
    ),
    (
        "docs/cluster.md",
        "export LINOCUT_TRAINING_SECRET=$(openssl rand -hex 32)      # the same on both machines",
    ),
    ("docs/cluster.md", "pip install 'linocut[cluster]'"),
    (
        "docs/bases.md",
        "linocut bases show z-image-turbo --memory 12   # licence, sizes, speeds; how it fits on a GPU of 12 GiB",
    ),
    ("docs/commands.md", "linocut --install-completion"),
    ("docs/containers.md", "docker build --file deploy/Dockerfile --tag linocut ."),
    (
        "docs/describing.md",
        "export LINOCUT_DESCRIBER=endpoint LINOCUT_DESCRIBER_URL=http://127.0.0.1:11434/v1 "
        "LINOCUT_DESCRIBER_MODEL=qwen3-vl",
    ),
    (
        "docs/writers.md",
        "export LINOCUT_WRITER=endpoint LINOCUT_WRITER_URL=http://127.0.0.1:11434/v1 LINOCUT_WRITER_MODEL=qwen3",
    ),
    ("docs/gallery.md", 'call /v1/edit -F images=@star.png -F prompt="make the star red" -F seed=7 | save edit.png'),
    ("docs/postgresql.md", "pip install 'linocut[postgres]'"),
    ("docs/postgresql.md", "createuser --pwprompt linocut"),
    ("docs/postgresql.md", 'pg_dump --format=custom --file=linocut.dump "$LINOCUT_DATABASE_URL"'),
    (
        "docs/webhooks.md",
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \\",
    ),
    ("docs/tutorial.md", "linocut serve          # http://127.0.0.1:8731, everything it keeps in ./linocut-data"),
}
"""(document, first line) of the blocks that are not run; each says why in a comment right before it."""

BLOCKS = {path: list(blocks_of(path)) for path in DOCUMENTS}


def _is_run(block: Block) -> bool:
    return block.language in RUN_BY_SHELL + RUN_BY_PYTHON and not block.not_run


def _runs_here(path: Path) -> bool:
    uses_curl = any("curl " in block.text for block in BLOCKS[path] if _is_run(block))
    return any(map(_is_run, BLOCKS[path])) and (not uses_curl or shutil.which("curl") is not None)


QUICK = {
    "README.md",
    "audit.md",
    "cluster.md",
    "generating.md",
    "images.md",
    "leaving.md",
    "older-routes.md",
    "tools.md",
}
"""The documents whose commands ``make test`` runs; those of the others are long."""


@pytest.mark.parametrize(
    "path",
    long_but([path for path in DOCUMENTS if path.name in QUICK and _runs_here(path)], filter(_runs_here, DOCUMENTS)),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_code_of_a_document_runs(
    path: Path, documented: Server, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, documented.url, documented.data, PICTURES, key)
    shutil.copy(documented.data.parent / "certificates" / "certificate.pem", tmp_path)
    for block in filter(_is_run, BLOCKS[path]):
        for name, value in reader.environment().items():
            monkeypatch.setenv(name, value)
        reader.run(block)


def test_what_is_not_run_is_known_and_says_why() -> None:
    left_out = [block for blocks in BLOCKS.values() for block in blocks if block.not_run]
    assert {(block.document, block.text.splitlines()[0]) for block in left_out} == NOT_RUN
    assert all(len(block.not_run.split()) >= 4 for block in left_out)


def test_every_block_is_run_or_only_shown() -> None:
    known = RUN_BY_SHELL + RUN_BY_PYTHON + SHOWN
    assert [str(block) for blocks in BLOCKS.values() for block in blocks if block.language not in known] == []
    assert [str(path) for path in DOCUMENTS if path.read_text().count("\n```") != 2 * len(BLOCKS[path])] == []


def test_json_that_is_shown_is_json() -> None:
    for blocks in BLOCKS.values():
        for block in blocks:
            if block.language == "json":
                json.loads(block.text)


def test_the_reader_notices_a_block_that_fails(tmp_path: Path) -> None:
    """The guard itself: wrong commands, wrong Python, and a failure in the middle of a pipe."""
    reader = Reader(tmp_path, "http://127.0.0.1:1", tmp_path, PICTURES)
    reader.run(Block("x.md", 1, "bash", "A=5\nf() { echo $1; }\n", ""))
    reader.run(Block("x.md", 5, "bash", '[ "$(f $A)" = 5 ]\n', ""))
    for text in ("false\ntrue\n", "false | cat\n", "curl -sf http://127.0.0.1:8731/ | cat\n"):
        with pytest.raises(AssertionError, match=r"x\.md:9 ended with"):
            reader.run(Block("x.md", 9, "bash", text, ""))
    with pytest.raises(ZeroDivisionError):
        reader.run(Block("x.md", 12, "python", "1 / 0\n", ""))
