"""A person's record and will, changed in one act as a form or a client has them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.models import Category, Consent, Contact
from postroom.core.contacts.services.consent import opt_in_everywhere, opt_out, set_consent
from postroom.core.contacts.services.people import update_contact
from postroom.core.contacts.services.proof import Word, keep_proof
from postroom.core.contacts.types import ConsentState, ContactChanges, OptOutScope, Wishes
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import UNSET


@transaction.atomic
def revise_contact(
    *, workspace: Workspace, uid: UUID, changes: ContactChanges, wishes: Wishes, actor: Actor, now: datetime
) -> Contact:
    """Change a person's record and what they want, all of it or none.

    Raises NoSuchContact, BadAddress, BadContact, ContactExists, or BadValue, also for a category that is none.
    """
    contact = update_contact(workspace=workspace, uid=uid, changes=changes, actor=actor, now=now)
    word = Word(actor, f"{actor.door} API", now, workspace)
    if wishes.is_opted_out is not UNSET:
        _opt(workspace, contact, word, is_out=wishes.is_opted_out)
    if wishes.consents is not UNSET:
        _say(workspace, contact, word, wishes.consents)
    contact.refresh_from_db()
    return contact


def _opt(workspace: Workspace, contact: Contact, word: Word, *, is_out: bool) -> None:
    if is_out == contact.is_globally_opted_out:
        return
    if is_out:
        _leave(workspace, contact, word, OptOutScope(is_everything=True))
        return
    opt_in_everywhere(contact, word)


def _say(workspace: Workspace, contact: Contact, word: Word, consents: Mapping[str, ConsentState]) -> None:
    categories = {category.slug: category for category in Category.objects.filter(workspace=workspace)}
    if unknown := consents.keys() - categories.keys():
        raise BadValue(f"There is no category {min(unknown)!r} in this workspace.", field="consents")
    for slug, state in consents.items():
        if state is ConsentState.WITHDRAWN:
            _leave(workspace, contact, word, OptOutScope(category_id=categories[slug].pk))
        else:
            set_consent(
                workspace=workspace,
                contact_id=contact.pk,
                category_id=categories[slug].pk,
                state=state,
                source=word.source,
                actor=word.actor,
                now=word.at,
            )
    left_out = [category.pk for slug, category in categories.items() if slug not in consents]
    for consent in Consent.objects.filter(contact=contact, category_id__in=left_out):
        keep_proof(contact, word, state="absent", category_id=consent.category_id)
        act = AuditRecord("contact.consent_changed", "consent", consent.pk, before={"state": consent.state})
        events.record_act(workspace=workspace, actor=word.actor, act=act, now=word.at, contact_id=contact.pk)
        consent.delete()


def _leave(workspace: Workspace, contact: Contact, word: Word, scope: OptOutScope) -> None:
    opt_out(workspace=workspace, contact_id=contact.pk, scope=scope, source=word.source, actor=word.actor, now=word.at)
