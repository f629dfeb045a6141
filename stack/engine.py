"""What an engine of the stack is: how it is prepared, started, asked, and recognised.

Everything `lake` does with engines works on this description, so an optional part is one more module with an `Engine`.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stack.settings import Settings


def nothing(_settings: Settings) -> None:
    """Nothing to do."""


@dataclass(frozen=True)
class Engine:
    """One supervised process.

    `ready` raises while the engine does not answer a real request. `settle` runs once it is ready and is repeatable.
    `mark` is an argument of the command line, or a variable with its value, that only this stack's process has: a stray
    is found by it.
    """

    name: str
    ports: tuple[str, ...]  # names of Settings fields
    command: Callable[[Settings], list[str]]
    ready: Callable[[Settings], None]
    mark: Callable[[Settings], str]
    endpoint: Callable[[Settings], tuple[str, str]]  # address, login
    prepare: Callable[[Settings], None] = nothing
    settle: Callable[[Settings], None] = nothing
    environment: Callable[[Settings], dict[str, str]] = field(default=lambda _settings: {})
    after: tuple[str, ...] = ()
    is_awaited: bool = True  # False where it works on data that may not be there yet
    about: Callable[[Settings], str] | None = None  # a sentence for `lake status`
    stop_signal: str = "TERM"
    stop_seconds: int = 30
