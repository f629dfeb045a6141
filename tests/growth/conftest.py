"""A stack whose tables are in S3 behind a REST catalog, beside the one that the other tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from stack.settings import Settings


@pytest.fixture(scope="module")
def in_s3(
    running_stack: Callable, another_stack: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a running stack that was begun with `lake up --with s3,rest`."""
    with running_stack(another_stack(tmp_path_factory.mktemp("in_s3")), "s3,rest") as settings:
        yield settings
