"""Brings the engines up in order, each when a real request was answered, and takes them down again.

Safe to repeat: what runs is left alone, what is missing is made, and one command at a time works on a home.
"""
from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from stack import airflow, rest, s3, storage, supervision
from stack.engine import Engine
from stack.faults import UNREACHABLE, Fault
from stack.ingester import ENGINE as INGEST
from stack.kafka import ENGINE as KAFKA
from stack.locks import locked
from stack.postgres import ENGINE as POSTGRES
from stack.refresh import ENGINE as REFRESH
from stack.registry import ENGINE as REGISTRY
from stack.settings import Settings
from stack.trino import ENGINE as TRINO

ENGINES = (POSTGRES, KAFKA, TRINO, REGISTRY)
# Parts that run if asked for; the first two keep tables, so a home made with them has them always.
PARTS = {
    "s3": (s3.ENGINE,),
    "rest": (rest.ENGINE,),
    INGEST.name: (INGEST,),
    REFRESH.name: (REFRESH,),
    "airflow": airflow.ENGINES,
}
EVERY = (*ENGINES, *(engine for part in PARTS.values() for engine in part))
# What `lake reset` deletes; downloads and tools stay.
STATE = ("data", "logs", "run", "warehouse", "checkpoints", "spark", "paused")

Say = Callable[[str], None]


def engines_of(settings: Settings) -> tuple[Engine, ...]:
    """What this home's stack always runs, in the order of its start: what keeps tables comes before Trino."""
    kept = storage.of_home(settings.home)
    kept_by = (engine for name in (kept.parts if kept else ()) for engine in PARTS[name])
    return (POSTGRES, KAFKA, *kept_by, TRINO, REGISTRY)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One `lake up`, `down` or `reset` at a time on a home."""
    with locked(settings.home / ".lock"):
        yield


def up(settings: Settings, say: Say, parts: Iterable[str] = ()) -> None:
    """Start what is not running; return when every engine has answered, and those of `parts` that are waited for."""
    engines = engines_of(settings)
    wanted = [engine for name in dict.fromkeys(parts) for engine in PARTS[name] if engine not in engines]
    with alone(settings):
        for folder in (settings.data, settings.logs, settings.run):
            folder.mkdir(parents=True, exist_ok=True)
        if not supervision.is_running(settings) and supervision.strays(settings, EVERY):
            say("ending processes that a killed supervisord left behind")
            supervision.stop(settings, EVERY)
        running = {name for name, state in supervision.states(settings).items() if state["pid"]}
        missing = [engine for engine in (*engines, *wanted) if engine.name not in running]
        for engine in missing:
            check_ports(settings, engine)
        for engine in missing:
            if engine not in wanted:
                engine.prepare(settings)
        supervision.ensure_running(settings, EVERY)
        settled: set[str] = set()
        for engine in engines:  # those that wait for nobody start at once
            if not engine.after:
                supervision.start(settings, engine.name)
        for engine in engines:
            if not settled.issuperset(engine.after):
                raise Fault(f"{engine.name} is listed before what it waits for: {', '.join(engine.after)}.")
            say(f"waiting for {engine.name}")
            supervision.start(settings, engine.name)
            wait_until_ready(settings, engine)
            engine.settle(settings)
            settled.add(engine.name)
        for part in wanted:
            if part.is_awaited:
                say(f"preparing {part.name}")
            part.prepare(settings)
        for part in wanted:
            supervision.start(settings, part.name)
        for part in wanted:
            if part.is_awaited:
                say(f"waiting for {part.name}")
                wait_until_ready(settings, part)


def restart(settings: Settings, part: str) -> None:
    """Stop and start the processes of a running part. Raises Fault where it doesn't run under the supervisor."""
    with alone(settings):
        known = supervision.states(settings)
        for engine in PARTS[part]:
            if known.get(engine.name, {}).get("statename", "STOPPED") == "STOPPED":
                raise Fault(f"{engine.name} is not run by this stack's supervisor.", f"lake up --with {part}")
        for engine in PARTS[part]:
            if known[engine.name]["pid"]:
                supervision.call(settings, "stopProcess", engine.name)
            supervision.start(settings, engine.name)


def wait_until_ready(settings: Settings, engine: Engine) -> None:
    """Ask until the engine answers. Raises Fault when it gives up or the time is over."""
    deadline = time.monotonic() + settings.start_timeout
    while True:
        try:
            return engine.ready(settings)
        except Exception as refusal:  # each client has its own errors; which one it was is told if time runs out
            reason = f"{type(refusal).__name__}: {refusal}".strip().splitlines()[0]
        state = supervision.states(settings).get(engine.name, {}).get("statename", "not supervised")
        if state in ("FATAL", "not supervised") or time.monotonic() > deadline:
            log = settings.logs / f"{engine.name}.log"
            raise Fault(
                f"{engine.name} does not answer ({state}; {reason}).\n{last_lines(log)}", f"see {log}", UNREACHABLE
            )
        time.sleep(0.2)


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log file, indented."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        tail = file.read().decode(errors="replace").splitlines()[-count:]
    return "\n".join(f"  | {line}" for line in tail)


def check_ports(settings: Settings, engine: Engine) -> None:
    """Raise Fault where a port that this engine needs is taken."""
    for field in engine.ports:
        port = getattr(settings, field)
        if taken := holder(settings.host, port):
            raise Fault(
                f"Port {port}, which {engine.name} needs, is held by {taken}.",
                f"end it, or move the port with LAKE_{field.upper()}=<free port>",
                UNREACHABLE,
            )


def holder(host: str, port: int) -> str | None:
    """Who listens on the port, in words; None where nobody does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            return None
        except PermissionError:
            return "the system (ports below 1024 need root)"
        except OSError:
            pass
    for listener in psutil.net_connections("tcp"):
        if listener.laddr and listener.laddr.port == port and listener.status == psutil.CONN_LISTEN and listener.pid:
            process = psutil.Process(listener.pid)
            return f"process {process.pid} ({process.name()})"
    return "a process of another user"


def down(settings: Settings) -> bool:
    """Stop everything. Returns whether anything was running."""
    with alone(settings):
        if not supervision.strays(settings, EVERY):
            return False
        supervision.stop(settings, EVERY)
        return True


def reset(settings: Settings) -> None:
    """Stop everything and delete what the engines keep."""
    down(settings)
    with alone(settings):
        for name in STATE:
            shutil.rmtree(settings.home / name, ignore_errors=True)
