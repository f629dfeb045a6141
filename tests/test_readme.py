"""If these fail, a newcomer's first ten minutes do: a command of README.md, a path, or the page's length.

Blocks tagged `sh` are run in order, on the tests' stack: with fewer events, without dbt's unit tests, and without the
gates. What the demo, which comes first, has run is not run twice.
"""
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from short_lived import FAST_START

from stack import demo
from stack.settings import PROJECT, Settings

README = (PROJECT / "README.md").read_text()
PAGES = (
    "README.md", "CONTRIBUTING.md", "docs/runbook.md", "docs/decisions.md", "docs/scaling.md", "docs/figures.md",
    "docs/metrics.md", "docs/schema.md",
)  # fmt: skip
BLOCKS = [block.strip() for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
GATES = ("make test", "make bench")
DEMO = "make demo"
DOWN = "lake down"
FEWER = "--count 2000"
# Java without the compiler that a short process does not earn back; dbt's unit tests are run by tests/dbt_project.
QUICK = {
    "JAVA_TOOL_OPTIONS": FAST_START,
    "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
}
RUN_HERE = [block for block in BLOCKS if block not in (*GATES, DEMO) and DOWN not in block]
RUN_BY_DEMO = [" ".join(words) for words in demo.steps(20_000)]

Another = Callable[[Path], dict[str, str]]


def run(script: str, environment: dict[str, str] | None = None) -> None:
    """Run a block as a person's shell would, but stop at the first line that fails; nothing is left running."""
    process = subprocess.Popen(
        ["bash", "-exuo", "pipefail", "-c", script],
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said[-5000:]


def test_the_page_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_two_commands_are_there() -> None:
    assert DEMO in BLOCKS
    assert "make test" in BLOCKS
    assert sum(DOWN in block for block in BLOCKS) == 1


@pytest.mark.parametrize("page", PAGES)
def test_every_path_named_is_there(page: str) -> None:
    text = (PROJECT / page).read_text()
    quoted = " ".join(re.findall(r"`([^`\n]+)`", text))
    rooms = "|".join(path.name for path in PROJECT.iterdir() if path.is_dir() and not path.name.startswith("."))
    path = rf"(?<![\w./~-])((?:{rooms})/[\w./-]*|[\w-]+\.(?:yml|toml|md)|requirements\.lock|Makefile)(?![\w*<{{])"
    named = set(re.findall(path, quoted))
    assert named
    missing = sorted(path for path in named if not (PROJECT / path).exists())
    made_by_runs = subprocess.run(
        ["git", "check-ignore", "--stdin"], input="\n".join(missing), cwd=PROJECT, capture_output=True, text=True
    ).stdout.splitlines()
    assert sorted(set(missing) - set(made_by_runs)) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_named_is_there(page: str) -> None:
    import typer

    from stack.cli import app

    text = (PROJECT / page).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    code = "\n".join(re.findall(r"`([^`\n]+)`", text) + blocks)
    known = typer.main.get_command(app)
    for words in re.findall(r"\blake ((?:[a-z][a-z-]*)(?: [a-z][a-z_-]*)?)", code):
        first, *rest = words.split()
        assert first in known.commands, f"lake {words}"
        group = getattr(known.commands[first], "commands", None)
        if group and rest:
            assert rest[0] in group, f"lake {words}"
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets


@pytest.mark.integration
def test_the_demo_goes_the_whole_way(lake_stack: Settings) -> None:
    target = re.search(r"^demo: setup.*\n\t@\$\(LAKE\) demo$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert target, "make demo is more than `lake demo`: run the rest here too"
    run(f"lake demo {FEWER}", QUICK)


@pytest.mark.integration
@pytest.mark.parametrize("block", RUN_HERE, ids=lambda block: block.splitlines()[1].split("  ")[0])
def test_commands_exit_0(block: str, lake_stack: Settings) -> None:
    commands = [line.partition("#")[0].strip() for line in block.splitlines()]
    left = [one for one in commands if not any(step.startswith(one) for step in RUN_BY_DEMO)]
    assert 1 < len(left) < len(commands), "none of the demo's steps, or nothing but them"
    run("\n".join(left).replace("--count 20000", FEWER), QUICK)


@pytest.mark.integration
def test_down_exits_0(another_stack: Another, tmp_path: Path) -> None:
    """On a stack that isn't up: the tests' own is still needed."""
    (block,) = [block for block in BLOCKS if DOWN in block]
    run(block, another_stack(tmp_path))
