"""Every answer that is no success is a problem document (RFC 9457), whoever raised it.

`errors` names the fields at fault, by their path in the body.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One field at fault: where it is in the body, and what is wrong with it."""

    field: str
    said: str


class ProblemDocument(BaseModel):
    """Why a request was refused, or could not be answered."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class Problem(Exception):
    """A request that can't be done: status, a short name of the kind, and what to do instead."""

    def __init__(
        self, status: int, kind: str, detail: str, errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status, self.kind, self.detail, self.errors, self.headers = status, kind, detail, errors or [], headers


def answer(problem: Problem) -> JSONResponse:
    title = problem.kind.replace("-", " ").capitalize()
    document = ProblemDocument(
        type=f"urn:millrace:problem:{problem.kind}", title=title, status=problem.status, detail=problem.detail,
        errors=problem.errors,
    )  # fmt: skip
    return JSONResponse(document.model_dump(), problem.status, problem.headers, MEDIA_TYPE)


def invalid(errors: list[Any], what: str) -> Problem:
    """The problem of pydantic's errors about `what`."""
    fields = [FieldError(field=_path(error["loc"]), said=_said(error)) for error in errors]
    listed = "; ".join(f"{one.field}: {one.said}" for one in fields)
    return Problem(422, "invalid", f"{what} is not valid: {listed}", fields)


def invalid_dataset(error: ValidationError) -> Problem:
    return invalid(error.errors(), "The dataset that would come of it")


def _path(location: tuple[int | str, ...]) -> str:
    """`golds.0.key`, without the kind of body or parameter that it is of."""
    ours = [str(part) for part in location if part not in ("body", "path", "query", "registration", "dataset")]
    return ".".join(ours) or "body"


def _said(error: dict[str, Any]) -> str:
    return {"extra_forbidden": "there is no such field"}.get(error["type"], error["msg"].removeprefix("Value error, "))


def install(app: FastAPI) -> None:
    """Answer by problem documents, whatever goes wrong."""

    @app.exception_handler(Problem)
    def of_ours(_request: Request, problem: Problem) -> JSONResponse:
        return answer(problem)

    @app.exception_handler(RequestValidationError)
    def of_validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(invalid(list(error.errors()), "The request"))

    @app.exception_handler(HTTPException)
    def of_routing(request: Request, error: HTTPException) -> JSONResponse:
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        detail = f"{request.method} {request.url.path}: {error.detail}. What there is: GET /docs"
        return answer(Problem(error.status_code, kind, detail, headers=dict(error.headers or {})))

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    def of_database(_request: Request, error: Exception) -> JSONResponse:
        return answer(Problem(503, "no-database", f"PostgreSQL does not answer: {first_line(error)}"))

    @app.exception_handler(Exception)
    def of_a_bug(_request: Request, _error: Exception) -> JSONResponse:  # uvicorn logs it
        return answer(Problem(500, "internal", "An error in the registry; its log says which."))


def first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[0]
