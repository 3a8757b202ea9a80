"""Values of accounts: the companies people belong to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """What is said of a company; ``domain`` is the one of its people's addresses."""

    name: str
    domain: str = ""
    plan: str = ""
    notes: str = ""
    is_active: bool = True
