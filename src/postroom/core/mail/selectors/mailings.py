"""What a reader was sent, in the words they know it by."""

from dataclasses import dataclass

from postroom.core.contacts.models import Category, ContactWorkspace, List
from postroom.core.contacts.rules import mask_email
from postroom.core.contacts.types import ReaderLink
from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.selectors.addressees import find_addressee


@dataclass(frozen=True, slots=True)
class Mailing:
    """Who wrote to whom, and under which headings (lists, then the category) the reader gets such mail; ``reader`` is
    who may choose what else comes, None when they are nobody's contact.
    """

    workspace_name: str
    email: str
    topics: tuple[str, ...]
    reader: ReaderLink | None = None

    @property
    def masked_email(self) -> str:
        """The address as its owner recognises it."""
        return mask_email(self.email)


def find_mailing(*, message_id: int) -> Mailing:
    """Return what message ``message_id`` was to its reader. Raises NoSuchMessage."""
    addressee = find_addressee(message_id=message_id)
    if addressee is None:
        raise NoSuchMessage
    workspace, fence = addressee.workspace, addressee.fence
    lists = List.objects.filter(workspace=workspace, pk__in=fence.list_ids).order_by("name")
    categories = Category.objects.filter(workspace=workspace, pk__in=[fence.category_id] if fence.category_id else [])
    topics = (*lists.values_list("name", flat=True), *categories.values_list("name", flat=True))
    seen = ContactWorkspace.objects.filter(workspace=workspace, contact_id=addressee.contact_id or 0)
    reader = ReaderLink(workspace.pk, addressee.contact_id) if addressee.contact_id and seen.exists() else None
    return Mailing(workspace_name=workspace.name, email=addressee.email, topics=topics, reader=reader)
