"""What an author says about a campaign."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.campaigns.rules import LETTERS, LONGEST_WINDOW, MOST_AT_ONCE, words_of
from postroom.core.campaigns.types import CampaignChanges, Words
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Audience
from postroom.core.mail import selectors as mail
from postroom.core.mail.types import BodyFormat, Composition
from postroom.kit.types import UNSET
from postroom.web.campaigns.variants import VariantFields, describe_variants
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.campaigns.models import Campaign
    from postroom.core.workspaces.models import Workspace

EVERYONE: Final = "everyone"
LISTS: Final = "lists"
SEGMENT: Final = "segment"
DEFAULT_PORTION: Final = 500
FORMATS: Final = ((BodyFormat.MJML, "MJML"), (BodyFormat.HTML, "HTML"))


class NewCampaignForm(HouseForm):
    """A campaign to start writing."""

    name = forms.CharField(label="Name", max_length=200, help_text="Only your colleagues see it.")


class AudienceForm(HouseForm):
    """Who a campaign is for."""

    audience = forms.ChoiceField(
        label="Who gets it",
        choices=((LISTS, "Members of lists"), (SEGMENT, "Matches of a segment"), (EVERYONE, "Everyone")),
        widget=forms.RadioSelect,
    )
    list_ids = forms.TypedMultipleChoiceField(
        label="Lists", coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    segment_id = forms.TypedChoiceField(label="Segment", coerce=int, empty_value=None, required=False)

    def __init__(self, data: object, *, workspace: "Workspace", initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)
        lists = contacts.list_lists(workspace=workspace)
        self.set_choices("list_ids", [(one.pk, one.name) for one in lists])
        segments = [(one.pk, one.name) for one in contacts.list_segments(workspace=workspace)]
        self.set_choices("segment_id", [("", "Choose a segment"), *segments])

    def set_choices(self, name: str, choices: Sequence[tuple[object, str]]) -> None:
        """Offer ``choices`` in the field ``name``."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def clean(self) -> dict[str, object]:
        """Refuse an audience of lists, or of a segment, that names none: empty never means everyone."""
        kind = self.cleaned_data.get("audience")
        if kind == LISTS and not self.cleaned_data.get("list_ids"):
            self.add_error("list_ids", "Choose at least one list.")
        if kind == SEGMENT and not self.cleaned_data.get("segment_id"):
            self.add_error("segment_id", "Choose a segment.")
        return self.cleaned_data

    def to_audience(self) -> Audience:
        """Return the audience as the core takes it."""
        kind = self.cleaned_data["audience"]
        return Audience(
            list_ids=tuple(self.cleaned_data["list_ids"]) if kind == LISTS else (),
            segment_id=self.cleaned_data["segment_id"] if kind == SEGMENT else None,
        )


