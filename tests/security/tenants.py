"""Two mirrored tenants, each with one of everything, so that every id of the one can be tried by the other."""

from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from postroom.core.campaigns import services as campaigns
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Suppression
from postroom.core.contacts.types import (
    AccountDetails,
    BulkAction,
    BulkKind,
    ExportFormat,
    FieldType,
    ImportMapping,
    NewContact,
    NewField,
    NewInteraction,
    Selection,
    SuppressionReason,
    SuppressionScope,
    Upload,
)
from postroom.core.mail import services as mail
from postroom.core.mail.models import ProviderEvent, SandboxMail
from postroom.core.mail.types import Attachment, Composition, MessageClass, NewLimit, NewMessage, NewTemplate
from postroom.core.webhooks import services as webhooks
from postroom.core.webhooks.types import EndpointTerms
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import Door, NewKey
from tests.factories import NOW, make_actor, make_user, make_workspace


@dataclass(frozen=True)
class Tenant:
    """A workspace, its owner, one uid for each kind of thing, and a word that stands in all of its texts."""

    workspace: Workspace
    owner: User
    uids: dict[str, UUID]
    keys: dict[str, int]
    secret: str

    def client(self) -> Client:
        """Return a browser in which the owner is signed in."""
        client = Client()
        client.force_login(self.owner)
        return client

    def staged_token(self) -> str:
        """Return the token of a file that was uploaded and waits for its mapping."""
        file = SimpleUploadedFile("people.csv", f"Email,Name\n{self.secret}@example.com,Ann\n".encode())
        answer = self.client().post(f"/w/{self.workspace.slug}/imports/new/", {"file": file})
        return str(answer.headers["Location"]).rstrip("/").rpartition("/")[2]


