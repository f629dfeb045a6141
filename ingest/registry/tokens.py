"""Who may do what: bearer tokens, each with a name and the role `read` or `write`. Writers may read."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ingest.registry.problems import Problem
from stack.registered import Holder, Role

_bearer = HTTPBearer(auto_error=False, description="A token of LAKE_REGISTRY_TOKENS.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def allowed(role: Role) -> Callable[..., Holder]:
    """The holder of the request's token; 401 for nobody's, 403 for one that may only read."""

    def holder(request: Request, credentials: Credentials) -> Holder:
        given = (credentials.credentials if credentials else "").encode()
        found = [one for one in request.app.state.holders if hmac.compare_digest(one.token.encode(), given)]
        if not found:
            said = "is not known" if credentials else "is missing: Authorization: Bearer <token>"
            raise Problem(401, "no-token", f"The token {said}.", headers={"WWW-Authenticate": "Bearer"})
        if role == "write" and found[0].role != "write":
            raise Problem(403, "read-only", f"The token of {found[0].name} may only read.")
        return found[0]

    return holder


Reader = Annotated[Holder, Depends(allowed("read"))]
Writer = Annotated[Holder, Depends(allowed("write"))]
