"""Everything that happens by the clock, in one place; each step is safe in several workers at once."""

from datetime import datetime

from postroom.workers.registry import every
from postroom.workers.rescue import forget_old_jobs


@every(3600.0)
def forget_jobs(now: datetime) -> bool:
    """Delete the records of jobs that ended long ago."""
    forget_old_jobs()
    return False