def make_tenant(secret: str) -> Tenant:
    """Return a tenant with one of everything."""
    workspace = make_workspace(name=f"Room of {secret}")
    owner = make_user(workspace=workspace)
    actor = make_actor(owner)
    contact = contacts.create_contact(
        workspace=workspace, new=NewContact(email=f"{secret}@example.com", first_name=secret), actor=actor, now=NOW
    )
    contacts.tag_contact(workspace=workspace, uid=contact.uid, tag_name=f"tag {secret}", actor=actor, now=NOW)
    field = NewField(label=f"Field {secret}", key=f"field_{secret}", type=FieldType.TEXT)
    defined = contacts.create_field(workspace=workspace, new=field, actor=actor, now=NOW)
    details = AccountDetails(name=f"Company {secret}", domain=f"{secret}.example")
    account = contacts.create_account(workspace=workspace, details=details, actor=actor, now=NOW)
    contacts.link_account(
        workspace=workspace, uid=account.uid, contact_uid=contact.uid, role=secret, actor=actor, now=NOW
    )
    said = NewInteraction(subject=f"Note {secret}", body=secret)
    note = contacts.add_interaction(workspace=workspace, contact_uid=contact.uid, new=said, actor=actor, now=NOW)
    letters = contacts.create_list(workspace=workspace, name=f"List {secret}", actor=actor, now=NOW)
    category = contacts.create_category(
        workspace=workspace, name=f"Category {secret}", slug=f"category-{secret}", actor=actor, now=NOW
    )
    rule = {"match": "all", "conditions": [{"field": "first_name", "operator": "eq", "value": secret}]}
    segment = contacts.create_segment(workspace=workspace, name=f"Segment {secret}", filter=rule, actor=actor, now=NOW)
    run = contacts.start_import(
        workspace=workspace,
        upload=Upload(BytesIO(f"Email\n{secret}-2@example.com\n".encode()), f"{secret}.csv"),
        mapping=ImportMapping(columns={"Email": "email"}),
        actor=actor,
        now=NOW,
    )
    bulk = contacts.start_bulk(
        workspace=workspace,
        selection=Selection(search=secret),
        action=BulkAction(BulkKind.TAG, {"tag": f"tag {secret}"}),
        actor=actor,
        now=NOW,
    )
    export = contacts.start_export(
        workspace=workspace, selection=Selection(search=secret), format=ExportFormat.CSV, actor=actor, now=NOW
    )
    contacts.suppress_address(
        workspace=workspace,
        email=f"{secret}-3@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        detail=secret,
        actor=actor,
        now=NOW,
    )
    suppression_run = contacts.start_suppression_file(
        workspace=workspace,
        upload=Upload(BytesIO(f"{secret}-4@example.com\n".encode()), f"{secret}-4.csv"),
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        actor=actor,
        now=NOW,
    )
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=actor, now=NOW)
    domain = mail.create_domain(workspace=workspace, name=f"{secret}.example", actor=actor, now=NOW)
    to_domain = NewLimit(most=9, destination=f"{secret}.example", sender_id=sender.pk)
    limit = mail.set_limit(workspace=workspace, new=to_domain, actor=actor, now=NOW)
    campaign = campaigns.create_campaign(workspace=workspace, name=f"Campaign {secret}", actor=actor, now=NOW)
    letter = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=(f"{secret}-5@example.com",),
        composition=Composition(subject=f"Letter {secret}", body=f"<p>{secret}</p>"),
        attachments=(Attachment(f"{secret}.txt", "text/plain", secret.encode()),),
    )
    (accepted,) = mail.accept_messages(workspace=workspace, messages=[letter], actor=actor, now=NOW)
    captured = SandboxMail.objects.create(
        workspace=workspace,
        subject=f"Subject {secret}",
        raw=f"Subject: {secret}\r\n\r\n{secret}".encode(),
        size=1,
        received_at=NOW,
    )
    parked = ProviderEvent.objects.create(
        sender=sender, key=secret, digest=b"", body=secret.encode(), error=secret, received_at=NOW, parked_at=NOW
    )
    new = NewKey(door=Door.USESEND, name=f"Key {secret}")
    key, _ = workspaces.create_api_key(workspace=workspace, user=owner, new=new, actor=actor, now=NOW)
    terms = EndpointTerms(url=f"https://{secret}.example/hook", description=f"Hook {secret}")
    endpoint = webhooks.create_endpoint(workspace=workspace, door=Door.USESEND, terms=terms, actor=actor, now=NOW)
    call = webhooks.test_endpoint(workspace=workspace, uid=endpoint.uid, actor=actor, now=NOW)
    template = NewTemplate(name=f"Template {secret}", composition=Composition(subject=f"Hi {secret}", body=secret))
    stored = mail.create_template(workspace=workspace, new=template, actor=actor, now=NOW)
    things = {
        "template": stored,
        "contact": contact,
        "field": defined,
        "account": account,
        "interaction": note,
        "list": letters,
        "category": category,
        "segment": segment,
        "import": run,
        "export": export,
        "suppression": Suppression.objects.get(workspace=workspace),
        "suppression_run": suppression_run,
        "bulk": bulk,
        "sender": sender,
        "domain": domain,
        "limit": limit,
        "campaign": campaign,
        "sandbox_mail": captured,
        "provider_event": parked,
        "message": accepted,
        "key": key,
        "webhook": endpoint,
    }
    uids = {name: thing.uid for name, thing in things.items()}
    uids["webhook_call"] = call.uid
    keys = {name: thing.id for name, thing in things.items()}
    return Tenant(workspace, owner, uids, keys, secret)


def digest_tenant(tenant: Tenant) -> str:
    """Return a digest of every row, of any table, that belongs to the tenant or its workspace.

    Taken before and after an attack, the two are equal when nothing was written to the tenant.
    """
    workspace = tenant.workspace
    with connection.cursor() as cursor:
        digests = [_digest_table(cursor, table, workspace) for table in sorted(connection.introspection.table_names())]
    return "\n".join(filter(None, digests))


def _digest_table(cursor: object, table: str, workspace: Workspace) -> str:
    """Rows whose workspace or organization is the tenant's, as one sum."""
    columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    tests = {"workspace_id": workspace.pk, "organization_id": workspace.organization_id}
    conditions = [f"row.{name} = {value}" for name, value in tests.items() if name in columns]
    if not conditions or table == "django_session":
        return ""
    query = f"SELECT md5(coalesce(string_agg(row::text, chr(10) ORDER BY row::text), '')) FROM \"{table}\" row WHERE "
    cursor.execute(query + " OR ".join(conditions))  # type: ignore[attr-defined]
    return f"{table} {cursor.fetchone()[0]}"  # type: ignore[attr-defined]
