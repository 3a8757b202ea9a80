"""Portions: how many people get a campaign at a time, and how long the next ones wait."""

from typing import Final

from postroom.core.campaigns.errors import BadCampaign

MOST_AT_ONCE: Final = 100_000
LONGEST_WINDOW: Final = 7 * 24 * 60
"""In minutes."""


def check_portion(name: str, value: int) -> int:
    """Return the value of ``batch_size`` or ``batch_window_minutes`` (0: nobody waits). Raises BadCampaign."""
    least, most = (1, MOST_AT_ONCE) if name == "batch_size" else (0, LONGEST_WINDOW)
    if not least <= value <= most:
        what = "A portion has" if name == "batch_size" else "Minutes between portions are"
        raise BadCampaign(f"{what} {least} to {most:,}, not {value:,}.", field=name)
    return value
