"""The list pages."""

import pytest
from django.test import Client

from postroom.core.contacts.models import Category, List
from postroom.core.workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def test_a_list_and_a_category_are_made(as_colleague: Client, workspace: Workspace) -> None:
    as_colleague.post(f"/w/{workspace.slug}/lists/", {"name": "Monthly letter"})
    as_colleague.post(f"/w/{workspace.slug}/topics/", {"name": "Product news"})
    assert List.objects.get(workspace=workspace).name == "Monthly letter"
    assert Category.objects.get(workspace=workspace).slug == "product-news"
    assert "Monthly letter" in as_colleague.get(f"/w/{workspace.slug}/lists/").content.decode()
    assert "Product news" in as_colleague.get(f"/w/{workspace.slug}/topics/").content.decode()


def test_a_second_list_of_the_same_name_is_explained(as_owner: Client, workspace: Workspace) -> None:
    for _ in range(2):
        response = as_owner.post(f"/w/{workspace.slug}/lists/", {"name": "News"})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors()
    assert List.objects.count() == 1
