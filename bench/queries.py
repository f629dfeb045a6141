"""What Trino's queries cost, as Trino itself counts it."""

from __future__ import annotations

import re
from collections import Counter

import requests

from stack.settings import Settings

_UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_NODE = re.compile(r'"node_id": "model\.\w+\.(\w+)"')


class Queries:
    """The queries that a Trino remembers: the last few hundred, or minutes."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"http://{settings.trino_host}:{settings.trino_port}/v1/query"

    def ids(self) -> set[str]:
        """Those there are now."""
        return {query["queryId"] for query in self._get(self._url)}

    def bytes_read_by_model(self, but: set[str]) -> Counter[str]:
        """Bytes read from storage, by the dbt model whose comment a query carries, those in `but` left out."""
        read: Counter[str] = Counter()
        for query in self._get(self._url):
            if query["queryId"] not in but and (model := _NODE.search(query["query"])):
                read[model[1]] += in_bytes(query["queryStats"]["physicalInputDataSize"])
        return read

    @staticmethod
    def _get(url: str) -> list[dict]:
        answer = requests.get(url, headers={"X-Trino-User": "bench"}, timeout=60)
        answer.raise_for_status()
        return answer.json()


def in_bytes(size: str) -> int:
    """Trino's `12.5MB` as a number."""
    number, unit = re.fullmatch(r"([\d.]+)([kMGT]?B)", size).groups()
    return round(float(number) * _UNITS[unit])
