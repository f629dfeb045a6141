"""The dataset registry's service, in the foreground. `lake registry` runs it with what other rooms add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.settings import Settings

if TYPE_CHECKING:
    from ingest.registry.app import FilesOf


def serve(settings: Settings, files_of: FilesOf) -> None:
    """Serve until SIGTERM."""
    import uvicorn

    from ingest.logs import configure
    from ingest.registry.app import application

    configure()
    app = application(settings, files_of)
    uvicorn.run(app, host=settings.host, port=settings.registry_port, log_level="warning", access_log=False, workers=1)
