"""The segment pages: a tree of conditions as plain forms, its live count, why somebody is in, what keeps a segment."""

import re
from collections.abc import Sequence

import pytest
from django.http import QueryDict
from django.test import Client

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.types import CampaignChanges
from postroom.core.contacts import rules, services
from postroom.core.contacts.models import Category, Field, List, Segment, Tag
from postroom.core.contacts.types import FieldSpec, FieldType, NewContact
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7
from postroom.kit.types import JSONObject
from postroom.web.segments.examples import EXAMPLES
from postroom.web.segments.questions import questions_for
from postroom.web.segments.tree import Branch, Entry, Row, act, from_filter, make_row, read_tree, to_filter
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db
NESTED: JSONObject = {
    "match": "all",
    "conditions": [
        {"field": "company", "operator": "is_set"},
        {"match": "any", "conditions": [{"field": "email", "operator": "ends_with", "value": "example.com"}]},
    ],
}
BEYOND: JSONObject = {"match": "all", "conditions": [{"field": "company", "operator": "in", "value": ["a\nb"]}]}


@pytest.fixture
def people(workspace: Workspace) -> None:
    for name in ("ada", "grace", "annie"):
        new = NewContact(email=f"{name}@example.com", first_name=name.title(), tags=("a",) if name != "ada" else ())
        services.create_contact(workspace=workspace, new=new, actor=make_actor(), now=NOW)


def sent(*conditions: Sequence[str], match: str = "all", **more: str) -> dict[str, object]:
    """A form of conditions (field, operator, value) in the outermost group."""
    data: dict[str, object] = {"root.match": match, "node": [f"1:c:k{number}" for number in range(len(conditions))]}
    for number, (field, operator, value) in enumerate(conditions):
        data |= {f"k{number}.field": field, f"k{number}.operator": operator, f"k{number}.value": value}
    return {**data, **more}


def page(client: Client, workspace: Workspace, path: str, data: dict[str, object] | None = None) -> str:
    address = f"/w/{workspace.slug}/segments/{path}"
    return (client.get(address) if data is None else client.post(address, data)).content.decode()


def test_the_builder_counts_who_matches_while_it_is_filled_in(
    as_viewer: Client, workspace: Workspace, people: None
) -> None:
    shown = page(as_viewer, workspace, "preview/", sent(("tag", "has", "a")))
    assert ">2<" in shown
    assert "Annie" in shown
    assert "ada@example.com" not in shown


@pytest.mark.parametrize("conditions", [[], [("email", "in", "")], [("created_at", "between", "2026-01-01")]])
def test_a_question_without_an_answer_never_means_everyone(
    as_owner: Client, workspace: Workspace, people: None, conditions: list[tuple[str, str, str]]
) -> None:
    assert "Fill in every condition" in page(as_owner, workspace, "preview/", sent(*conditions))
    refused = as_owner.post(f"/w/{workspace.slug}/segments/new/", sent(*conditions, name="All"))
    assert refused.context["form"].non_field_errors()
    assert not Segment.objects.exists()


def test_a_segment_is_saved_changed_and_deleted(as_colleague: Client, workspace: Workspace, people: None) -> None:
    as_colleague.post(f"/w/{workspace.slug}/segments/new/", sent(("tag", "has", "a"), name="Group A"))
    segment = Segment.objects.get(workspace=workspace)
    here = f"/w/{workspace.slug}/segments/{segment.uid}/"
    assert 'value="Group A"' in as_colleague.get(here).content.decode()
    as_colleague.post(here, sent(("tag", "not_has", "a"), name="Not in A"))
    segment.refresh_from_db()
    assert segment.name == "Not in A"
    assert segment.filter["conditions"] == [{"field": "tag", "operator": "not_has", "value": "a"}]
    as_colleague.post(f"{here}delete/")
    assert not Segment.objects.exists()


def test_groups_are_added_filled_and_removed_without_a_script(as_owner: Client, workspace: Workspace) -> None:
    first = page(as_owner, workspace, "new/", {**sent(("company", "is_set", "")), "do": "group:root", "name": "Deep"})
    group = re.search(r'name="node" value="1:g:([a-z0-9]+)"', first)
    inner = re.search(r'name="node" value="2:c:([a-z0-9]+)"', first)
    assert group
    assert inner
    assert 'value="Deep"' in first
    form = {
        **sent(("company", "is_set", "")),
        "node": ["1:c:k0", f"1:g:{group[1]}", f"2:c:{inner[1]}"],
        f"{group[1]}.match": "any",
        f"{inner[1]}.field": "email",
        f"{inner[1]}.operator": "ends_with",
        f"{inner[1]}.value": "example.com",
        "name": "Deep",
    }
    gone = page(as_owner, workspace, "new/", {**form, "do": f"remove:{inner[1]}"})
    assert ":g:" not in gone
    assert not Segment.objects.exists()
    as_owner.post(f"/w/{workspace.slug}/segments/new/", form)
    assert Segment.objects.get().filter == NESTED


