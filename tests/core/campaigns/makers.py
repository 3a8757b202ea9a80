"""Makers of campaigns for the tests beside this file."""

from collections.abc import Sequence

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignChanges
from postroom.core.contacts.models import Contact
from postroom.core.mail import services as mail
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_list

BODY = '<p>Hello {{ first_name }}, read <a href="https://example.org/news">the news</a>.</p>'


def make_draft(*, workspace: Workspace, readers: Sequence[Contact] = (), **changes: object) -> Campaign:
    """Return a draft from the sandbox sender to a list of ``readers``, complete unless ``changes`` say otherwise."""
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW)
    campaign = campaigns.create_campaign(workspace=workspace, name="Autumn letter", actor=SYSTEM, now=NOW)
    fields: dict[str, object] = {"subject": "News for {{ first_name }}", "body": BODY, "sender_id": sender.pk}
    fields["list_ids"] = (make_list(workspace=workspace, members=readers).pk,) if readers else ()
    return campaigns.update_campaign(
        workspace=workspace,
        uid=campaign.uid,
        changes=CampaignChanges(**{**fields, **changes}),  # type: ignore[arg-type]
        actor=SYSTEM,
        now=NOW,
    )
