"""The OpenAPI document as a page: each request with its fields, its answers and a line to try it by.

Made here from `/openapi.json`, so that it needs neither JavaScript nor another server's files.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from html import escape
from typing import Any

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
code, pre { font: 13px/1.4 ui-monospace, monospace } pre { background: #f4f4f4; padding: .7rem; overflow-x: auto }
h2 { border-top: 1px solid #ccc; padding-top: 1rem; font-size: 1.05rem }
td { padding: .1rem 1rem .1rem 0; vertical-align: top }
"""
WRITES_SAFELY = "?dry_run=true"


def html(document: dict[str, Any], address: str) -> str:
    """The page, for a service that is reached at `address`."""
    parts = [_operation(document, address, *one) for one in operations(document)]
    said = escape(document["info"].get("description", ""))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(document['info']['title'])}</title>"
        f"<style>{STYLE}</style><h1>{escape(document['info']['title'])}</h1><p>{said}</p>"
        "<p>The same for machines: <a href=/openapi.json>/openapi.json</a>. Below, <code>$TOKEN</code> is a token as "
        "<code>lake up</code> prints it and <code>$ETAG</code> the ETag that <code>GET /config</code> answered, or for "
        "schemas and columns <code>GET /schemas</code>. "
        f"Without <code>{WRITES_SAFELY}</code> a change is made.</p>{''.join(parts)}</html>"
    )


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and what OpenAPI says of each request."""
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            yield method.upper(), path, said


def curls(address: str, method: str, path: str, said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines for a shell, one an example of the body, each with its name. What changes something is a dry run."""
    parameters = {one["name"]: one for one in said.get("parameters", [])}
    for name, one in parameters.items():
        if one["in"] == "path":
            path = path.replace(f"{{{name}}}", one["schema"]["examples"][0])
    words = ["curl", "--silent", "--show-error"] + (["--request", method] if method != "GET" else [])
    words.append(shlex.quote(f"{address}{path}{WRITES_SAFELY if 'dry_run' in parameters else ''}"))
    if "security" in said:
        words += ["--header", '"Authorization: Bearer $TOKEN"']
    if "if-match" in parameters:
        words += ["--header", '"If-Match: $ETAG"']
    content = said.get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        yield "", " ".join(words)
        return
    for name, example in content["examples"].items():
        body = shlex.quote(json.dumps(example["value"]))
        yield name, " ".join([*words, "--header 'Content-Type: application/json' --data", body])


def _operation(document: dict[str, Any], address: str, method: str, path: str, said: dict[str, Any]) -> str:
    rows = [
        (one["name"], f"{one['in']}: {one.get('description', '')}") for one in said.get("parameters", [])
    ] + [
        (status, answer.get("description", "")) for status, answer in sorted(said["responses"].items())
    ]  # fmt: skip
    table = "".join(f"<tr><td><code>{escape(one)}</code><td>{escape(what)}" for one, what in rows)
    fields = "".join(_fields(document, name) for name in _bodies(document, said))
    tries = "".join(f"<pre>{escape(line)}</pre>" for _name, line in curls(address, method, path, said))
    return (
        f"<h2><code>{method} {escape(path)}</code></h2><p>{escape(said.get('description', ''))}</p>"
        f"{tries}{fields}<table>{table}</table>"
    )


def _bodies(document: dict[str, Any], said: dict[str, Any]) -> list[str]:
    """Names of the schemas that a request's body may have."""
    content = said.get("requestBody", {}).get("content", {}).get("application/json", {})
    return [one["$ref"].rsplit("/", 1)[1] for one in content.get("schema", {}).get("oneOf", []) if "$ref" in one]


def _fields(document: dict[str, Any], name: str) -> str:
    schema = document["components"]["schemas"][name]
    needed = schema.get("required", [])
    listed = ", ".join(f"{field}{'' if field in needed else '?'}" for field in schema["properties"])
    return f"<p><b>{escape(name)}</b> ({escape(listed)}): {escape(schema.get('description', ''))}</p>"
