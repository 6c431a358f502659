"""The container files, parsed by Docker's own parser: who runs, what may be written, what is left out."""

import subprocess
from fnmatch import fnmatch

import pytest
from tests.deploy.reading import DEPLOY, OF_PROCESSES, ROOT, SETTINGS, instructions

import linocut

FILES = ("Dockerfile", "Dockerfile.cuda")


def last_stage(name: str) -> list[tuple[str, list[str]]]:
    """The instructions of the stage that is kept."""
    read = instructions(name)
    at = max(number for number, (command, _) in enumerate(read) if command == "FROM")
    return read[at + 1 :]


@pytest.mark.parametrize("name", FILES)
def test_the_last_stage(name: str) -> None:
    stage = last_stage(name)
    by = dict(stage)
    assert by["USER"] == ["10001:10001"]
    assert by["VOLUME"] == ["/data"]
    assert (by["ENTRYPOINT"], by["CMD"]) == (["linocut"], ["serve"])
    assert by["STOPSIGNAL"] == ["SIGTERM"]
    assert "/healthz" in by["HEALTHCHECK"][-1]
    text = " ".join(word for command, words in stage if command == "RUN" for word in words)
    assert not any(tool in text for tool in ("apt-get", "pip", "make ", "gcc", "curl")), "tools of building are kept"
    copied = [words for command, words in stage if command == "COPY"]
    assert copied == [["/opt/linocut", "/opt/linocut"]], "only what was built comes along"


@pytest.mark.parametrize("name", FILES)
def test_what_it_sets_is_read(name: str) -> None:
    pairs = [words for command, words in last_stage(name) if command == "ENV"]
    flat = [word for words in pairs for word in words if word != "="]
    told = dict(zip(flat[::2], flat[1::2], strict=True))
    assert set(told) <= SETTINGS | OF_PROCESSES
    assert (told["LINOCUT_DATA"], told["HOME"], told["LINOCUT_HOST"]) == ("/data", "/data", "0.0.0.0")


@pytest.mark.parametrize("name", FILES)
def test_bases_are_pinned_and_constraints_used(name: str) -> None:
    read = instructions(name)
    (image,) = [words[0].partition("=")[2] for command, words in read if command == "ARG" and "IMAGE" in words[0]]
    assert image.startswith("python:3.")
    assert image.count(":") == 1
    assert not image.endswith((":3", "latest"))
    labels = " ".join(word for command, words in last_stage(name) if command == "LABEL" for word in words)
    assert linocut.__version__ in labels
    for command, words in read:
        if command == "RUN" and "pip" in words[0] and " install" in words[0]:
            installs = words[0].count(" install ") - words[0].count("apt-get install")
            assert words[0].count("--constraint constraints.txt") == installs, words[0]


def test_the_two_differ_in_torch_and_what_a_gpu_is_told() -> None:
    cpu, cuda = ([line.strip(" \\") for line in (DEPLOY / name).read_text().splitlines()] for name in FILES)
    code = [{line for line in lines if line and not line.startswith("#")} for lines in (cpu, cuda)]
    told = "TORCH_INDEX", "constraints.txt torch", "EXTRAS=", "org.linocut.device", "NVIDIA_", "TRITON_"
    assert [line for line in code[0] ^ code[1] if not any(word in line for word in told)] == []


def left_in() -> list[str]:
    """The tracked files that .dockerignore lets through: the last pattern that fits one, or a folder above, wins."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    def goes(path: str) -> bool:
        above = [path, *("/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1))]
        ruled = True
        for line in lines:
            pattern = line.removeprefix("!").removeprefix("**/")
            if any(fnmatch(one, pattern) or (line.startswith("**") and fnmatch(one, f"*/{pattern}")) for one in above):
                ruled = line.startswith("!")
        return ruled

    return [path for path in listed.splitlines() if goes(path)]


def test_the_context_has_what_the_wheel_needs_and_nothing_else() -> None:
    kept = left_in()
    top = {path.partition("/")[0] for path in kept}
    assert top == {"pyproject.toml", "constraints.txt", "Makefile", "README.md", "LICENSE", "NOTICE", "src", "console"}
    assert {"console/package-lock.json", "src/linocut/cli/main.py"} < set(kept)