def test_a_field_that_is_changed_brings_comparisons_that_fit_and_forgets_what_was_entered(
    as_owner: Client, workspace: Workspace
) -> None:
    form = sent(("created_at", "contains", "old words"), **{"k0.was": "email"})
    tree = page(as_owner, workspace, "tree/", form)
    assert 'type="date"' in tree
    assert 'value="contains"' not in tree
    assert "old words" not in tree


def test_renaming_a_segment_the_builder_cannot_show_keeps_its_question(as_owner: Client, workspace: Workspace) -> None:
    segment = services.create_segment(workspace=workspace, name="Odd", filter=BEYOND, actor=make_actor(), now=NOW)
    here = f"{segment.uid}/"
    assert "asks more than this page can show" in page(as_owner, workspace, here)
    page(as_owner, workspace, here, sent(("email", "is_set", ""), name="Odder"))
    segment.refresh_from_db()
    assert (segment.name, segment.filter) == ("Odder", BEYOND)


def test_a_segment_of_another_workspace_is_unknown_here(as_owner: Client, workspace: Workspace) -> None:
    foreign = services.create_segment(
        workspace=make_workspace(), name="Theirs", filter=NESTED, actor=make_actor(), now=NOW
    )
    for path in ("", "why/"):
        assert as_owner.get(f"/w/{workspace.slug}/segments/{foreign.uid}/{path}").status_code == 404
    assert as_owner.post(f"/w/{workspace.slug}/segments/{foreign.uid}/delete/").status_code == 404
    assert Segment.objects.count() == 1


def test_whoever_has_no_segment_is_offered_three_to_start_from(as_owner: Client, workspace: Workspace) -> None:
    listed = page(as_owner, workspace, "")
    for example in EXAMPLES:
        assert f"?example={example.key}" in listed
        started = page(as_owner, workspace, f"new/?example={example.key}")
        assert f'value="{example.name}"' in started
        assert "cannot" not in started
        services.create_segment(
            workspace=workspace, name=example.name, filter=example.filter, actor=make_actor(), now=NOW
        )
    assert "?example=" not in page(as_owner, workspace, "")


def test_the_page_says_why_somebody_is_in_or_out(as_viewer: Client, workspace: Workspace, people: None) -> None:
    filter_: JSONObject = {
        "match": "all",
        "conditions": [
            {"field": "tag", "operator": "has", "value": "A"},
            {"field": "first_name", "operator": "in", "value": ["Ada", "Grace"]},
            {"field": "mail.opened", "operator": "did_not", "value": {"within": {"amount": 90, "unit": "days"}}},
        ],
    }
    segment = services.create_segment(workspace=workspace, name="S", filter=filter_, actor=make_actor(), now=NOW)
    found = page(as_viewer, workspace, f"{segment.uid}/why/?q=ada")
    link = re.search(r"\?contact=[0-9a-f-]{36}", found)
    assert link
    told = " ".join(page(as_viewer, workspace, f"{segment.uid}/why/{link[0]}").split())
    assert "is not in this segment" in told
    assert 'no</span> Tag has a <span class="text-secondary d-block">Theirs: nothing' in told
    assert 'yes</span> First name is one of Ada, Grace <span class="text-secondary d-block">Theirs: Ada' in told
    assert "Opened mail: no (any mail, in the last 90 days)" in told
    assert "Nobody here is called that" in page(as_viewer, workspace, f"{segment.uid}/why/?q=zoe")
    nobody = as_viewer.get(f"/w/{workspace.slug}/segments/{segment.uid}/why/?contact={uuid7()}")
    assert nobody.status_code == 404


def test_the_page_names_the_campaigns_that_go_by_the_segment(as_owner: Client, workspace: Workspace) -> None:
    segment = services.create_segment(workspace=workspace, name="S", filter=NESTED, actor=make_actor(), now=NOW)
    draft = campaigns.create_campaign(workspace=workspace, name="May letter", actor=make_actor(), now=NOW)
    changes = CampaignChanges(segment_id=segment.pk)
    campaigns.update_campaign(workspace=workspace, uid=draft.uid, changes=changes, actor=make_actor(), now=NOW)
    assert "May letter" in page(as_owner, workspace, f"{segment.uid}/")
    kept = as_owner.post(f"/w/{workspace.slug}/segments/{segment.uid}/delete/", follow=True)
    assert "it says who gets &#x27;May letter&#x27;" in kept.content.decode()


