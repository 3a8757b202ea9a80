"""What tests of contact books need: a client with a book, and what it asks."""

from dataclasses import dataclass
from typing import Any

from postroom.core.contacts.models import List
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Door
from tests.api.clients import ApiClient, Reply, make_client
from tests.factories import make_workspace


@dataclass(frozen=True)
class Book:
    """A contact book and who speaks of it."""

    client: ApiClient
    workspace: Workspace
    row: List

    @property
    def path(self) -> str:
        """Where its contacts are."""
        return f"/v1/contactBooks/{self.row.uid.hex}/contacts"

    def put(self, email: str, **said: Any) -> str:
        """Add or update a contact and return its id."""
        reply = self.client.post(self.path, {"email": email, **said})
        assert reply.status == 200, reply
        return str(reply.body["contactId"])

    def get(self, contact_id: str) -> dict[str, Any]:
        """Return a contact."""
        reply = self.client.get(f"{self.path}/{contact_id}")
        assert reply.status == 200, reply
        return dict(reply.body)

    def patch(self, contact_id: str, **said: Any) -> Reply:
        """Change a contact."""
        return self.client.ask("PATCH", f"{self.path}/{contact_id}", said)

    def delete(self, contact_id: str) -> Reply:
        """Take a contact out of the book."""
        return self.client.ask("DELETE", f"{self.path}/{contact_id}")

    def list_all(self, query: str = "") -> list[dict[str, Any]]:
        """Return its contacts."""
        reply = self.client.get(self.path + query)
        assert reply.status == 200, reply
        return list(reply.body)


def make_book(*, workspace: Workspace | None = None, is_double_opt_in: bool = False, **said: Any) -> Book:
    """Return a book made through the API."""
    workspace = workspace or make_workspace()
    client = make_client(workspace=workspace, door=Door.USESEND)
    made = client.post("/v1/contactBooks", {"name": "News", "doubleOptInEnabled": is_double_opt_in, **said})
    assert made.status == 200, made
    return Book(client, workspace, List.objects.get(uid=made.body["id"]))


def error(code: str, message: str) -> dict[str, Any]:
    """Return the envelope of a refusal."""
    return {"error": {"code": code, "message": message}}
