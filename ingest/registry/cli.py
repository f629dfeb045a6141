"""`lake registry`: the dataset registry's service, in the foreground."""

from __future__ import annotations

import typer

from stack.settings import settings


def registry(
    mark: str = typer.Option("", "--of", hidden=True, help="Whose service this is, for the supervisor."),
) -> None:
    """Run the dataset registry (`lake up` does it) until SIGTERM: its API by examples is at /docs.

    It begins with the files of ingest/datasets, and keeps what is changed since in PostgreSQL.
    """
    import uvicorn

    from ingest.logs import configure
    from ingest.registry.app import application

    configure()
    app = application(settings())
    uvicorn.run(
        app, host=settings().host, port=settings().registry_port, log_level="warning", access_log=False, workers=1
    )
