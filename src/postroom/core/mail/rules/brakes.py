"""When a campaign stops itself: too many addresses refuse it, or too many people call it unwanted."""

from dataclasses import dataclass
from typing import Final

from postroom.core.mail.errors import BadBrake
from postroom.core.mail.types import BrakeLevels

HOUSE: Final = BrakeLevels(bounces=250, complaints=5)
"""Half of where Amazon SES begins to review an account (5 % bounces, 0.1 % complaints); shares are per 10,000."""

STRICTEST: Final = BrakeLevels(bounces=50, complaints=1)
LOOSEST: Final = BrakeLevels(bounces=1000, complaints=30)
"""The lines at which SES stops an account (10 %), and above which Gmail refuses mail (0.3 %)."""

AFTER: Final = 1_000
"""After how many hand-overs the levels count; before, chance has too large a part in them."""

EARLY_AFTER: Final = 100
EARLY_BOUNCES: Final = 1_000
EARLY_COMPLAINTS: Final = 3
"""A small audience, or the beginning of a large one: a tenth bounced, or three people complained of the first 1,000."""

LOOK_EVERY: Final = 25
"""How many more messages of one process may leave before it asks the database again."""

_FEWEST: Final = 50
_WHOLE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Toll:
    """What became of the messages that were answered: how many, how many of them bounced, how many complained of."""

    answered: int
    bounced: int
    complained: int


def check_levels(levels: BrakeLevels) -> None:
    """Refuse levels that would protect nobody, or stop everybody. Raises BadBrake."""
    if not STRICTEST.bounces <= levels.bounces <= LOOSEST.bounces:
        raise BadBrake(
            f"The bounces must be from {STRICTEST.bounces / 100:g} to {LOOSEST.bounces / 100:g} %.", field="bounces"
        )
    if not STRICTEST.complaints <= levels.complaints <= LOOSEST.complaints:
        low, high = STRICTEST.complaints / 100, LOOSEST.complaints / 100
        raise BadBrake(f"The complaints must be from {low:g} to {high:g} %.", field="complaints")


def find_breach(toll: Toll, levels: BrakeLevels) -> str:
    """Return why the mail must stop, in words for whoever sent it; empty when it may go on."""
    if _bounces_breach(toll.answered, toll.bounced, levels):
        return (
            f"{_share(toll.bounced, toll.answered)} of the first {toll.answered:,} messages bounced"
            f" ({toll.bounced:,} addresses refused them). Where the addresses come from needs a look: providers stop"
            " taking mail from senders whose addresses do not exist."
        )
    if _complaints_breach(toll, levels):
        return (
            f"{toll.complained:,} of the first {toll.answered:,} readers called this mail unwanted"
            f" ({_share(toll.complained, toll.answered)}). Whether they asked for it needs a look: providers put a"
            " sender's mail aside from about 0.1 %."
        )
    return ""


class Brake:
    """Counts how a batch's hand-overs end in one sender process, which at full speed knows before the database does.

    ``is_on`` means: let nothing more of the batch leave, book what is done, and let the database decide. Should it
    decide to go on, ``rearm`` has the next look come ``LOOK_EVERY`` messages later. ``processes`` share the batch.
    """

    __slots__ = ("_after", "_answered", "_bounced", "_early_after", "_levels", "is_on")

    def __init__(self, levels: BrakeLevels, processes: int = 1) -> None:
        self._levels = levels
        self._after = max(EARLY_AFTER, AFTER // max(1, processes))
        self._early_after = max(_FEWEST, EARLY_AFTER // max(1, processes))
        self._answered = 0
        self._bounced = 0
        self.is_on = False

    def note(self, *, is_bounced: bool) -> None:
        """Count the answer to one more message."""
        self._answered += 1
        if not is_bounced:
            return
        self._bounced += 1
        is_early = self._answered >= self._early_after and self._bounced * _WHOLE >= EARLY_BOUNCES * self._answered
        is_late = self._answered >= self._after and self._bounced * _WHOLE >= self._levels.bounces * self._answered
        self.is_on = self.is_on or is_early or is_late

    def rearm(self) -> None:
        """Go on counting, and look again some messages later."""
        self.is_on = False
        self._after = self._early_after = self._answered + LOOK_EVERY


def _bounces_breach(answered: int, bounced: int, levels: BrakeLevels) -> bool:
    share = levels.bounces if answered >= AFTER else EARLY_BOUNCES
    return answered >= EARLY_AFTER and bounced * _WHOLE >= share * answered


def _complaints_breach(toll: Toll, levels: BrakeLevels) -> bool:
    if toll.answered < AFTER:
        return toll.complained >= EARLY_COMPLAINTS
    return toll.complained * _WHOLE >= levels.complaints * toll.answered


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %"
