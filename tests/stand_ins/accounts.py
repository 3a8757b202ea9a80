"""Accounts at providers, in the database."""

from typing import Any

from postroom.core.mail import services as mail
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW
from tests.stand_ins.webhooks import settings_of


def make_provider_sender(workspace: Workspace, provider: str, name: str = "", **config: Any) -> SenderAccount:
    """Return an account at a provider whose webhooks can be verified."""
    settings, credentials = settings_of(provider)
    new = NewSender(
        name=name or provider,
        provider=Provider(provider),
        from_email="desk@news.example",
        config={**settings, **config},
        credentials=credentials,
    )
    return mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
