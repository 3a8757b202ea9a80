"""Two records of one person become one: nothing of either is lost, and the stricter word always wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, models, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadMerge
from postroom.core.contacts.models import (
    AccountContact,
    Consent,
    ConsentChange,
    Contact,
    ContactAlias,
    ContactTag,
    ContactWorkspace,
    Interaction,
    ListMember,
    PrivacyRequest,
)
from postroom.core.contacts.rules import merging
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.merging import given_up_address
from postroom.core.contacts.selectors.people import lock_unmerged
from postroom.core.contacts.services.former_addresses import carry_will
from postroom.core.contacts.services.people import fill_record
from postroom.core.contacts.services.proof import Word, keep_proof
from postroom.core.contacts.services.snapshots import take_snapshot
from postroom.core.contacts.services.telling import DELETED, UPDATED, tell_people
from postroom.core.contacts.types import FieldChoice, Side
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject

SOURCE: Final = "two records merged"

# These belong to a person whatever else they have: each row goes over as it is.
_FOLLOWING: Final[tuple[type[models.Model], ...]] = (ConsentChange, Interaction, PrivacyRequest, ContactAlias)


@dataclass(frozen=True, slots=True)
class _Merge:
    """Who lives on, who goes, which fields stay, and who did it."""

    workspace: Workspace
    survivor: Contact
    other: Contact
    fields: tuple[FieldChoice, ...]
    word: Word

    @property
    def keeps_other_address(self) -> bool:
        """Whether the address of the one who goes is the one that stays."""
        return any(field.key == "email" and field.wins == "other" for field in self.fields)


@transaction.atomic
def merge_contacts(
    *,
    workspace: Workspace,
    survivor_uid: UUID,
    other_uid: UUID,
    choices: Mapping[str, Side],
    actor: Actor,
    now: datetime,
) -> Contact:
    """Make one person of two, in every workspace of the organization, and return them.

    ``choices`` says whose value stays in which field (see ``rules.list_choices``). Tags, companies, notes, history and
    mail of both are the survivor's; where their standing differs the stricter one holds. The old uid, the old links in
    mails and the address given up lead to the survivor from now on. Raises NoSuchContact, also when one of the two was
    merged meanwhile, or BadMerge.
    """
    if survivor_uid == other_uid:
        raise BadMerge("This is one record already.")
    people = lock_unmerged(workspace=workspace, uids=(survivor_uid, other_uid))
    survivor, other = people[survivor_uid], people[other_uid]
    fields = rules.list_choices(survivor, other, list_field_specs(workspace=workspace), choices)
    merge = _Merge(workspace, survivor, other, tuple(fields), Word(actor, SOURCE, now, workspace))
    old_id, snapshot = other.pk, take_snapshot(other)
    tell_people(workspace_id=workspace.pk, contact_ids=(old_id,), what=DELETED, now=now)
    given_up = given_up_address(survivor, other, fields)
    _move_standing(merge)
    _move_belongings(merge)
    _delete_row(other)
    _write_survivor(merge)
    _write_alias(merge, old_id, given_up, snapshot)
    if given_up:
        carry_will(workspace=workspace, contact=survivor, former=given_up, actor=actor, now=now)
    events.move_contact_events(old_id=old_id, new_id=survivor.pk)
    act = AuditRecord("contact.merged", "contact", survivor.pk, before=snapshot, after={"old_id": old_id})
    events.record_act(
        workspace=workspace, actor=actor, act=act, now=now, contact_id=survivor.pk, data={"old_id": old_id}
    )
    tell_people(workspace_id=workspace.pk, contact_ids=(survivor.pk,), what=UPDATED, now=now)
    return survivor


def _move_standing(merge: _Merge) -> None:
    """Workspaces, lists and consents: at most one row of each is the person's."""
    _move_links(merge)
    _move_memberships(merge)
    _move_consents(merge)


def _move_links(merge: _Merge) -> None:
    mine = {link.workspace_id: link for link in ContactWorkspace.objects.filter(contact=merge.survivor)}
    for link in ContactWorkspace.objects.filter(contact=merge.other).select_related("workspace"):
        twin = mine.get(link.workspace_id)
        if twin is None:
            ContactWorkspace.objects.filter(pk=link.pk).update(contact=merge.survivor)
            continue
        status = merging.strictest_status(twin.status, link.status)
        created_at = min(twin.created_at, link.created_at)
        ContactWorkspace.objects.filter(pk=twin.pk).update(status=status, created_at=created_at)
        link.delete()


