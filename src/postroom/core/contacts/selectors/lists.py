"""Reads of lists, tags and categories."""

from django.db.models import Count, Q

from postroom.core.contacts.errors import NoSuchCategory, NoSuchList
from postroom.core.contacts.models import Category, List, Tag
from postroom.core.contacts.types import MemberStatus
from postroom.core.workspaces.models import Workspace


def get_list(*, workspace: Workspace, list_id: int) -> List:
    """Return a list of the workspace. Raises NoSuchList."""
    list_ = List.objects.filter(workspace=workspace, pk=list_id).first()
    if list_ is None:
        raise NoSuchList(id=list_id)
    return list_


def lock_list(*, workspace: Workspace, list_id: int) -> List:
    """Return the same, locked until the transaction ends. Raises NoSuchList."""
    list_ = List.objects.select_for_update().filter(workspace=workspace, pk=list_id).first()
    if list_ is None:
        raise NoSuchList(id=list_id)
    return list_


def list_lists(*, workspace: Workspace, with_counts: bool = True) -> list[List]:
    """Return the workspace's lists by name, each with ``member_count`` and, of these, ``subscribed_count``.

    Counting looks at every membership; where only names are wanted, leave it out.
    """
    rows = List.objects.filter(workspace=workspace).order_by("name", "pk")
    if with_counts:
        subscribed = Count("members", filter=Q(members__status=MemberStatus.SUBSCRIBED))
        rows = rows.annotate(member_count=Count("members"), subscribed_count=subscribed)
    return list(rows)


def list_tags(*, workspace: Workspace, with_counts: bool = True) -> list[Tag]:
    """Return the workspace's tags by name, each with ``contact_count`` unless that is left out."""
    rows = Tag.objects.filter(workspace=workspace).order_by("name", "pk")
    return list(rows.annotate(contact_count=Count("contact_links")) if with_counts else rows)


def get_category(*, workspace: Workspace, category_id: int) -> Category:
    """Return a category of the workspace. Raises NoSuchCategory."""
    category = Category.objects.filter(workspace=workspace, pk=category_id).first()
    if category is None:
        raise NoSuchCategory(id=category_id)
    return category


def list_categories(*, workspace: Workspace) -> list[Category]:
    """Return the workspace's categories in their order."""
    return list(Category.objects.filter(workspace=workspace).order_by("position", "name", "pk"))
