"""``postroom claims``: what senders hold, and giving up a sender whose machine will not come back."""

from rich.console import Console
from rich.table import Table

from postroom.core.mail import selectors, services
from postroom.kit import clock


def show_claims() -> None:
    """Print one line for each sender process that holds mail."""
    table = Table("Sender", "Recipients", "Since")
    for held in selectors.list_held_claims():
        table.add_row(held.owner, str(held.recipients), f"{held.since:%Y-%m-%d %H:%M:%S} UTC" if held.since else "")
    Console().print(table if table.row_count else "No sender holds any mail.")


def abandon_claims(owner: str) -> int:
    """Put all that ``owner`` holds in doubt, for its journal is lost; return the exit code: 1 when it holds nothing."""
    count = services.abandon_claims(owner=owner, now=clock.now())
    Console().print(
        f"Gave up {count} claims of {owner}; what they held is in doubt." if count else f"{owner} holds nothing."
    )
    return 0 if count else 1
