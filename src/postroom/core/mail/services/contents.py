"""Contents: compositions frozen for sending, stored once each."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from postroom.core.mail.models import Content, SenderAccount, TrackedLink
from postroom.core.mail.rules import compose
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.types import Composition, MessageClass
from postroom.core.workspaces.models import Workspace
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.ids import uuid7_texts

_STORE: Final = """
INSERT INTO mail_content
    (uid, workspace_id, digest, from_name, subject, html, text, tracks_opens, tracks_clicks, created_at)
SELECT x.uid, %(workspace)s, x.digest, x.from_name, x.subject, x.html, x.text, x.tracks_opens, x.tracks_clicks, %(now)s
FROM unnest(%(uid)s::uuid[], %(digest)s::bytea[], %(from_name)s::text[], %(subject)s::text[], %(html)s::text[],
    %(text)s::text[], %(tracks_opens)s::bool[], %(tracks_clicks)s::bool[])
    AS x(uid, digest, from_name, subject, html, text, tracks_opens, tracks_clicks)
ON CONFLICT (workspace_id, digest) DO NOTHING RETURNING id, digest
"""


class Frozen(NamedTuple):
    """A frozen composition, what is to be measured of it, and the name it is from, empty for the account's own."""

    content: compose.FrozenContent
    tracks_opens: bool
    tracks_clicks: bool
    from_name: str = ""

    def digest(self) -> bytes:
        """Return what names it: equal ones are one content of a workspace."""
        content = self.content
        links = [[link.index, link.url, link.label] for link in content.links]
        whole = [content.subject, content.html, content.text, links, self.tracks_opens, self.tracks_clicks]
        if self.from_name:
            whole.append(self.from_name)
        return hashlib.sha256(json.dumps(whole).encode()).digest()


@transaction.atomic
def freeze_content(
    *,
    workspace: Workspace,
    composition: Composition,
    message_class: MessageClass,
    now: datetime,
    sender_id: int | None = None,
    from_name: str = "",
) -> Content:
    """Return the stored frozen form of a composition, the same row for the same composition under the same name.

    The sender's domain says whether opens and clicks are tracked; both are without a domain, neither is in system mail.
    Raises BadComposition or TemplateRefused, and NoSuchSender.
    """
    sender = get_sender(workspace=workspace, sender_id=sender_id) if sender_id is not None else None
    frozen = freeze(composition, message_class, sender, from_name)
    (content_id,) = store_contents(workspace_id=workspace.pk, contents=[frozen], now=now)
    return Content.objects.get(pk=content_id)


def freeze(
    composition: Composition, message_class: MessageClass, sender: SenderAccount | None, from_name: str = ""
) -> Frozen:
    """Return a composition as it will be stored; the sender comes with its domain. Raises BadComposition or
    TemplateRefused.
    """
    opens, clicks = _tracking(message_class, sender)
    content = compose.freeze(composition, message_class=message_class, tracks_opens=opens, tracks_clicks=clicks)
    return Frozen(content, opens, clicks, from_name)


def _tracking(message_class: MessageClass, sender: SenderAccount | None) -> tuple[bool, bool]:
    if message_class is MessageClass.SYSTEM:
        return False, False  # nobody watches whether a person opens what the system wrote to them
    domain = sender.domain if sender else None
    return (domain.tracks_opens, domain.tracks_clicks) if domain else (True, True)


def store_contents(*, workspace_id: int, contents: Sequence[Frozen], now: datetime) -> list[int]:
    """Return the key of each content; those that are not there yet are stored. The caller has a transaction."""
    digests = [one.digest() for one in contents]
    # In one order for everybody: two that store the same ones wait for each other, and never both.
    named = sorted(dict(zip(digests, contents, strict=True)).items(), key=itemgetter(0))
    with connection.cursor() as cursor:
        cursor.execute(_STORE, _parameters(workspace_id, named, now))
        fresh = {bytes(digest): number for number, digest in cursor.fetchall()}
    _store_links(named, fresh)
    known = dict(fresh)
    if len(fresh) < len(named):
        rows = Content.objects.filter(workspace_id=workspace_id, digest__in=[digest for digest, _ in named])
        known |= {bytes(digest): number for number, digest in rows.values_list("pk", "digest")}
    return [known[digest] for digest in digests]


def _store_links(named: Sequence[tuple[bytes, Frozen]], fresh: Mapping[bytes, int]) -> None:
    TrackedLink.objects.bulk_create(
        TrackedLink(content_id=fresh[digest], index=link.index, url=link.url, label=link.label[:200])
        for digest, one in named
        if digest in fresh
        for link in one.content.links
    )


def _parameters(workspace_id: int, named: Sequence[tuple[bytes, Frozen]], now: datetime) -> dict[str, Any]:
    contents = [one.content for _, one in named]
    return {
        "workspace": workspace_id,
        "now": now,
        "uid": array_text(uuid7_texts(len(named))),
        "digest": [digest for digest, _ in named],
        "from_name": text_array_text(one.from_name for _, one in named),
        "subject": text_array_text(content.subject for content in contents),
        "html": text_array_text(content.html for content in contents),
        "text": text_array_text(content.text for content in contents),
        "tracks_opens": array_text(one.tracks_opens for _, one in named),
        "tracks_clicks": array_text(one.tracks_clicks for _, one in named),
    }
