"""If this fails, who asks the refresher how it is hears "well" while dashboards are old."""

from __future__ import annotations

import asyncio

import httpx
import psycopg
import pytest

import serving.health
from serving.age import Age
from stack.settings import Settings


def asked() -> tuple[int, dict]:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(serving.health.app(Settings()))
        async with httpx.AsyncClient(transport=transport, base_url="http://lake") as client:
            return await client.get("/health")

    said = asyncio.run(ask())
    return said.status_code, said.json()


@pytest.mark.parametrize(("seconds", "code"), [(29.0, 200), (31.0, 503), (None, 503)])
def test_health_is_by_the_oldest_table(monkeypatch: pytest.MonkeyPatch, seconds: float | None, code: int) -> None:
    monkeypatch.setattr(serving.health, "ages", lambda _settings: [Age("young", 1.0), Age("other", seconds)])
    found, said = asked()
    assert (found, said["healthy"], said["tables"]) == (code, code == 200, {"young": 1.0, "other": seconds})
    assert len(said["reasons"]) == (code != 200)


def test_a_postgresql_that_does_not_answer_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_settings: Settings) -> list[Age]:
        raise psycopg.OperationalError("connection refused\nmore")

    monkeypatch.setattr(serving.health, "ages", away)
    assert asked() == (
        503,
        {"healthy": False, "reasons": ["PostgreSQL does not answer: connection refused"], "tables": {}},
    )
