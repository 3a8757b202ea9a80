"""Where it is written what became of people's mail, for questions about people."""

from collections.abc import Mapping
from typing import Final

from postroom.core.contacts.ports import DeedRows
from postroom.core.contacts.types import Deed

_EVENTS: Final = "mail_deliveryevent x WHERE x.type = '{}' AND NOT x.is_bot"

DEEDS: Final[Mapping[Deed, DeedRows]] = {
    **{
        deed: DeedRows(_EVENTS.format(deed.value), "x.at")
        for deed in (Deed.OPENED, Deed.CLICKED, Deed.REPLIED, Deed.COMPLAINED, Deed.UNSUBSCRIBED)
    },
    # What the ledger itself knows at the hand-over has no event.
    Deed.SENT: DeedRows("mail_message x WHERE x.sent_at IS NOT NULL AND NOT x.is_test", "x.sent_at"),
    Deed.BOUNCED: DeedRows("mail_message x WHERE x.bounced_at IS NOT NULL AND NOT x.is_test", "x.bounced_at"),
}
"""Opens and clicks by machines are nobody's deed; a failure at the door and a returned mail both are a bounce."""
