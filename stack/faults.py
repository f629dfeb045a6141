"""What goes wrong, said to a person.

A `Fault` that reaches the `lake` command is printed as its sentence, without a traceback; its code is the exit code.
"""
from __future__ import annotations

import sys

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

# Exit codes of every command: what must be equal isn't, a wrong call, another writer has it, a person must decide, an
# engine can't be reached.
DIFFERENT, USAGE, HELD, DECISION, UNREACHABLE = 1, 2, 3, 4, 5


class Fault(Exception):
    """A fault a person can act on: one sentence, what to do next, the exit code."""

    def __init__(self, sentence: str, fix: str = "", code: int = 1) -> None:
        super().__init__(sentence)
        self.fix = fix
        self.code = code

    def __str__(self) -> str:
        return f"{self.args[0]}\n  fix: {self.fix}" if self.fix else str(self.args[0])


class SaysFaults(TyperGroup):
    """The command group that turns a `Fault` of any command into its sentence and exit code."""

    def invoke(self, ctx: typer.Context) -> object:
        try:
            return super().invoke(ctx)
        except Fault as fault:
            print(f"lake: {fault}", file=sys.stderr)
            raise typer.Exit(fault.code) from None
        except ValidationError as error:
            if error.title != "Settings":
                raise
            for one in error.errors():
                print(f"lake: LAKE_{str(one['loc'][0]).upper()}={one['input']}: {one['msg']}", file=sys.stderr)
            raise typer.Exit(USAGE) from None
