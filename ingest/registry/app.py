"""The registry as a FastAPI application. It answers from its first moment on; its health says when it can be used."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ingest import registry
from ingest.datasets import Dataset
from ingest.registry import columns, etags, page, problems, routes, schemas, topics
from ingest.registry.bodies import Registration
from ingest.registry.seeding import Seeds
from ingest.registry.store import Files, Store
from ingest.registry.tables import engine_of
from stack.registered import holders
from stack.settings import Settings

log = structlog.get_logger()
AGAIN_SECONDS = 0.5


FilesOf = Callable[[Settings, Registration | Dataset], Files]


def application(settings: Settings, files_of: FilesOf, engine: Engine | None = None) -> FastAPI:
    """The service for these settings, on their database unless another `engine` is given. `files_of` says what files a
    registration asks for, or raises Problem."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ends = threading.Event()
        threading.Thread(target=seed, args=(app, ends), name="seed", daemon=True).start()
        yield
        ends.set()
        app.state.store.engine.dispose()

    app = FastAPI(
        title="Millrace dataset registry", version="1", description=registry.__doc__,
        lifespan=lifespan, docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.settings = settings
    app.state.holders = holders(settings.registry_tokens)
    app.state.store = Store(engine or engine_of(settings))
    app.state.seeds = Seeds(app.state.store, settings.datasets)
    app.state.files_of = files_of
    app.state.ensure_topic = partial(topics.ensure, settings.kafka_bootstrap_servers)
    app.state.is_seeded = threading.Event()
    problems.install(app)
    app.add_exception_handler(etags.NotModified, lambda _, same: Response(status_code=304, headers={"ETag": same.etag}))
    for router in (routes.router, columns.router, schemas.router):
        app.include_router(router)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(page.html(app.openapi(), str(request.base_url).rstrip("/")))

    return app


def seed(app: FastAPI, ends: threading.Event) -> None:
    """Make the tables and take the files over, as soon as PostgreSQL answers."""
    is_told = False
    while not ends.is_set():
        try:
            app.state.store.make_tables()
            app.state.seeds.take_over()
            app.state.is_seeded.set()
            return
        except SQLAlchemyError as error:
            if not is_told:
                log.info("waiting for PostgreSQL", cause=problems.first_line(error))
            is_told = True
            ends.wait(AGAIN_SECONDS)
