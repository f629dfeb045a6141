"""`/metrics` and `/health` of the ingester's process.

`/metrics` is JSON unless the caller would rather have text, as every Prometheus says in its Accept header.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ingest.metrics.board import BOARD, document
from ingest.metrics.meters import METERS
from ingest.metrics.watch import Watch
from stack.settings import Settings
from stack.web import served

if TYPE_CHECKING:
    from starlette.applications import Starlette

JSON_TYPES = ("application/json", "application/*", "*/*")
TEXT_TYPES = ("application/openmetrics-text", "text/plain", "text/*")


def wants_text(accept: str) -> bool:
    """Whether an Accept header prefers Prometheus' text to JSON; neither, or both alike, is JSON."""
    weights: dict[str, float] = {}
    for one in accept.split(","):
        name, *parameters = (part.strip().lower() for part in one.split(";"))
        said = dict(part.split("=", 1) for part in parameters if "=" in part)
        try:
            weight = float(said.get("q", 1))
        except ValueError:
            weight = 0.0
        weights[name] = max(weight, weights.get(name, 0.0))
    text = max(weights.get(name, 0.0) for name in TEXT_TYPES)
    return text > max(weights.get(name, 0.0) for name in JSON_TYPES)


def documents() -> list[dict[str, Any]]:
    """Every dataset's numbers."""
    health = BOARD.health()
    return [document(meter, health[meter.name]) for meter in BOARD.meters() if meter.name in health]


def app() -> Starlette:
    """The ASGI app; Starlette alone, since FastAPI's import would be paid by every start of the ingester."""
    from prometheus_client.exposition import choose_encoder
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    vary = {"Vary": "Accept"}

    def metrics(request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        if wants_text(accept):
            encode, content_type = choose_encoder(accept)
            return Response(encode(METERS), media_type=content_type, headers=vary)
        return JSONResponse(documents(), headers=vary)

    def metrics_of(request: Request) -> Response:
        found = [one for one in documents() if one["pipeline"] == request.path_params["dataset"]]
        missing = {"error": f"this ingester does not run {request.path_params['dataset']}"}
        return JSONResponse(found[0]) if found else JSONResponse(missing, 404)

    def health(_request: Request) -> Response:
        found = BOARD.health()
        healthy = all(one.ok for one in found.values())
        datasets = [
            {"dataset": name, "phase": one.phase, "healthy": one.ok, "reasons": one.reasons}
            for name, one in found.items()
        ]
        return JSONResponse({"healthy": healthy, "datasets": datasets}, 200 if healthy else 503)

    return Starlette(
        routes=[Route("/metrics", metrics), Route("/metrics/{dataset}", metrics_of), Route("/health", health)]
    )


@contextmanager
def observed(settings: Settings) -> Iterator[None]:
    """While the block runs, what its datasets do is served, and the broker is looked at."""
    if settings.metrics_port == "off":
        yield
        return
    stop = threading.Event()
    Watch(settings.kafka_bootstrap_servers, stop).start()
    try:
        with served(app, settings.host, settings.metrics_port, "LAKE_METRICS_PORT"):
            yield
    finally:
        stop.set()
