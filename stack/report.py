"""What the stack looks like from outside: endpoints and logins, and each process's state."""
from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import psutil
from rich.console import Console
from rich.table import Table

from stack import supervision
from stack.engine import Engine
from stack.settings import Settings
from stack.up import EVERY, engines_of


@dataclass(frozen=True)
class ProcessStatus:
    """One process now. `ready` means that it has just answered a real request; memory counts its children too."""

    name: str
    state: str
    pid: int | None
    uptime_seconds: int | None
    rss_mb: int | None
    ready: bool
    port: int | None
    address: str
    about: str = ""


def resident_mb(pid: int) -> int | None:
    """Megabytes resident in a process and its children; shared pages count once, in the process itself."""
    try:
        process = psutil.Process(pid)
        memory = process.memory_info().rss
        for child in process.children(recursive=True):
            used = child.memory_info()
            memory += max(0, used.rss - used.shared)
        return memory >> 20
    except psutil.Error:
        return None


def answers(settings: Settings, engine: Engine) -> bool:
    try:
        engine.ready(settings)
    except Exception:  # each client has its own errors; all of them mean the same here
        return False
    return True


def about(settings: Settings, engine: Engine) -> str:
    try:
        return engine.about(settings) if engine.about else ""
    except Exception as refusal:  # as above
        return f"{type(refusal).__name__}: {refusal}".splitlines()[0]


def status(settings: Settings) -> list[ProcessStatus]:
    """Every engine's state, each asked at the same time; a part's, where it was asked for."""
    supervised = supervision.states(settings)
    running = {name for name, known in supervised.items() if known["statename"] != "STOPPED"}
    always = engines_of(settings)
    engines = [engine for engine in EVERY if engine in always or engine.name in running]

    def look(engine: Engine) -> ProcessStatus:
        known = supervised.get(engine.name, {})
        pid = known.get("pid") or None
        return ProcessStatus(
            name=engine.name,
            state=known.get("statename", "STOPPED").lower(),
            pid=pid,
            uptime_seconds=max(0, int(time.time() - known["start"])) if pid else None,
            rss_mb=resident_mb(pid) if pid else None,
            ready=bool(pid) and answers(settings, engine),
            port=getattr(settings, engine.ports[0]) if engine.ports else None,
            address=engine.endpoint(settings)[0],
            about=about(settings, engine),
        )

    with ThreadPoolExecutor(len(engines)) as pool:
        return list(pool.map(look, engines))


def as_json(settings: Settings, processes: list[ProcessStatus]) -> dict:
    return {
        "home": str(settings.home),
        "ready": all(process.ready for process in processes),
        "processes": [asdict(process) for process in processes],
    }


def print_status(processes: list[ProcessStatus]) -> None:
    table = Table("process", "state", "ready", "pid", "up (s)", "memory (MB)", "port")
    for one in processes:
        answer = "yes" if one.ready else "no"
        cells = (one.name, one.state, answer, one.pid, one.uptime_seconds, one.rss_mb, one.port)
        table.add_row(*("-" if cell is None else str(cell) for cell in cells))
    Console().print(table)
    for one in processes:
        if one.about:
            print(f"{one.name}: {one.about}")


def print_endpoints(settings: Settings) -> None:
    """Where each engine is reached, and as whom."""
    table = Table("engine", "address", "login (user / password)")
    running = {name for name, state in supervision.states(settings).items() if state["pid"]}
    for engine in EVERY:
        address, login = engine.endpoint(settings)
        if engine.name in running and address:
            table.add_row(engine.name, address, login)
    table.add_row("warehouse", settings.warehouse, "")
    Console().print(table)