def _move_memberships(merge: _Merge) -> None:
    mine = {member.list_id: member for member in ListMember.objects.filter(contact=merge.survivor)}
    for member in ListMember.objects.filter(contact=merge.other):
        twin = mine.get(member.list_id)
        if twin is None:
            ListMember.objects.filter(pk=member.pk).update(contact=merge.survivor)
            continue
        kept, given_up = (member, twin) if merge.keeps_other_address else (twin, member)
        status = merging.strictest_membership(kept.status, given_up.status)
        before = twin.status
        # Whoever left by their own word, or was taken off by name, is not brought back by the undo of a bulk change.
        said = [one for one in (kept, given_up) if one.status == status]
        twin.source = min(said, key=lambda one: one.is_taken_off).source
        for name in ("reason", "confirmed_at", "confirmation_sent_at", "confirmation_count"):
            setattr(twin, name, getattr(kept, name) or getattr(given_up, name))
        twin.properties = {**given_up.properties, **kept.properties}
        twin.status, twin.created_at = status, min(twin.created_at, member.created_at)
        twin.updated_at = merge.word.at
        member.delete()
        twin.save()
        if status != before:
            keep_proof(merge.survivor, merge.word, state=status, list_id=twin.list_id)


def _move_consents(merge: _Merge) -> None:
    mine = {consent.category_id: consent for consent in Consent.objects.filter(contact=merge.survivor)}
    for consent in Consent.objects.filter(contact=merge.other):
        twin = mine.get(consent.category_id)
        if twin is None:
            Consent.objects.filter(pk=consent.pk).update(contact=merge.survivor)
            continue
        state = merging.strictest_consent(twin.state, consent.state)
        if state != twin.state:
            Consent.objects.filter(pk=twin.pk).update(state=state, updated_at=merge.word.at)
            keep_proof(merge.survivor, merge.word, state=state, category_id=twin.category_id)
        consent.delete()


def _move_belongings(merge: _Merge) -> None:
    """Tags and companies once each, and everything that can be there many times."""
    ids = {"old": merge.other.pk, "new": merge.survivor.pk}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contacttag (contact_id, tag_id) SELECT %(new)s, tag_id FROM contacts_contacttag"
            " WHERE contact_id = %(old)s ON CONFLICT (tag_id, contact_id) DO NOTHING",
            ids,
        )
        cursor.execute(
            "INSERT INTO contacts_accountcontact AS a (account_id, contact_id, role, created_at)"
            " SELECT account_id, %(new)s, role, created_at FROM contacts_accountcontact WHERE contact_id = %(old)s"
            " ON CONFLICT (account_id, contact_id) DO UPDATE SET role = excluded.role WHERE a.role = ''",
            ids,
        )
    ContactTag.objects.filter(contact=merge.other).delete()
    AccountContact.objects.filter(contact=merge.other).delete()
    for model in _FOLLOWING:
        model._default_manager.filter(contact=merge.other).update(contact=merge.survivor)


def _delete_row(other: Contact) -> None:
    """Delete the row and nothing with it: what still refers to it now was forgotten above, and the database refuses."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM contacts_contact WHERE id = %s", [other.pk])


def _write_survivor(merge: _Merge) -> None:
    survivor, other = merge.survivor, merge.other
    custom: JSONObject = {}
    for field in merge.fields:
        if field.key.startswith(merging.CUSTOM):
            custom[field.key.removeprefix(merging.CUSTOM)] = field.result
        else:
            setattr(survivor, field.key, field.result)
    survivor.custom = custom
    opted_out = [one.globally_opted_out_at for one in (survivor, other) if one.is_globally_opted_out]
    if opted_out:
        if not survivor.is_globally_opted_out:
            keep_proof(survivor, merge.word, state="opted_out_all")
        survivor.is_globally_opted_out = True
        survivor.globally_opted_out_at = min((at for at in opted_out if at), default=merge.word.at)
    survivor.created_at = min(survivor.created_at, other.created_at)
    survivor.updated_at = merge.word.at
    fill_record(survivor)
    survivor.save()


def _write_alias(merge: _Merge, old_id: int, given_up: str, snapshot: JSONObject) -> None:
    ContactAlias.objects.create(
        organization_id=merge.survivor.organization_id,
        contact=merge.survivor,
        old_id=old_id,
        old_uid=merge.other.uid,
        email=given_up,
        snapshot=snapshot,
        merged_by_id=merge.word.actor.user_id,
        merged_at=merge.word.at,
    )
