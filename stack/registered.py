"""The datasets' configuration in effect, as documents: the registry's where it answers, else the last that this home
knew of, else the YAML files.

A folder of one's own (`LAKE_DATASETS`) is files alone, unless `LAKE_REGISTRY_URL` names a registry.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from stack.faults import USAGE, Fault
from stack.settings import NO_REGISTRY, Settings

if TYPE_CHECKING:
    import httpx

TIMEOUT = 5  # seconds, of each step of a request
Role = Literal["read", "write"]


class RegistryDown(ConnectionError):
    """The registry did not answer, or not with a configuration; the message is a sentence."""


@dataclass(frozen=True)
class Documents:
    """A document a dataset, as its YAML would say it; `etag` is the registry's name for all of them together.

    `refused`: datasets whose document the registry itself can't read any more, and why. What is here of them is what
    was known last.
    """

    documents: list[dict[str, Any]]
    source: Literal["registry", "last known", "files"] = "files"
    etag: str = ""
    said: str = ""  # why it is not the registry's, where it should be
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Holder:
    """Whoever has a token of the registry: a name for its audit, and what it may do."""

    name: str
    role: Role
    token: str


def holders(text: str) -> list[Holder]:
    """`name:role:token`, separated by commas. Fault where it can't be read that way."""
    found = [Holder(*parts) for one in text.split(",") if len(parts := one.strip().split(":")) == 3 and all(parts)]
    if len(found) < len(text.split(",")) or {one.role for one in found} - {"read", "write"}:
        fix = "LAKE_REGISTRY_TOKENS=name:read:token,name:write:token"
        raise Fault("A token of the registry has no name, no role or no text.", fix, USAGE)
    if len({one.token for one in found}) < len(found):
        raise Fault("Two names of LAKE_REGISTRY_TOKENS have one token.", "give each a token of its own", USAGE)
    return found


def token_for(settings: Settings, role: Role) -> str:
    """The first token that may do it; empty where there is none."""
    able = [one.token for one in holders(settings.registry_tokens) if role in ("read", one.role)]
    return able[0] if able else ""


@lru_cache
def client() -> httpx.Client:
    """One for the process: it keeps its connection, and is slow to make."""
    import httpx

    return httpx.Client(timeout=TIMEOUT, trust_env=False)


def get(settings: Settings, path: str, etag: str = "") -> tuple[dict[str, Any] | None, str]:
    """What the registry answers to a GET, and its ETag; None where it is still `etag`'s. RegistryDown otherwise."""
    answer = _asked(settings, "GET", path, "read", {"If-None-Match": etag} if etag else {})
    if answer.status_code == 304:
        return None, etag
    try:
        if answer.is_success:
            return dict(answer.json()), answer.headers.get("ETag", "")
    except (ValueError, TypeError) as error:
        raise _down(settings, str(error)) from error
    raise _down(settings, f"{answer.status_code} {answer.reason_phrase}")


def take_file_over(settings: Settings, name: str, dry_run: bool) -> dict[str, Any]:
    """Have a dataset follow its file. ValueError with the registry's reason where it refuses."""
    said = get(settings, "/datasets")[0]
    there = {entry["name"]: entry["etag"] for entry in [*said["datasets"], *said.get("refused", [])]}
    headers = {"If-Match": there[name]} if name in there else {}
    path = f"/datasets/{name}/file" + ("?dry_run=true" if dry_run else "")
    answer = _asked(settings, "POST", path, "write", headers)
    if answer.is_success:
        return answer.json()
    raise ValueError(answer.json()["detail"])


def _asked(settings: Settings, method: str, path: str, role: Role, headers: dict[str, str]) -> httpx.Response:
    import httpx

    headers = {"Authorization": f"Bearer {token_for(settings, role)}", **headers}
    try:
        return client().request(method, f"{settings.registry_url}{path}", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _down(settings, str(error) or type(error).__name__) from error


def _down(settings: Settings, cause: str) -> RegistryDown:
    said = cause.splitlines()[0]
    return RegistryDown(f"the dataset registry at {settings.registry_url} does not answer ({said})")


def ask(settings: Settings, etag: str = "") -> Documents | None:
    """The registry's configuration; None while it is still that of `etag`. RegistryDown where there is no answer."""
    said, new = get(settings, "/datasets", etag)
    if said is None:
        return None
    try:
        documents = [entry["config"] for entry in said["datasets"]]
        refused = {entry["name"]: entry["said"] for entry in said.get("refused", [])}
    except (KeyError, TypeError) as error:
        raise RegistryDown(f"what answers at {settings.registry_url} is no dataset registry") from error
    if refused and (known := last_known(settings)):
        documents += [document for document in known.documents if document["name"] in refused]
    return Documents(documents, "registry", new, refused=refused)


def last_known_file(settings: Settings) -> Path:
    return settings.data / "datasets.json"


def keep(settings: Settings, known: Documents) -> None:
    """Remember the registry's answer for when it is down: whole, or not at all."""
    path = last_known_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = Path(f"{path}.{uuid.uuid4().hex}")
    try:
        with whole.open("w") as file:
            json.dump(asdict(known), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, path)
    finally:
        whole.unlink(missing_ok=True)


def last_known(settings: Settings) -> Documents | None:
    """What was kept; None where nothing ever was. Fault where it can't be read: to guess could stop a stream."""
    path = last_known_file(settings)
    try:
        return replace(Documents(**json.loads(path.read_text())), source="last known")
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        fix = f"start the registry, or delete the file to go on with {settings.datasets}"
        raise Fault(f"{path}, the last known configuration, can't be read: {error}", fix, USAGE) from error


def in_effect(settings: Settings, asked: Callable[[Settings], Documents] = ask) -> Documents:
    """What the registry answers to `asked`, else the last known; without documents where the files hold.

    Fault where the registry does not answer and what was kept is broken.
    """
    if settings.registry_url == NO_REGISTRY:
        return Documents([])
    try:
        return asked(settings)
    except RegistryDown as error:
        return replace(last_known(settings) or Documents([]), said=str(error))


def documents(settings: Settings) -> Documents:
    """The configuration in effect, by the files where they hold. Fault, or a YAMLError, where it can't be read."""
    known = in_effect(settings)
    if known.source != "files":
        return known
    files = sorted(settings.datasets.glob("*.yml"))
    return replace(known, documents=[yaml.safe_load(path.read_text()) for path in files])
