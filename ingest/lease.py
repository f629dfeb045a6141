"""One writer a dataset: a PostgreSQL advisory lock that chooses it (what refuses a wrong one is `ingest.publish`).

The lock lives on its own connection in the JVM, the process that commits, and is pinged from here: if either half dies
or is stopped, PostgreSQL ends the idle session and the lock is free for a standby.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from py4j.protocol import Py4JError

from ingest.metrics import tell
from stack.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = structlog.get_logger()
IDLE_SECONDS = 15
PING_SECONDS = 3
_HOLDER = """
select a.application_name, coalesce(a.client_addr::text, 'local'), a.backend_start::timestamptz(0)::text
from pg_locks l inner join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted
and ((l.classid::bigint << 32) | l.objid::bigint) = %d
"""


class LeaseHeld(RuntimeError):
    """Another ingester writes this dataset; the message says which."""


class Lease:
    """The right to write the tables of one bronze, by the bronze table's UUID."""

    def __init__(self, spark: SparkSession, settings: Settings, table: str, uuid: str) -> None:
        self._spark = spark
        self._settings = settings
        self._table = table
        self._number = int(uuid.replace("-", "")[:15], 16)
        self._connection: Any = None
        self._me = f"lake ingest pid {os.getpid()} at {socket.gethostname()}"[:63]
        self._asking = threading.Lock()
        self._confirmed = 0.0  # when PostgreSQL last said that the lock is ours
        self._stopped = threading.Event()
        self.lost = threading.Event()

    def acquire(self, wait: bool, stop: threading.Event) -> bool:
        """Take the lock, or raise LeaseHeld; with `wait`, try until it is free. False when `stop` came first."""
        announced = False
        while not stop.is_set():
            holder = self._try()
            if holder is None:
                threading.Thread(target=self._keep, name=f"lease {self._table}", daemon=True).start()
                return True
            if not wait:
                raise LeaseHeld(f"{self._table} is written by {holder}; stop it, or wait as a standby with --wait")
            if not announced:
                log.info("standing by", table=self._table, writer=holder)
                tell.stands_by(self._table, holder)
                announced = True
            stop.wait(1)
        return False

    def _try(self) -> str | None:
        """Open a connection and lock; the holder where it is another."""
        connection = self._connect()
        if self._ask(connection, f"select pg_try_advisory_lock({self._number})")[0] == "t":
            self._connection, self._confirmed = connection, time.monotonic()
            return None
        holder = self._ask(connection, _HOLDER % self._number)
        connection.close()
        return f"{holder[0]} on {holder[1]} since {holder[2]}" if holder else "an ingester that just ended"

    def _connect(self) -> Any:
        jvm = self._spark._jvm
        properties = jvm.java.util.Properties()
        for key, value in {
            "user": self._settings.database_user,
            "password": self._settings.database_password,
            "ApplicationName": self._me,
            "connectTimeout": "5",
            "socketTimeout": "10",
        }.items():
            properties.setProperty(key, value)
        connection = jvm.org.postgresql.Driver().connect(self._settings.catalog_jdbc_url, properties)
        self._ask(connection, f"select set_config('idle_session_timeout', '{IDLE_SECONDS}s', false)")
        return connection

    @staticmethod
    def _ask(connection: Any, sql: str) -> list[str]:
        """First row of a query, as text."""
        statement = connection.createStatement()
        rows = statement.executeQuery(sql)
        columns = rows.getMetaData().getColumnCount()
        found = [rows.getString(i + 1) for i in range(columns)] if rows.next() else []
        statement.close()
        return found

    def assure(self) -> None:
        """Raise LeaseHeld if another has the lock by now, as one who slept (SIGSTOP, a long pause) must ask first."""
        if time.monotonic() - self._confirmed > 2 * PING_SECONDS:
            self._check()

    def _check(self) -> None:
        """Ask for the lock; after an error it is taken again the next time, unless another has it by then."""
        with self._asking:
            if self._connection is not None:
                try:
                    self._ask(self._connection, "select 1")
                    self._confirmed = time.monotonic()
                except (Py4JError, OSError):
                    self._connection = None
                    raise
                return
            holder = self._try()
            if holder is None:
                log.info("lease taken again", table=self._table)
            elif holder.startswith(self._me):
                raise ConnectionError("PostgreSQL has not ended this ingester's last session yet")
            else:
                self.lost.set()
                raise LeaseHeld(f"another ingester took over {self._table}: {holder}")

    def _keep(self) -> None:
        """Ping the session, so that PostgreSQL ends it when either half of this process is stopped."""
        while not self._stopped.wait(PING_SECONDS):
            try:
                self._check()
            except LeaseHeld as error:
                log.error(str(error))
                return
            except (Py4JError, OSError) as error:
                log.warning("lease connection failed", table=self._table, cause=str(error).splitlines()[0])

    def release(self) -> None:
        """Give the lock back."""
        self._stopped.set()
        if self._connection is not None:
            with suppress(Py4JError, OSError):  # the session or the JVM may be gone, and the lock with it
                self._connection.close()
