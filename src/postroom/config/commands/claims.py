"""``postroom claims``: what senders hold, and giving up a sender whose machine will not come back."""

from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table

from postroom.core.mail import selectors, services
from postroom.core.mail.selectors import HeldClaims
from postroom.kit import clock

_STILL_THERE: Final = (
    "{owner} on {host} said {seconds:.0f} s ago that it is there. Stop it first; or, if it cannot be reached and must "
    "not be waited for, add --anyway: it will then send nothing more of what it holds."
)


def show_claims() -> None:
    """Print one line for each sender process: what it holds, and whether it still says that it is there."""
    now = clock.now()
    table = Table("Sender", "Machine", "Recipients", "Since", "Last seen")
    for held in selectors.list_held_claims():
        table.add_row(held.owner, held.host, str(held.recipients), _time(held.since), _seen(held, now))
    Console().print(table if table.row_count else "No sender runs, and none holds any mail.")


def abandon_claims(owner: str, *, is_forced: bool = False) -> int:
    """Put all that ``owner`` holds in doubt, for its journal is lost; return the exit code: 1 when nothing was done."""
    now = clock.now()
    found = next((held for held in selectors.list_held_claims() if held.owner == owner), None)
    if found is not None and found.seen_at is not None and not found.is_silent(now) and not is_forced:
        seconds = (now - found.seen_at).total_seconds()
        Console().print(_STILL_THERE.format(owner=owner, host=found.host, seconds=seconds), soft_wrap=True)
        return 1
    count = services.abandon_claims(owner=owner, now=now)
    said = f"Gave up {count} claims of {owner}; what they held is in doubt." if count else f"{owner} holds nothing."
    Console().print(said, soft_wrap=True)
    return 0 if count else 1


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _seen(held: HeldClaims, now: datetime) -> str:
    if held.seen_at is None:
        return "never"
    return f"{'silent since ' if held.is_silent(now) else ''}{_time(held.seen_at)}"
