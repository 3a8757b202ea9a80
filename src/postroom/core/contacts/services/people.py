"""Writes of people: who they are and which tags they wear."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import IntegrityError, connection, transaction
from django.db.models import Func, TextField, Value

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadContact, BadValue, ContactExists
from postroom.core.contacts.models import (
    Contact,
    ContactTag,
    ContactWorkspace,
    Tag,
)
from postroom.core.contacts.rules.import_rows import LINE_LENGTHS
from postroom.core.contacts.selectors.aliases import find_owner
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.people import lock_contact, lock_unmerged
from postroom.core.contacts.services.departures import remove_people
from postroom.core.contacts.services.former_addresses import carry_will
from postroom.core.contacts.services.telling import CREATED, DELETED, UPDATED, tell_people
from postroom.core.contacts.types import ContactChanges, NewContact
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.types import UNSET, JSONObject, JSONValue

MAX_TAG: int = 100


@transaction.atomic
def create_contact(
    *, workspace: Workspace, new: NewContact, actor: Actor, now: datetime, links_known: bool = True
) -> Contact:
    """Store a person and link them to the workspace; one the organization knows already is only linked and tagged.

    Raises BadAddress, BadValue, BadContact, or ContactExists (with ``uid``) when the workspace has the address already
    or, unless it ``links_known``, the organization has.
    """
    email, known = _find_known(workspace, new)
    if known is not None and not links_known:
        raise ContactExists(f"There is already a contact with the address {email}.", uid=known.uid)
    contact = known or _insert_contact(workspace, new, email, now)
    _, is_new_here = ContactWorkspace.objects.get_or_create(
        contact=contact, workspace=workspace, defaults={"created_at": now}
    )
    if not is_new_here:
        raise ContactExists(f"{email} is a contact of this workspace already.", uid=contact.uid)
    add_tags(workspace=workspace, contact_id=contact.pk, names=new.tags, now=now)
    name = "contact.linked" if known else "contact.created"
    act = AuditRecord(name, "contact", contact.pk, after={"email": contact.email, "tags": list(new.tags)})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk)
    tell_people(workspace_id=workspace.pk, contact_ids=(contact.pk,), what=CREATED, now=now)
    return contact


@transaction.atomic
def add_contact(*, workspace: Workspace, new: NewContact, actor: Actor, now: datetime) -> tuple[Contact, bool]:
    """Store a person, or bring whom the organization knows by this address into the workspace, where they may be.

    Return the person and whether they are new to the organization. Raises BadAddress, BadValue or BadContact.
    """
    _, known = _find_known(workspace, new)
    if known is not None and ContactWorkspace.objects.filter(contact=known, workspace=workspace).exists():
        return known, False
    return create_contact(workspace=workspace, new=new, actor=actor, now=now), known is None


@transaction.atomic
def update_contact(*, workspace: Workspace, uid: UUID, changes: ContactChanges, actor: Actor, now: datetime) -> Contact:
    """Change the fields that ``changes`` mentions; custom values are merged key by key, an empty one is taken away.

    What they wanted under the address they had holds for the new one, too; with none, the record remembers it.

    Raises NoSuchContact, BadAddress, BadValue, BadContact, or ContactExists when another person has the address.
    """
    contact = lock_contact(workspace=workspace, uid=uid)
    values = _changed_values(workspace, contact, changes)
    before: JSONObject = {name: getattr(contact, name) for name in values}
    changed = [name for name, value in values.items() if before[name] != value]
    if not changed:
        return contact
    for name in changed:
        setattr(contact, name, values[name])
    _check_named(contact.email, contact.first_name, contact.last_name)
    _check_free(contact)
    fill_record(contact)
    contact.updated_at = now
    _save_unique(contact)
    former = before.get("email")
    if "email" in changed and isinstance(former, str):
        carry_will(workspace=workspace, contact=contact, former=former, actor=actor, now=now)
    act = AuditRecord(
        "contact.updated",
        "contact",
        contact.pk,
        before={name: before[name] for name in changed},
        after={name: values[name] for name in changed},
    )
    events.record_act(
        workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk, data={"changed": [*changed]}
    )
    tell_people(workspace_id=workspace.pk, contact_ids=(contact.pk,), what=UPDATED, now=now)
    return contact


@transaction.atomic
def delete_contact(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Take a person out of the workspace; the record dies with its last link. An opt-out outlives it as a suppression.

    Raises NoSuchContact, also for the old uid of somebody who was merged.
    """
    contact = lock_unmerged(workspace=workspace, uids=(uid,))[uid]
    contact_id, email = contact.pk, contact.email
    tell_people(workspace_id=workspace.pk, contact_ids=(contact_id,), what=DELETED, now=now)
    remove_people(workspace=workspace, people=[contact], now=now)
    act = AuditRecord("contact.deleted", "contact", contact_id, before={"email": email})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact_id)


@transaction.atomic
def tag_contact(*, workspace: Workspace, uid: UUID, tag_name: str, actor: Actor, now: datetime) -> Tag:
    """Put a tag on a person, making it when the workspace has none of this name. Raises NoSuchContact, BadValue."""
    contact = lock_contact(workspace=workspace, uid=uid)
    found = find_or_make_tags(workspace=workspace, names=(tag_name,), now=now)
    if not found:
        raise BadValue("A tag needs a name.")
    tag = Tag.objects.get(pk__in=found.values())
    _, is_new = ContactTag.objects.get_or_create(contact=contact, tag=tag)
    if is_new:
        act = AuditRecord("contact.tagged", "contact", contact.pk, after={"tag": tag.name})
        events.record_act(
            workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk, data={"tag_id": tag.pk}
        )
    return tag


