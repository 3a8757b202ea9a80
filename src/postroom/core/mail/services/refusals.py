"""Who of a set of people must not get a piece of mail: asked when it is accepted and again right before hand-over."""

from collections.abc import Mapping, Sequence

from postroom.core.contacts import rules
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Fence, MailState
from postroom.core.mail.models import Batch
from postroom.core.workspaces.types import Room


def find_refusals(*, batch: Batch, fence: Fence, people: Sequence[tuple[int, str]]) -> list[str]:
    """Return why each (contact, address) must not get this batch: an empty text for those who may.

    A contact who is gone, or has another address than the batch was frozen with, is refused too.
    """
    clear = contacts.find_clear_people(workspace=batch.workspace, people=people, fence=fence)
    unclear = [one for one in people if one[0] not in clear]
    if not unclear:
        return [""] * len(people)
    reasons = judge_people(batch=batch, fence=fence, people=unclear)
    return [reasons.get(contact_id, "") for contact_id, _ in people]


def judge_people(*, batch: Batch, fence: Fence, people: Sequence[tuple[int, str]]) -> dict[int, str]:
    """Return the same by contact, each judged by the rule in full: for the few who are not clear."""
    states = contacts.load_mail_states(
        workspace=batch.workspace, contact_ids=[contact_id for contact_id, _ in people], fence=fence
    )
    return {
        contact_id: _refusal(states.get(contact_id), email, batch.message_class, fence) for contact_id, email in people
    }


def find_address_refusals(
    *, places: Sequence[tuple[Room, str]], message_class: str, fence: Fence
) -> tuple[Mapping[tuple[Room, str], str], Mapping[tuple[Room, str], int]]:
    """Return why a workspace's mail must not go to each normalised address, and whose the address is where we know the
    person.
    """
    states = contacts.load_states(places=places, fence=fence)
    refusals = {place: _refusal(states.get(place), place[1], message_class, fence) for place in places}
    owners = {place: state.contact_id for place, state in states.items() if state.contact_id is not None}
    return refusals, owners


def _refusal(state: MailState | None, address: str, message_class: str, fence: Fence) -> str:
    if state is None:
        return "deleted"
    if state.address != address:
        return "address_changed"
    verdict = rules.may_we_mail(
        state,
        message_class=message_class,
        has_list=bool(fence.list_ids),
        has_category=fence.category_id is not None,
    )
    return "" if verdict.is_allowed else verdict.reason
