"""Reads of lists, tags and categories."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count

from postroom.core.contacts.errors import NoSuchCategory, NoSuchList
from postroom.core.contacts.models import Category, Consent, List, ListMember, Tag
from postroom.core.contacts.types import ListTerms, MemberStatus
from postroom.core.workspaces.models import Workspace

_HOLD: Final = "SELECT id FROM contacts_list WHERE workspace_id = %s AND id = ANY(%s) ORDER BY id FOR KEY SHARE"


def get_list(*, workspace: Workspace, list_id: int) -> List:
    """Return a list of the workspace. Raises NoSuchList."""
    list_ = List.objects.filter(workspace=workspace, pk=list_id).first()
    if list_ is None:
        raise NoSuchList(id=list_id)
    return list_


def get_list_by_uid(*, workspace: Workspace, uid: UUID) -> List:
    """Return a list of the workspace by its uid. Raises NoSuchList."""
    list_ = List.objects.filter(workspace=workspace, uid=uid).first()
    if list_ is None:
        raise NoSuchList(uid=uid)
    return list_


def list_terms(list_: List) -> ListTerms:
    """Return what a list is called and how people come onto it."""
    return ListTerms(
        name=list_.name,
        description=list_.description,
        is_public=list_.is_public,
        is_double_opt_in=list_.is_double_opt_in,
        confirm_subject=list_.confirm_subject,
        confirm_text=list_.confirm_text,
        confirm_from=list_.confirm_from,
        confirm_document=list_.confirm_document,
        emoji=list_.emoji,
        properties=list_.properties,
        variables=tuple(list_.variables),
    )


def lock_list(*, workspace: Workspace, list_id: int) -> List:
    """Return the same, locked until the transaction ends. Raises NoSuchList."""
    list_ = List.objects.select_for_update().filter(workspace=workspace, pk=list_id).first()
    if list_ is None:
        raise NoSuchList(id=list_id)
    return list_


def hold_lists(*, workspace: Workspace, list_ids: Iterable[int]) -> set[int]:
    """Return which of these are lists of the workspace, each kept from being deleted until the transaction ends.

    Whoever puts people on a list holds it (ADR 0016).
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [workspace.pk, list(list_ids)])
        return {key for (key,) in cursor.fetchall()}


def list_lists(*, workspace: Workspace) -> list[List]:
    """Return the workspace's lists by name. Nothing is counted: that would look at every membership."""
    return list(List.objects.filter(workspace=workspace).order_by("name", "pk"))


def list_tags(*, workspace: Workspace) -> list[Tag]:
    """Return the workspace's tags by name."""
    return list(Tag.objects.filter(workspace=workspace).order_by("name", "pk"))


def get_category(*, workspace: Workspace, category_id: int) -> Category:
    """Return a category of the workspace. Raises NoSuchCategory."""
    category = Category.objects.filter(workspace=workspace, pk=category_id).first()
    if category is None:
        raise NoSuchCategory(id=category_id)
    return category


def list_categories(*, workspace: Workspace) -> list[Category]:
    """Return the workspace's categories in their order."""
    return list(Category.objects.filter(workspace=workspace).order_by("position", "name", "pk"))


def get_category_by_uid(*, workspace: Workspace, uid: UUID) -> Category:
    """Return a category of the workspace by its uid. Raises NoSuchCategory."""
    category = Category.objects.filter(workspace=workspace, uid=uid).first()
    if category is None:
        raise NoSuchCategory(uid=uid)
    return category


def count_members(*, workspace: Workspace, list_id: int | None = None) -> dict[int, dict[str, int]]:
    """Return how many people stand how with each list, or with one, in one statement; it reads every member."""
    rows = ListMember.objects.filter(list__workspace=workspace)
    if list_id is not None:
        rows = rows.filter(list_id=list_id)
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for key, status, count in rows.order_by().values_list("list_id", "status").annotate(Count("pk")):
        counts[key][status] = count
    return dict(counts)


def list_waiting(*, workspace: Workspace, list_id: int, limit: int = 20) -> list[ListMember]:
    """Return who was asked to confirm, or is still to be, and has not answered; the newest first."""
    rows = ListMember.objects.filter(
        list_id=list_id, list__workspace=workspace, status=MemberStatus.PENDING, contact__erased_at=None
    )
    return list(rows.select_related("contact").order_by("-pk")[:limit])


def count_consents(*, workspace: Workspace) -> dict[int, dict[str, int]]:
    """Return how many people said yes and no to each category, in one statement; it reads every word."""
    rows = Consent.objects.filter(category__workspace=workspace).order_by()
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for key, state, count in rows.values_list("category_id", "state").annotate(Count("pk")):
        counts[key][state] = count
    return dict(counts)
