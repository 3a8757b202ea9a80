"""How sender accounts do: whether they work, and how much of their day is used up."""

from dataclasses import dataclass
from datetime import datetime

from postroom.core.mail.models import Limit, SenderAccount, SenderDay
from postroom.core.mail.rules.plans import zone_of
from postroom.core.mail.selectors.senders import list_senders
from postroom.core.mail.types import Per
from postroom.core.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account as its workspace sees it. ``cap`` is the lowest number it may send in a day, None without any; what it
    sent today, over its carrier's server all that it carried, is only counted while something limits it.
    ``is_warming_up``: a plan makes the cap grow.
    """

    sender: SenderAccount
    used: int | None
    cap: int | None
    is_warming_up: bool

    @property
    def status(self) -> str:
        """The one word: off, failing or active."""
        if not self.sender.is_active:
            return "off"
        if (self.sender.carrier or self.sender).failing_since is not None:
            return "failing"
        return "active"


def list_account_states(*, workspace: Workspace, now: datetime) -> list[AccountState]:
    """Return the accounts of a workspace by name, with how they do, in three statements."""
    today = now.astimezone(zone_of(workspace.timezone)).date()
    used = dict(SenderDay.objects.filter(sender__workspace=workspace, day=today).values_list("sender_id", "used"))
    daily = Limit.objects.select_related("warm_up").filter(workspace=workspace, per=Per.DAY, most__isnull=False)
    limits = list(daily.filter(destination=""))
    return [_state(sender, limits, used) for sender in list_senders(workspace=workspace)]


def get_account_state(*, sender: SenderAccount, now: datetime) -> AccountState:
    """Return how one account does."""
    today = now.astimezone(zone_of(sender.workspace.timezone)).date()
    counted = SenderDay.objects.filter(sender__in=[sender.pk, sender.carrier_id or sender.pk], day=today)
    used = dict(counted.values_list("sender_id", "used"))
    daily = Limit.objects.select_related("warm_up").filter(workspace=sender.workspace_id, per=Per.DAY, destination="")
    return _state(sender, list(daily.filter(most__isnull=False)), used)


def _state(sender: SenderAccount, limits: list[Limit], used: dict[int, int]) -> AccountState:
    own = [limit for limit in limits if _counts(limit, sender)]
    return AccountState(
        sender=sender,
        used=used.get(sender.carrier_id or sender.pk, 0) if sender.is_limited else None,
        cap=min((limit.most for limit in own if limit.most is not None), default=None),
        is_warming_up=any(hasattr(limit, "warm_up") for limit in own),
    )


def _counts(limit: Limit, sender: SenderAccount) -> bool:
    whose = (None, sender.pk) if sender.carrier_id is None else (None, sender.pk, sender.carrier_id)
    return limit.sender_id in whose and limit.domain_id in (None, sender.domain_id)
