"""`/health` of the refresher: the ages of its tables, and 503 where one is older than readers are promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.age import ages
from stack.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette


def app(settings: Settings) -> Starlette:
    """The ASGI app."""
    import psycopg
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def health(_request: Request) -> JSONResponse:
        try:
            found = ages(settings)
        except psycopg.OperationalError as error:
            reason = f"PostgreSQL does not answer: {str(error).splitlines()[0]}"
            return JSONResponse({"healthy": False, "reasons": [reason], "tables": {}}, 503)
        reasons = [str(age) for age in found if not age.is_fresh()]
        tables = {age.table: age.seconds for age in found}
        return JSONResponse({"healthy": not reasons, "reasons": reasons, "tables": tables}, 503 if reasons else 200)

    return Starlette(routes=[Route("/health", health)])
