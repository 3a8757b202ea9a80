"""Campaigns that programs write: HTML or an editor document with placeholders, to one list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign, NoWayOut, UnknownAudience
from postroom.core.campaigns.models import Campaign, CampaignList
from postroom.core.campaigns.rules import check_text
from postroom.core.campaigns.services.anytime import schedule_anytime, set_batch_size
from postroom.core.campaigns.services.states import note
from postroom.core.campaigns.types import WrittenCampaign
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import NoSuchList
from postroom.core.contacts.models import List
from postroom.core.mail import services as mail
from postroom.core.mail.rules import editor
from postroom.core.mail.rules.headers import parse_addresses
from postroom.core.mail.rules.parts import MAX_RECIPIENTS
from postroom.core.mail.rules.placeholders import has_way_out, name_variables, to_liquid
from postroom.core.mail.types import BodyFormat
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit.mime import clean_line, clean_text

SHOWN_PREHEADER: Final = 200
"""What is beyond it no mail program shows beside a subject."""


@transaction.atomic
def write_campaign(*, workspace: Workspace, new: WrittenCampaign, actor: Actor, now: datetime) -> Campaign:
    """Create a campaign as a program wrote it, and schedule it where it says when; all of it or nothing.

    Raises UnknownAudience, NoWayOut, BadCampaign, BadDocument, BadAddress, what ``choose_sender`` raises for its From,
    and what ``schedule_anytime`` raises.
    """
    list_ = _find_list(workspace, new)
    _check_way_out(new)
    words = _make_words(new, list_)
    _check_copies(new)
    sender = mail.choose_sender(
        workspace=workspace, from_address=new.from_address, mail_domain=new.mail_domain, actor=actor, now=now
    )
    campaign = Campaign.objects.create(
        workspace=workspace,
        created_by_id=actor.user_id,
        name=check_text("name", clean_line(new.name)),
        **_texts(new, words),
        from_address=new.from_address,
        reply_to=list(new.reply_to),
        cc=list(new.cc),
        bcc=list(new.bcc),
        sender_id=sender.id,
        created_at=now,
        updated_at=now,
    )
    set_batch_size(campaign, new.batch_size)
    CampaignList.objects.create(campaign=campaign, list=list_)
    note(campaign, act="campaign.created", actor=actor, now=now, after={"name": campaign.name})
    if new.send_at is None:
        return campaign
    return schedule_anytime(workspace=workspace, uid=campaign.uid, at=new.send_at, actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class _Words:
    """What a program wrote, as Liquid."""

    subject: str
    preheader: str
    body: str
    text: str


def _find_list(workspace: Workspace, new: WrittenCampaign) -> List:
    try:
        return contacts.get_list_by_uid(workspace=workspace, uid=new.list_uid)
    except NoSuchList as error:
        raise UnknownAudience("There is no such list in this workspace.", field="list") from error


def _check_way_out(new: WrittenCampaign) -> None:
    if not has_way_out(new.html) and not has_way_out(new.document):
        raise NoWayOut("The campaign needs the placeholder of its unsubscribe link.", field="body")


def _check_copies(new: WrittenCampaign) -> None:
    """Refuse addresses that are none, and more copies than a message may have. Raises BadAddress, BadCampaign."""
    for text in new.reply_to:
        parse_addresses(text)
    copies = sum(len(parse_addresses(text)) for text in (*new.cc, *new.bcc))
    if copies >= MAX_RECIPIENTS:
        raise BadCampaign(f"Each message goes to {MAX_RECIPIENTS} addresses at most, its reader included.", field="cc")


def _make_words(new: WrittenCampaign, list_: List) -> _Words:
    variables = name_variables(list_.variables)
    subject = to_liquid(clean_line(new.subject), variables=variables)
    preheader = to_liquid(clean_line(new.preheader)[:SHOWN_PREHEADER], variables=variables)
    if new.document:
        page = editor.render(new.document, variables=variables)
        return _Words(subject, preheader, page.html, page.text)
    return _Words(subject, preheader, to_liquid(clean_text(new.html), variables=variables), "")


def _texts(new: WrittenCampaign, words: _Words) -> dict[str, str]:
    """Return the fields of texts: as they go out, and as the program wrote them."""
    return {
        "subject": check_text("subject", words.subject),
        "preheader": check_text("preheader", words.preheader),
        "body": check_text("body", words.body),
        "text": check_text("text", words.text),
        "body_format": BodyFormat.HTML,
        "document": new.document,
        "source_html": clean_text(new.html),
        "source_subject": clean_line(new.subject),
        "source_preheader": clean_line(new.preheader),
    }
