"""What a reader was sent, in the words they know it by."""

from dataclasses import dataclass

from postroom.core.contacts.models import Category, List
from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.selectors.addressees import find_addressee


@dataclass(frozen=True, slots=True)
class Mailing:
    """Who wrote to whom, and under which headings (lists, then the category) the reader gets such mail."""

    workspace_name: str
    email: str
    topics: tuple[str, ...]

    @property
    def masked_email(self) -> str:
        """The address as its owner recognises it and others do not, since links get forwarded."""
        local_part, _, domain = self.email.rpartition("@")
        return f"{local_part[:1]}…@{domain}"


def find_mailing(*, message_id: int) -> Mailing:
    """Return what message ``message_id`` was to its reader. Raises NoSuchMessage."""
    addressee = find_addressee(message_id=message_id)
    if addressee is None:
        raise NoSuchMessage
    workspace, fence = addressee.workspace, addressee.fence
    lists = List.objects.filter(workspace=workspace, pk__in=fence.list_ids).order_by("name")
    categories = Category.objects.filter(workspace=workspace, pk__in=[fence.category_id] if fence.category_id else [])
    topics = (*lists.values_list("name", flat=True), *categories.values_list("name", flat=True))
    return Mailing(workspace_name=workspace.name, email=addressee.email, topics=topics)
