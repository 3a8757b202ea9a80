"""Names of time zones as people write them after a clock."""

from datetime import timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

OFFSETS: Final = {
    **{"z": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 60, "cest": 120, "eet": 120, "eest": 180, "msk": 180},
    **{"est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420},
    **{"akst": -540, "akdt": -480, "hst": -600, "ist": 330, "sgt": 480, "hkt": 480, "jst": 540, "kst": 540},
    **{"aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780},
}
PLACES: Final = {"cet": "Europe/Paris", "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver"} | {
    "pt": "America/Los_Angeles"
}
"""Short names that have a summer time."""


def find_zone(name: str) -> tzinfo:
    """Return the zone of a name in small letters, such as ``est`` or ``europe/berlin``. Raises ValueError."""
    if name in OFFSETS:
        return timezone(timedelta(minutes=OFFSETS[name]))
    full = PLACES.get(name) or next((one for one in available_timezones() if one.lower() == name), "")
    if not full:
        raise ValueError("no such zone")
    return ZoneInfo(full)
