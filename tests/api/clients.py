"""Clients of the dialects: an API key in every request, JSON in and out."""

import json
from dataclasses import dataclass
from typing import Any, Final

from django.test import Client

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import Door, NewKey, Role
from tests.factories import NOW, make_actor, make_user

_CLIENT: Final = Client(raise_request_exception=False)


@dataclass(frozen=True)
class Reply:
    """What came back: the status, and the body as JSON or, when it is none, as text."""

    status: int
    body: Any


@dataclass(frozen=True)
class ApiClient:
    """Speaks one dialect below ``prefix``, with ``secret`` as its key."""

    prefix: str
    secret: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Return the answer; ``headers`` as ``x_workspace_id="…"``. A text body is sent as it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            sent.setdefault("Authorization", f"Bearer {self.secret}")
        content_type = sent.pop("Content-Type", "application/json")
        octets = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
        # Django's client says no content type of an empty body; those of the dialects do.
        said: dict[str, Any] = {} if octets else {"CONTENT_TYPE": content_type}
        response = _CLIENT.generic(method, self.prefix + path, octets, content_type, headers=sent, **said)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return Reply(response.status_code, response.json() if is_json else response.content.decode())

    def get(self, path: str, **headers: str) -> Reply:
        """Return the answer to a GET."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """Return the answer to a POST."""
        return self.ask("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Reply:
        """Return the answer to a PUT."""
        return self.ask("PUT", path, body, **headers)


def make_client(
    *,
    workspace: Workspace,
    door: Door,
    user: User | None = None,
    role: Role = Role.MEMBER,
    scopes: tuple[str, ...] = (),
    mail_domain: str = "",
) -> ApiClient:
    """Return a client whose key acts as ``user``, or as a new member of the workspace."""
    user = user or make_user(workspace=workspace, role=role)
    new = NewKey(door=door, name="Test", scopes=scopes, mail_domain=mail_domain)
    _, secret = workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=make_actor(user), now=NOW)
    return ApiClient(f"/{door.value}/api", secret)
