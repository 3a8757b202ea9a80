"""Writes of categories: the kinds of mail a person can say yes or no to."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadValue, CategoryInUse, NameTaken
from postroom.core.contacts.models import Category
from postroom.core.contacts.selectors.lists import get_category, list_categories
from postroom.core.contacts.selectors.segment_uses import segments_using_category
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord


@transaction.atomic
def create_category(
    *, workspace: Workspace, name: str, slug: str, actor: Actor, now: datetime, description: str = ""
) -> Category:
    """Make a kind of mail, last in order. Raises BadValue for an empty name or slug, NameTaken for a slug in use."""
    slug = rules.clean_line(slug, label="Slug", max_length=80).lower().replace(" ", "-")
    last = Category.objects.filter(workspace=workspace).aggregate(last=Max("position"))["last"] or 0
    category = Category(workspace=workspace, slug=slug, position=last + 1, created_at=now)
    _describe(category, name, description)
    if not slug:
        raise BadValue("A category needs a name and a slug.")
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError as error:
        raise NameTaken(f"There is already a category {slug!r}.") from error
    act = AuditRecord("category.created", "category", category.pk, after={"slug": slug})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return category


@transaction.atomic
def update_category(
    *, workspace: Workspace, category_id: int, name: str, description: str, actor: Actor, now: datetime
) -> Category:
    """Change what readers see of a category; its slug stays, since programs name it by that. Raises NoSuchCategory or
    BadValue.
    """
    category = get_category(workspace=workspace, category_id=category_id)
    before = category.name
    _describe(category, name, description)
    category.save(update_fields=["name", "description"])
    act = AuditRecord(
        "category.updated", "category", category.pk, before={"name": before}, after={"name": category.name}
    )
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return category


@transaction.atomic
def move_category(*, workspace: Workspace, category_id: int, steps: int, actor: Actor, now: datetime) -> None:
    """Move a category up (negative) or down in the order readers see. Raises NoSuchCategory."""
    moved = get_category(workspace=workspace, category_id=category_id)
    others = [one for one in list_categories(workspace=workspace) if one.pk != moved.pk]
    place = sum(1 for one in others if (one.position, one.name, one.pk) < (moved.position, moved.name, moved.pk))
    others.insert(min(max(place + steps, 0), len(others)), moved)
    for position, one in enumerate(others, start=1):
        one.position = position
    Category.objects.bulk_update(others, ["position"])
    act = AuditRecord("category.moved", "category", moved.pk, after={"position": moved.position})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


@transaction.atomic
def delete_category(*, workspace: Workspace, category_id: int, actor: Actor, now: datetime) -> None:
    """Forget a category and everybody's word on it.

    Raises NoSuchCategory; CategoryInUse while mail names it, or a segment: nobody having said anything about what is
    gone, that would find everybody.
    """
    category = get_category(workspace=workspace, category_id=category_id)
    if using := segments_using_category(workspace=workspace, slug=category.slug):
        asking = ", ".join(repr(one.name) for one in using[:5])
        raise CategoryInUse(f"The category {category.name!r} is part of the segment {asking}; change that first.")
    try:
        with transaction.atomic():
            Category.objects.filter(pk=category.pk).delete()
    except ProtectedError as error:
        names = sorted({str(one) for one in error.protected_objects if hasattr(one, "name")})
        by = f"the campaign {', '.join(map(repr, names[:5]))}" if names else "mail that was sent"
        raise CategoryInUse(f"The category {category.name!r} is used by {by}.") from error
    act = AuditRecord("category.deleted", "category", category_id, before={"slug": category.slug})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


def _describe(category: Category, name: str, description: str) -> None:
    category.name = rules.clean_line(name, label="Name")
    category.description = rules.clean_line(description, label="Description", max_length=500)
    if not category.name:
        raise BadValue("A category needs a name.")
