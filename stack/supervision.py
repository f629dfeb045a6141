"""Keeps the engines alive: one supervisord a stack, which starts a dead process again and writes a log a process.

Everything it needs is rendered into `<home>/run`; the control socket has a short path elsewhere where the home is deep.
"""
from __future__ import annotations

import hashlib
import os
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from xmlrpc.client import Fault as RemoteFault
from xmlrpc.client import ServerProxy

import psutil

from stack.engine import Engine
from stack.faults import USAGE, Fault
from stack.settings import Settings

LONGEST_SOCKET = 100  # the kernel's limit is 108 bytes, supervisord binds a name a little longer first

SERVER = """\
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
logfile={logs}/supervisord.log
logfile_backups=2
pidfile={run}/supervisord.pid
childlogdir={logs}
directory={run}
minfds={files}
{user}
"""

PROGRAM = """
[program:{name}]
command={command}
environment={environment}
directory={data}/{name}
priority={place}
autostart=false
autorestart=true
startsecs=2
startretries=10
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


def socket_path(settings: Settings) -> Path:
    """The control socket: in the home, or below the system's temporary folder where that path is too long for one."""
    usual = settings.run / "supervisor.sock"
    if len(os.fsencode(usual)) <= LONGEST_SOCKET:
        return usual
    folder = Path("/tmp") / f"lake-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        fix = f"remove it, or shorten LAKE_HOME={settings.home}"
        raise Fault(f"{folder} should be this user's own private folder and is not.", fix)
    return folder / hashlib.sha256(os.fsencode(settings.home)).hexdigest()[:16]


def escaped(text: object) -> str:
    """`text` as supervisord's configuration reads it back: `%` begins an expansion there."""
    return str(text).replace("%", "%%")


def quoted(value: str) -> str:
    """`value` in the kind of quotes that it does not contain: there is no escaping them."""
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    raise Fault("A setting has both kinds of quotes in it, which supervisord can't pass on.", "choose another", USAGE)


def render(settings: Settings, engines: Iterable[Engine]) -> str:
    """supervisord's configuration for these engines."""
    if "%" in str(settings.home):  # supervisord expands a log file's name twice
        raise Fault(f"The path of LAKE_HOME={settings.home} has a % in it.", "choose one without", USAGE)
    folders = {name: escaped(getattr(settings, name)) for name in ("data", "logs", "run")}
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 65536 if hard_limit == resource.RLIM_INFINITY else min(65536, hard_limit)
    parts = [
        SERVER.format(
            socket=escaped(socket_path(settings)),
            files=files,
            user="user=root" if os.geteuid() == 0 else "",
            **folders,
        )
    ]
    for place, engine in enumerate(engines, 1):  # stopped in reverse, each when the one before has ended
        environment = ",".join(f"{name}={quoted(value)}" for name, value in engine.environment(settings).items())
        parts.append(
            PROGRAM.format(
                name=engine.name,
                place=place,
                command=escaped(shlex.join(engine.command(settings))),
                environment=escaped(environment),
                stop_signal=engine.stop_signal,
                stop_seconds=engine.stop_seconds,
                **folders,
            )
        )
    return "".join(parts)


def call(settings: Settings, method: str, *arguments: object) -> object:
    """One call of supervisord's interface. Raises OSError where no supervisord listens."""
    from supervisor.xmlrpc import SupervisorTransport

    transport = SupervisorTransport(None, None, f"unix://{socket_path(settings)}")
    with ServerProxy("http://127.0.0.1", transport=transport) as server:
        return getattr(server.supervisor, method)(*arguments)


def is_running(settings: Settings) -> bool:
    try:
        return call(settings, "getState")["statename"] == "RUNNING"
    except OSError:
        return False


def states(settings: Settings) -> dict[str, dict]:
    """supervisord's word on each process by name; empty where none runs."""
    try:
        return {process["name"]: process for process in call(settings, "getAllProcessInfo")}
    except OSError:
        return {}


def ensure_running(settings: Settings, engines: Iterable[Engine]) -> None:
    """A supervisord that knows these engines, as configured now. Running processes stay as they are."""
    configuration = settings.run / "supervisord.conf"
    configuration.write_text(render(settings, engines))
    configuration.chmod(0o600)
    if is_running(settings):
        added, changed, _removed = call(settings, "reloadConfig")[0]
        stopped = [name for name in changed if not states(settings)[name]["pid"]]
        for name in stopped:  # else it would be started as it was configured before
            call(settings, "removeProcessGroup", name)
        for name in (*added, *stopped):
            call(settings, "addProcessGroup", name)
        return
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
    started = subprocess.run(command, capture_output=True, text=True, cwd="/")
    if started.returncode:
        raise Fault(f"supervisord did not start: {(started.stderr or started.stdout).strip()[-500:]}")
    deadline = time.monotonic() + 20
    while not is_running(settings):
        if time.monotonic() > deadline:
            raise Fault("supervisord started but does not answer.", f"see {settings.logs}/supervisord.log")
        time.sleep(0.05)


def start(settings: Settings, name: str) -> None:
    """Ask for a process to be started; one that runs or is starting already is left alone."""
    try:
        call(settings, "startProcess", name, False)
    except RemoteFault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            log = settings.logs / f"{name}.log"
            raise Fault(f"{name} could not be started: {fault.faultString}", f"see {log}") from None


def strays(settings: Settings, engines: Iterable[Engine]) -> list[psutil.Process]:
    """Processes of this stack, supervised or not, found by an argument or a variable that only they have."""
    marks = {engine.mark(settings) for engine in engines} | {str(settings.run / "supervisord.conf")}
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():  # perhaps a task's own
            continue
        try:
            variables = (f"{name}={value}" for name, value in process.environ().items())
            of_ours = marks.intersection(process.cmdline()) or marks.intersection(variables)
            if of_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def stop(settings: Settings, engines: Iterable[Engine]) -> None:
    """Stop everything of this stack: politely, within the engines' own bounds, then by force. Nothing is left."""
    engines = list(engines)
    processes = strays(settings, engines)
    try:
        call(settings, "shutdown")
    except OSError:
        for process in processes:
            terminate(process)
    configuration = str(settings.run / "supervisord.conf")
    supervisors = [process for process in processes if configuration in arguments(process)]
    psutil.wait_procs(supervisors, timeout=sum(engine.stop_seconds for engine in engines) + 5)
    left = strays(settings, engines)
    for process in left:  # what nobody supervises: tasks in process groups of their own
        terminate(process)
    patience = 10 if supervisors else max(engine.stop_seconds for engine in engines) + 5
    _gone, stubborn = psutil.wait_procs(left, timeout=patience)
    for process in stubborn + strays(settings, engines):
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(stubborn, timeout=10)
    if left := strays(settings, engines):
        raise Fault(f"Still running after kill: {', '.join(f'{p.pid} {p.name()}' for p in left)}.")


def arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def terminate(process: psutil.Process) -> None:
    try:
        process.terminate()
    except psutil.Error:
        return