def test_sizes_are_shown_where_they_were_counted(as_owner: Client, workspace: Workspace, people: None) -> None:
    segment = services.create_segment(
        workspace=workspace,
        name="S",
        filter={"match": "all", "conditions": [{"field": "email", "operator": "is_set"}]},
        actor=make_actor(),
        now=NOW,
    )
    assert "not counted yet" in page(as_owner, workspace, "")
    services.measure_segment(segment_uid=segment.uid, now=NOW)
    assert "<td>3 <" in page(as_owner, workspace, "")
    assert "sizes-plot" in page(as_owner, workspace, f"{segment.uid}/")


FIELDS = [Field(key=type_.value, label=type_.label, type=type_, options=["a", "b"]) for type_ in FieldType]
SPECS = [FieldSpec(key=field.key, label=field.label, type=FieldType(field.type)) for field in FIELDS]
SOME = uuid7()
ENTRIES = {
    "text": Entry(("word",)),
    "lines": Entry(("one", "two")),
    "option": Entry(("a",)),
    "options": Entry(("a", "b")),
    "number": Entry(("5",)),
    "numbers": Entry(("5",), last="9.5"),
    "date": Entry(("2026-11-20",)),
    "dates": Entry(("2026-11-20",), last="2026-11-21"),
    "boolean": Entry(("false",)),
    "span": Entry(amount="30", unit="months"),
    "deeds": Entry(("",), amount="30", unit="weeks", campaign=str(SOME), times="2"),
    "none": Entry(),
}
WORDS = {"status": "neutral", "suppression": "manual"}


def test_the_core_understands_every_question_the_builder_offers_and_the_builder_shows_it_again() -> None:
    questions = questions_for(
        fields=[*FIELDS, Field(key="free", label="Free", type=FieldType.MULTISELECT, options=[])],
        tags=[Tag(name="a"), Tag(name="b")],
        lists=[List(uid=SOME, name="a"), List(uid=uuid7(), name="b")],
        categories=[Category(slug="a", name="A")],
    )
    specs = [*SPECS, FieldSpec("free", "Free", FieldType.MULTISELECT)]
    count = 0
    for question in questions:
        for operator, comparison in question.comparisons.items():
            entry = ENTRIES[comparison.asks]
            if question.kind in WORDS and entry.value:
                entry = Entry((WORDS[question.kind],))
            if question.kind == "list" and entry.value:
                entry = Entry((str(SOME),))
            filter_ = to_filter(Branch("any", (Row(question, operator, entry),)))
            parsed = rules.parse_filter(filter_, specs)
            shown = from_filter(filter_, questions)
            assert shown is not None, filter_
            assert to_filter(shown) == filter_
            assert rules.parse_filter(to_filter(shown), specs) == parsed
            count += 1
    assert count > 150


def test_a_filter_made_elsewhere_is_shown_as_what_it_means() -> None:
    questions = questions_for(fields=FIELDS, lists=[List(uid=SOME, name="News")], tags=[Tag(name="Vip")])
    made: JSONObject = {
        "match": "any",
        "conditions": [
            {"field": "tags", "operator": "in", "value": ["vip"]},
            {"field": "list", "operator": "has", "value": "NEWS"},
            {"field": "number", "operator": "between", "value": [1, 2.5]},
            {"field": "multiselect", "operator": "contains", "value": "a"},
            {"field": "email", "operator": "is_not_empty"},
            {"field": "created_at", "operator": "in_last", "value": 30},
            {"field": "boolean", "operator": "eq", "value": True},
        ],
    }
    shown = from_filter(made, questions)
    assert shown is not None
    assert to_filter(shown)["conditions"] == [
        {"field": "tag", "operator": "has_any", "value": ["Vip"]},
        {"field": "list", "operator": "has", "value": str(SOME)},
        {"field": "custom.number", "operator": "between", "value": ["1", "2.5"]},
        {"field": "custom.multiselect", "operator": "has", "value": "a"},
        {"field": "email", "operator": "is_set"},
        {"field": "created_at", "operator": "in_last", "value": {"amount": "30", "unit": "days"}},
        {"field": "custom.boolean", "operator": "eq", "value": "true"},
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        ["9:c:k", "1:x:k", "1:c:", "1:c:K!", "", "1:c:k\n"],
        ["4:c:a", "3:g:b", "2:c:c"],
        ["1:g:a", "3:c:b", "2:g:c", "2:g:d", "1:c:e"],
        ["1:c:k"] * 500,
    ],
)
def test_a_form_that_is_no_tree_is_read_as_far_as_it_is_one(nodes: list[str]) -> None:
    questions = questions_for(fields=[])
    answers = QueryDict(mutable=True)
    answers.setlist("node", nodes)
    tree = read_tree(answers, questions)
    assert len(list(tree.rows())) <= 200
    for word in ("", "add:", "remove:root", "remove:k", "group:none", "shout:root", "add:root"):
        act(tree, word, questions)
    assert from_filter({"match": "all", "conditions": [5]}, questions) is None
    assert make_row(questions, "nothing", "at all") == Row(questions[0], "eq")
