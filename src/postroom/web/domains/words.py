"""What to do next about a domain, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from postroom.core.mail.selectors import RecordState
from postroom.core.mail.types import KeyState, RecordPurpose, RecordStatus

_OWN: Final = frozenset({RecordPurpose.DKIM, RecordPurpose.DMARC, RecordPurpose.SPF, RecordPurpose.MX})
_RETURN: Final = frozenset({RecordPurpose.RETURN_MX, RecordPurpose.RETURN_SPF})
_HOUSE: Final = frozenset({RecordPurpose.OUTLET, RecordPurpose.PTR})


@dataclass(frozen=True, slots=True)
class Group:
    """Records that belong together on the page."""

    title: str
    text: str
    states: tuple[RecordState, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the required records are: ``done`` of ``total``, and what to do now."""

    done: int
    total: int
    next_step: str

    @property
    def is_done(self) -> bool:
        """Whether all are as they should be."""
        return self.done == self.total


def group_records(states: Sequence[RecordState]) -> list[Group]:
    """Return the records as the page shows them: what mail needs, what is good to have, what the installation needs."""
    needed = [one for one in states if one.record.is_required]
    coming = [one for one in states if one.record.key_state is KeyState.PENDING]
    gone = [one for one in states if one.record.key_state is KeyState.RETIRED]
    others = (*needed, *coming, *gone)
    own = [one for one in states if one not in others and one.record.purpose in _OWN]
    back = [one for one in states if one.record.purpose in _RETURN]
    links = [one for one in states if one.record.purpose is RecordPurpose.TRACKING]
    house = [one for one in states if one.record.purpose in _HOUSE]
    groups = (
        Group("Mail needs these", "Publish them where the domain's names are kept.", tuple(needed)),
        Group("The next keys", "They take over by themselves as soon as these records are seen.", tuple(coming)),
        Group("Good to have", "", tuple(own)),
        Group("A return path of your own", "Bounces come back under your domain.", tuple(back)),
        Group("Links of your own", "Links in mail begin with your domain.", tuple(links)),
        Group("For this installation", "Its operator publishes these.", tuple(house)),
        Group("Earlier keys", "Leave these for mail that is still on its way.", tuple(gone)),
    )
    return [group for group in groups if group.states]


def measure_progress(states: Sequence[RecordState]) -> Progress:
    """Return how far a domain is."""
    needed = [one for one in states if one.record.is_required]
    good = [one for one in needed if one.status is RecordStatus.OK]
    return Progress(len(good), len(needed), _next_step([one for one in needed if one not in good]))


def _next_step(lacking: Sequence[RecordState]) -> str:
    if not lacking:
        return "Everything that mail needs is in place."
    if all(one.status in (RecordStatus.UNCHECKED, RecordStatus.UNKNOWN) for one in lacking):
        return "The records are being looked up."
    wrong = [one for one in lacking if one.status in (RecordStatus.WRONG, RecordStatus.SEVERAL)]
    if wrong:
        names = " and ".join(dict.fromkeys(one.record.purpose.label for one in wrong))
        return f"Mend the {names} record as it says below. A change may take an hour to be seen everywhere."
    return (
        "Sign in where the domain's names are kept (often where you bought it), open its DNS records, and add the ones"
        " below. Then press “Check now”; they are also looked up by themselves."
    )
