"""Makes what the clients have no method for: a workspace, keys and a webhook. Prints them as one line of JSON.

``python -m tests.clients.prepare URL`` runs in the environment of an installation; webhooks go to ``URL``.
"""

import json
import sys

import django

django.setup()

# Only now, when Django is set up.
from postroom.core.webhooks import services as webhooks  # noqa: E402
from postroom.core.webhooks.types import EndpointTerms  # noqa: E402
from postroom.core.workspaces import services as workspaces  # noqa: E402
from postroom.core.workspaces.models import User, Workspace  # noqa: E402
from postroom.core.workspaces.types import Door, NewKey  # noqa: E402
from postroom.kit import clock  # noqa: E402
from tests.factories import make_actor, make_user, make_workspace  # noqa: E402

WEBHOOK_SECRET = "whsec_" + "5a" * 32


def make_key(workspace: Workspace, user: User, **options: object) -> str:
    """Return the secret of a new key of useSend's door."""
    new = NewKey(door=Door.USESEND, name="Client", **options)  # type: ignore[arg-type]
    actor = make_actor(user)
    _, secret = workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=actor, now=clock.now())
    return secret


def main(url: str) -> None:
    """Make everything."""
    workspace = make_workspace()
    user = make_user(workspace=workspace)
    webhooks.create_endpoint(
        workspace=workspace,
        door=Door.USESEND.value,
        terms=EndpointTerms(url=url),
        actor=make_actor(user),
        now=clock.now(),
        secret=WEBHOOK_SECRET,
    )
    facts = {
        "team": workspace.pk,
        "webhook_secret": WEBHOOK_SECRET,
        "key": make_key(workspace, user),
        "sending_key": make_key(workspace, user, scopes=("send",)),
        "bound_key": make_key(workspace, user, mail_domain="bound.example"),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
