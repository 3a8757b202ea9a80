"""Who may knock: keys of the form ``us_…``."""

from typing import Final

from postroom.api.shared.auth import BearerKey
from postroom.core.workspaces.types import Door

KEY: Final = BearerKey(Door.USESEND)
