"""The Iceberg catalog through PyIceberg: the same tables as Spark's and Trino's, for writes too small for Spark.

Under its own name `lake`, or the JDBC catalog would show it no tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.settings import CATALOG, Settings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


def catalog(settings: Settings) -> Catalog:
    """The catalog of this stack.

    Where it does not answer: SQLAlchemy's `OperationalError` of PostgreSQL, `requests`' `ConnectionError` of a URL.
    """
    common = {"warehouse": settings.catalog_warehouse or settings.warehouse, **_files(settings)}
    if settings.catalog_uri:
        from pyiceberg.catalog.rest import RestCatalog

        return RestCatalog(CATALOG, uri=settings.catalog_uri, **common, **settings.catalog_login)
    from pyiceberg.catalog.sql import SqlCatalog

    return SqlCatalog(CATALOG, uri=settings.database_url(settings.catalog_database, "postgresql+psycopg2"), **common)


def _files(settings: Settings) -> dict[str, str]:
    if not settings.warehouse.startswith("s3://"):
        return {}
    return {
        "s3.endpoint": settings.s3_endpoint,
        "s3.region": settings.s3_region,
        "s3.access-key-id": settings.s3_access_key,
        "s3.secret-access-key": settings.s3_secret_key,
        "s3.force-virtual-addressing": "false",
    }