class CampaignForm(VariantFields, AudienceForm):
    """All of a draft; of one that is sent again (``is_resend``) the audience is what it is."""

    name = forms.CharField(label="Name", max_length=200)
    sender_name = forms.CharField(
        label="Under the name",
        max_length=200,
        required=False,
        help_text="Left empty, the sender's own.",
    )
    sender_id = forms.TypedChoiceField(label="From", coerce=int, empty_value=None, required=False)
    category_id = forms.TypedChoiceField(
        label="Category",
        coerce=int,
        empty_value=None,
        required=False,
        help_text="Only people who said yes to the category get it.",
    )
    batch_size = forms.IntegerField(
        label="People in a portion", required=False, min_value=1, max_value=MOST_AT_ONCE, initial=DEFAULT_PORTION
    )
    batch_window_minutes = forms.IntegerField(
        label="Minutes until the next",
        required=False,
        min_value=1,
        max_value=LONGEST_WINDOW,
        help_text="Left empty, nobody waits.",
    )
    subject = forms.CharField(label="Subject", max_length=998, required=False)
    preheader = forms.CharField(
        label="Preview line", max_length=300, required=False, help_text="Shown after the subject in the inbox."
    )
    body_format = forms.ChoiceField(label="Written in", choices=FORMATS)
    body = forms.CharField(
        label="Body", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "true"})
    )

    def __init__(
        self,
        data: object,
        *,
        workspace: "Workspace",
        initial: dict[str, object] | None = None,
        is_resend: bool = False,
    ) -> None:
        super().__init__(data, workspace=workspace, initial=initial)
        self.is_resend = is_resend
        if is_resend:
            for name in ("audience", "list_ids", "segment_id"):
                del self.fields[name]
        self.add_variants()
        senders = [(one.pk, f"{one.name} ({one.from_email})") for one in mail.list_senders(workspace=workspace)]
        self.has_senders = bool(senders)
        self.set_choices("sender_id", [("", "Choose a sender"), *senders])
        categories = [(one.pk, one.name) for one in contacts.list_categories(workspace=workspace)]
        self.set_choices("category_id", [("", "No category"), *categories])
        self.fields["body"].widget.attrs["class"] = "form-control code"

    def to_changes(self) -> CampaignChanges:
        """Return the draft as the core takes it."""
        audience = None if self.is_resend else self.to_audience()
        said = self.cleaned_data
        return CampaignChanges(
            name=said["name"],
            subject=said["subject"],
            preheader=said["preheader"],
            body_format=BodyFormat(said["body_format"]),
            body=said["body"],
            sender_id=said["sender_id"],
            category_id=said["category_id"],
            segment_id=audience.segment_id if audience else UNSET,
            list_ids=audience.list_ids if audience else UNSET,
            sender_name=said["sender_name"],
            batch_size=said["batch_size"] or DEFAULT_PORTION,
            batch_window_minutes=said["batch_window_minutes"] or 0,
            variants=self.to_variants(),
            trial=self.to_trial(),
        )


class PreviewForm(HouseForm):
    """The words of a draft, as they stand in the composer, and whose eyes they are to be seen with."""

    subject = forms.CharField(max_length=998, required=False)
    preheader = forms.CharField(max_length=300, required=False)
    body_format = forms.ChoiceField(choices=BodyFormat.choices)
    body = forms.CharField(required=False, strip=False)
    reader = forms.UUIDField(required=False)
    variant = forms.ChoiceField(choices=[(letter, letter) for letter in LETTERS], required=False)

    def to_composition(self) -> Composition:
        """Return the composition as the core takes it, of the variant that is to be seen."""
        said = self.cleaned_data
        own = Words(subject=said["subject"], preheader=said["preheader"], body=said["body"])
        shown = words_of(own, self._variant())
        return Composition(
            subject=shown.subject,
            preheader=shown.preheader,
            body_format=BodyFormat(said["body_format"]),
            body=shown.body,
        )

    def _variant(self) -> Words:
        """Return what the variant says for itself: nothing, where it is A."""
        letter = self.cleaned_data["variant"]
        return Words(**{name: str(self.data.get(f"{letter}_{name}", "")) for name in ("subject", "preheader", "body")})


def describe_draft(campaign: "Campaign", starter: str) -> dict[str, object]:
    """Return what the composer shows of a draft at first; one nobody has written in yet starts from ``starter``, and
    for lists: everyone is never the audience by oversight.
    """
    list_ids = [one.pk for one in campaign.lists.all()]
    has_body = bool(campaign.body)
    is_for_all = has_body and not list_ids and not campaign.lost_list
    return {
        "name": campaign.name,
        "sender_id": campaign.sender_id or "",
        "category_id": campaign.category_id or "",
        "subject": campaign.subject,
        "sender_name": campaign.sender_name,
        "preheader": campaign.preheader,
        "batch_size": campaign.batch_size,
        "batch_window_minutes": campaign.batch_window_minutes or None,
        **describe_variants(campaign),
        "body_format": campaign.body_format if has_body else BodyFormat.MJML,
        "body": campaign.body if has_body else starter,
        "list_ids": list_ids,
        "segment_id": campaign.segment_id or "",
        "audience": SEGMENT if campaign.segment_id else EVERYONE if is_for_all else LISTS,
    }
