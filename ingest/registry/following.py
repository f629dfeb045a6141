"""A running ingester's look at the registry, once a trigger: beside the streams, never on a batch's path."""

from __future__ import annotations

import threading
from collections.abc import Collection

import structlog

from ingest.datasets import Dataset
from ingest.metrics.meters import REGISTRY_UP
from ingest.registry.known import ask, typed
from stack.registered import Documents, RegistryDown
from stack.settings import NO_REGISTRY, Settings

log = structlog.get_logger()


class Follower(threading.Thread):
    """Asks every `seconds`, and has what is new ready for `news`. Where there is no registry it never has any.

    While the registry does not answer, what was known before holds: the metric `registry_up` is 0 and one line says so.
    """

    def __init__(self, settings: Settings, known: Documents, names: Collection[str] | None, seconds: float) -> None:
        super().__init__(name="registry", daemon=True)
        self.settings, self.names, self.seconds = settings, names, seconds
        self.follows = settings.registry_url != NO_REGISTRY
        self._etag = known.etag if known.source == "registry" else ""
        self._news: list[Dataset] | None = None
        self._new, self._ends = threading.Lock(), threading.Event()
        self._is_up = True
        self._heard(not known.said, known.said)

    def run(self) -> None:
        while self.follows and not self._ends.wait(self.seconds):
            try:
                known = ask(self.settings, self._etag)
            except RegistryDown as error:
                self._heard(False, str(error))
                continue
            except Exception as error:  # whatever it is, the streams go on
                self._heard(False, f"{type(error).__name__}: {error}")
                continue
            self._heard(True)
            if known is not None:
                self._etag = known.etag
                for name, said in known.refused.items():
                    log.warning("its last known configuration holds", dataset=name, cause=said)
                with self._new:
                    self._news = [one for one in typed(known) if not self.names or one.name in self.names]

    def news(self) -> list[Dataset] | None:
        """The datasets as they are now, where that changed since the last call."""
        with self._new:
            news, self._news = self._news, None
        return news

    def end(self) -> None:
        self._ends.set()

    def _heard(self, is_up: bool, cause: str = "") -> None:
        REGISTRY_UP.set(is_up)  # where none is followed, none is missing
        if self._is_up and not is_up:
            log.warning("registry down: the last known configuration holds", cause=cause)
        if is_up and not self._is_up:
            log.info("the registry answers again")
        self._is_up = is_up
