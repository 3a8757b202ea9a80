"""A workspace's messages as programs list them: newest first, by time and by the domain they are from."""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import F, Q, QuerySet

from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.models import Domain, Message, SenderAccount
from postroom.core.mail.rules.headers import parse_addresses
from postroom.core.mail.types import MessageSpan, MessageStatus, Provider
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest


def list_outgoing(*, workspace: Workspace, span: MessageSpan, page: PageRequest) -> Page[Message]:
    """Return messages, newest first, with their sender and content; the same few statements however many there are.

    Of a domain: those of the accounts that sign for it or send from it, and what the sandbox holds of it.
    """
    rows = _within(Message.objects.filter(workspace=workspace), span)
    parts = [rows] if span.domains is None else [rows.filter(part) for part in _parts(workspace, span.domains)]
    keys = _newest(parts, page, is_bounded=span.since is not None and span.until is not None)
    loaded = Message.objects.select_related("sender__domain", "content").in_bulk(keys[: page.size])
    return Page(
        items=tuple(loaded[key] for key in keys[: page.size] if key in loaded),
        number=page.number,
        size=page.size,
        has_next=len(keys) > page.size,
        total=_count(rows, parts) if page.with_total else None,
    )


def get_outgoing(*, workspace: Workspace, uid: UUID, mail_domain: str = "") -> Message:
    """Return a message with its sender and content. Raises NoSuchMessage, also for one of another workspace and, with
    ``mail_domain``, for one that is from another domain.
    """
    rows = Message.objects.select_related("sender__domain", "content").filter(workspace=workspace, uid=uid)
    found = rows.first()
    if found is None or (mail_domain and from_domain(message=found) != mail_domain):
        raise NoSuchMessage("There is no such message in this workspace.")
    return found


def from_domain(*, message: Message) -> str:
    """Return the domain that a message is from, in lower case."""
    pairs = parse_addresses(message.from_address) if message.from_address else []
    return _domain(pairs[0][1] if pairs else message.sender.from_email)


def is_scheduled(*, message: Message) -> bool:
    """Whether a message waits for a time that its sender chose, and nobody took it yet."""
    return message.status == MessageStatus.QUEUED and message.scheduled_at is not None and message.attempt == 0


def map_domains(*, workspace: Workspace) -> Mapping[str, int]:
    """Return the number of each domain of a workspace by its name."""
    return dict(Domain.objects.filter(workspace=workspace).values_list("name", "pk"))


def _within(rows: QuerySet[Message], span: MessageSpan) -> QuerySet[Message]:
    if span.since is not None:
        rows = rows.filter(created_at__gte=span.since)
    return rows if span.until is None else rows.filter(created_at__lte=span.until)


def _parts(workspace: Workspace, domains: Collection[str]) -> list[Q]:
    """Return what is of some domains, in parts that each have an order of their own in an index: account by account."""
    accounts = list(SenderAccount.objects.select_related("domain").filter(workspace=workspace).order_by("pk"))
    own = [Q(sender=one) for one in accounts if _signs(one) in domains]
    ends = [Q(from_address__iendswith=f"@{name}{end}") for name in sorted(domains) for end in ("", ">")]
    boxes = [one for one in accounts if one.provider == Provider.SANDBOX and _signs(one) not in domains]
    return own + [Q(sender=box) & reduce(or_, ends) for box in boxes if ends]


def _signs(account: SenderAccount) -> str:
    return account.domain.name if account.domain else _domain(account.from_email)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()


def _newest(parts: list[QuerySet[Message]], page: PageRequest, *, is_bounded: bool) -> list[int]:
    """Return the keys of a page and of the message after it.

    What lies between two times is gathered and put in order: walking there from the newest would pass all that is
    newer, so the order is one that no index has.
    """
    end = page.offset + page.size + 1
    newest = (F("pk") + 0).desc() if is_bounded else F("pk").desc()
    if not parts:
        return []
    if len(parts) == 1:
        return list(parts[0].order_by(newest).values_list("pk", flat=True)[page.offset : end])
    heads = [part.order_by(newest).values_list("pk", flat=True)[:end] for part in parts]
    return list(heads[0].union(*heads[1:], all=True).order_by("-pk")[page.offset : end])


def _count(rows: QuerySet[Message], parts: list[QuerySet[Message]]) -> int:
    if len(parts) == 1:
        return parts[0].count()
    return sum(part.count() for part in parts)