@transaction.atomic
def untag_contact(*, workspace: Workspace, uid: UUID, tag_name: str, actor: Actor, now: datetime) -> None:
    """Take a tag off a person; taking off one they do not wear changes nothing. Raises NoSuchContact."""
    contact = lock_contact(workspace=workspace, uid=uid)
    name = tag_name.replace("\0", "").strip()
    links = ContactTag.objects.filter(contact=contact, tag__workspace=workspace, tag__name__iexact=name)
    for link in links.select_related("tag"):
        act = AuditRecord("contact.untagged", "contact", contact.pk, before={"tag": link.tag.name})
        events.record_act(
            workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk, data={"tag_id": link.tag_id}
        )
    links.delete()


def add_tags(*, workspace: Workspace, contact_id: int, names: Iterable[str], now: datetime) -> None:
    """Put tags on a person without a record of its own; for writes that record more."""
    tags = find_or_make_tags(workspace=workspace, names=names, now=now)
    ContactTag.objects.bulk_create(
        [ContactTag(contact_id=contact_id, tag_id=tag_id) for tag_id in set(tags.values())], ignore_conflicts=True
    )


def find_or_make_tags(*, workspace: Workspace, names: Iterable[str], now: datetime) -> dict[str, int]:
    """Return the keys of the workspace's tags by cleaned name, ignoring case, making those it does not have.

    Raises BadValue.
    """
    wanted = clean_tags(names)
    found = _find_tags(workspace, wanted)
    missing = [name for name in wanted if name not in found]
    if not missing:
        return found
    rows = [Tag(workspace=workspace, name=name, created_at=now) for name in missing]
    Tag.objects.bulk_create(rows, ignore_conflicts=True)
    return _find_tags(workspace, wanted)


def clean_tags(names: Iterable[str]) -> list[str]:
    """Return the names as tags have them, each once. Raises BadValue."""
    return sorted({rules.clean_line(name, label="Tag", max_length=MAX_TAG) for name in names} - {""})


def _find_tags(workspace: Workspace, names: list[str]) -> dict[str, int]:
    """Compare as the unique rule does, in the database's own lower case."""
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n, t.id FROM unnest(%s::text[]) n"
            " JOIN contacts_tag t ON lower(t.name) = lower(n) AND t.workspace_id = %s",
            [names, workspace.pk],
        )
        return dict(cursor.fetchall())


def _find_known(workspace: Workspace, new: NewContact) -> tuple[str | None, Contact | None]:
    """Return the address in its one spelling, and whom the organization knows by it, or knew before a merge, locked."""
    email = rules.normalise_email(new.email) if new.email and new.email.strip() else None
    owner = find_owner(organization_id=workspace.organization_id, email=email) if email else None
    return email, owner and Contact.objects.select_for_update(no_key=True).filter(pk=owner.pk).first()


def _check_free(contact: Contact) -> None:
    """Refuse an address that means somebody else since a merge. Raises ContactExists."""
    if not contact.email:
        return
    owner = find_owner(organization_id=contact.organization_id, email=contact.email)
    if owner is not None and owner.pk != contact.pk:
        raise ContactExists(f"{contact.email} belongs to another contact.", uid=owner.uid)


def _insert_contact(workspace: Workspace, new: NewContact, email: str | None, now: datetime) -> Contact:
    lines = {name: _clean(name, getattr(new, name)) for name in LINE_LENGTHS}
    _check_named(email, lines["first_name"], lines["last_name"])
    custom = rules.parse_custom(list_field_specs(workspace=workspace), new.custom)
    contact = Contact(
        organization_id=workspace.organization_id,
        email=email,
        custom={key: value for key, value in custom.items() if value is not None},
        created_at=now,
        updated_at=now,
        **lines,
    )
    fill_record(contact)
    _save_unique(contact)
    return contact


def fill_record(contact: Contact) -> None:
    """Set what follows from address and names: the suppression key, and the words of the search."""
    contact.address_hash = crypto.address_hash(contact.email) if contact.email else None
    words = rules.search_words(
        email=contact.email, first_name=contact.first_name, last_name=contact.last_name, company=contact.company
    )
    array = Value(words, output_field=ArrayField(TextField()))
    contact.search = Func(array, function="array_to_tsvector", output_field=SearchVectorField())


def _changed_values(workspace: Workspace, contact: Contact, changes: ContactChanges) -> JSONObject:
    values: JSONObject = {}
    if changes.email is not UNSET:
        values["email"] = rules.normalise_email(changes.email) if changes.email and changes.email.strip() else None
    for name in LINE_LENGTHS:
        value = getattr(changes, name)
        if value is not UNSET:
            values[name] = _clean(name, value)
    if changes.custom is not UNSET:
        typed = rules.parse_custom(list_field_specs(workspace=workspace), changes.custom)
        merged: dict[str, JSONValue] = typed if changes.replaces_custom else {**contact.custom, **typed}
        values["custom"] = {key: value for key, value in merged.items() if value is not None}
    return values


def _clean(name: str, value: str) -> str:
    return rules.clean_line(value, label=name.replace("_", " ").capitalize(), max_length=LINE_LENGTHS[name])


def _check_named(email: str | None, first_name: str, last_name: str) -> None:
    if not (email or first_name or last_name):
        raise BadContact("A person needs an e-mail address, a first name or a last name.")


def _save_unique(contact: Contact) -> None:
    """Save; the unique rule on addresses decides between two writers. Raises ContactExists."""
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError as error:
        other = Contact.objects.filter(organization_id=contact.organization_id, email=contact.email).first()
        raise ContactExists(f"{contact.email} belongs to another contact.", uid=other and other.uid) from error
