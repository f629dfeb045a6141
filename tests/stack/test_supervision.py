"""If these fail, a home with an unusual path can't be supervised, or an engine's command is not the one meant."""
from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest

from stack import supervision
from stack.engine import Engine
from stack.settings import Settings
from stack.up import EVERY


def echo(command: list[str], environment: dict[str, str] | None = None) -> Engine:
    return Engine(
        name="echo",
        ports=(),
        command=lambda _settings: command,
        ready=lambda _settings: None,
        mark=lambda _settings: "mark",
        endpoint=lambda _settings: ("", ""),
        environment=lambda _settings: environment or {},
    )


def parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_a_command_with_spaces_and_percents_survives_rendering(tmp_path: Path) -> None:
    command = ["/opt/a b/java", "-Dx=50%", "a'b"]
    engine = echo(command, {"A": "1%", "B": 'x "y'})
    program = parsed(supervision.render(Settings(home=tmp_path), [engine]))["program:echo"]
    assert shlex.split(program["command"].replace("%%", "%")) == command
    assert program["environment"] == "A=\"1%%\",B='x \"y'"


def test_every_process_comes_back_and_has_a_log_of_its_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, downloads=tmp_path / "engines")
    configuration = parsed(supervision.render(settings, EVERY))
    for engine in EVERY:
        program = configuration[f"program:{engine.name}"]
        assert program["autorestart"] == "true"
        assert program["stdout_logfile"] == str(settings.logs / f"{engine.name}.log")
        said = shlex.split(program["command"]) + shlex.split(program["environment"].replace(",", " "))
        assert engine.mark(settings) in said


def test_two_homes_share_no_mark(tmp_path: Path) -> None:
    here, there = Settings(home=tmp_path / "a"), Settings(home=tmp_path / "b")
    assert not {engine.mark(here) for engine in EVERY} & {engine.mark(there) for engine in EVERY}


@pytest.mark.parametrize("depth", [1, 30])
def test_the_socket_path_fits_the_kernels_limit(tmp_path: Path, depth: int) -> None:
    settings = Settings(home=tmp_path.joinpath(*["deep"] * depth))
    path = supervision.socket_path(settings)
    assert len(str(path)) < 104
    assert path == supervision.socket_path(settings)
    assert path != supervision.socket_path(Settings(home=settings.home / "other"))
